package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/harness/sweep"
	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// lessons are the variants of june6 that stand for the postmortem's four lessons.
var lessons = []string{"idempotent-drafts", "faster-scaling", "lower-rate-limit", "longer-media"}

type sweepFlags struct {
	scenarioFlags
	vary, safe              []string
	variants, find, until   string
	headline, cost          string
	queue, out, output      string
	seeds, jobs             int
	lessons, keep, switches bool
	within                  float64
	theirs                  theirFlags
}

func newSweepCommand() *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep SCENARIO",
		Short: "Run a scenario under many settings and map what each is worth",
		Long: `Runs a scenario under every combination of settings, on one or more seeds, side by side in virtual time, and ends
with the settings ranked, a map, the Pareto front, what each change does, and the safe region in words. Results are kept:
the same command goes on where it was interrupted. --find bisects one setting instead.

Exit codes: 0 swept · 1 could not run · 2 bad usage · 130 interrupted (run it again to go on)`,
		Example: `  aftershock sweep june6 --vary sender.drafts.rate_limit=200/min,300/min,400/min,500/min --vary sender.whatsapp.replicas.max=4,8,12
  aftershock sweep june6 --variants all --seeds 5
  aftershock sweep june6 --lessons
  aftershock sweep june6 --switches
  aftershock sweep mine.yaml --vary target.environment.RATE=100,200,400 --compress 10
  aftershock sweep june6 --variant unmitigated --vary sender.whatsapp.replicas.max=4,8,16
  aftershock sweep june6-slo --find sender.drafts.rate_limit=200/min..1200/min
  aftershock sweep june6 --preset incident --find load.phases.surge.rate=200/min..1100/min --until "recovery.metastable == false"`,
		Args: exactlyOne("a scenario: a name from 'aftershock scenario list', or a file"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&f.set, "set", nil, "override one setting of every run, key=value (repeatable)")
	fl.StringVar(&f.preset, "preset", "", "the sender's preset: incident, mitigated or hardened")
	fl.StringSliceVar(&f.scenarioFlags.variants, "variant", nil, "apply a named variant to every run (repeatable)")
	fl.Int64Var(&f.seed, "seed", 0, "the first seed (default: the scenario's)")
	fl.StringArrayVar(&f.vary, "vary", nil, "vary one setting, key=a,b,c (repeatable); key+key=a,b gives several the same value")
	fl.StringVar(&f.variants, "variants", "", "try each variant alone: all, or names separated by commas")
	fl.BoolVar(&f.lessons, "lessons", false, "run all 16 combinations of the four lessons of 6 June 2025")
	fl.BoolVar(&f.switches, "switches", false, "turn each policy of the sender alone to what hardened makes of it, and then all of them")
	fl.StringVar(&f.find, "find", "", "bisect one setting, key=low..high, for where it stops (or starts) to hold")
	fl.StringVar(&f.until, "until", "", "what has to hold for --find, a metric and a limit (default: the scenario's thresholds)")
	fl.Float64Var(&f.within, "within", 2, "how narrow --find gets, in per cent of the value")
	fl.IntVar(&f.seeds, "seeds", 1, "how many seeds to run each setting on")
	fl.IntVar(&f.jobs, "jobs", runtime.NumCPU(), "runs side by side (default 1 with a sender of your own)")
	f.theirs.register(fl)
	fl.StringArrayVar(&f.safe, "safe", nil, "what safe means, a metric and a limit (repeatable): \"duplicates.copies == 0\"")
	fl.StringVar(&f.headline, "metric", "", "the metric of map, ranks and tornado (default messages.harmed.rate)")
	fl.StringVar(&f.cost, "cost", "", "the other metric of the Pareto front (default delivery_time.p99)")
	fl.StringVar(&f.queue, "queue", "memory", "the sender's queue: memory or jetstream")
	fl.StringVar(&f.out, "out", "", "the sweep's folder (default runs/sweep-SCENARIO-PLAN)")
	fl.BoolVar(&f.keep, "keep", false, "keep the record and the report of every run")
	fl.StringVarP(&f.output, "output", "o", "text", "the result on stdout: text, json or markdown")
	return cmd
}

func (f *sweepFlags) run(cmd *cobra.Command, name string) error {
	if err := errors.Join(oneOf("output", f.output, "text", "json", "markdown"), oneOf("queue", f.queue, "memory", "jetstream")); err != nil {
		return err
	}
	base, _, err := f.load(cmd, name)
	if err != nil {
		return err
	}
	if err := f.theirs.suits(base, cmd.Flags(), &f.jobs); err != nil {
		return usageError(err)
	}
	axes, err := f.axes(base)
	if err != nil {
		return usageError(err)
	}
	safe, err := f.rules()
	if err != nil {
		return usageError(err)
	}
	if _, err := reports.NewSweep(reports.SweepRecord{}, safe, f.headline, f.cost); err != nil {
		return usageError(err)
	}
	progress := newSweepProgress(os.Stderr)
	s := &sweep.Sweep{Scenario: base.Name, SHA256: base.SHA256(), Tool: version() + "/" + f.queue + f.theirs.mark(), Axes: axes, Seeds: f.seedList(base), Jobs: f.jobs, Keep: f.keep,
		Replay: func(ctx context.Context, j sweep.Job, dir string) error { return f.replay(ctx, name, j, dir) }, Progress: progress.show}
	s.Dir = f.folder(s)
	// Every setting is checked before the first run starts.
	if err := f.checkAll(name, s); err != nil {
		return usageError(err)
	}
	for _, note := range append(changedLater(base, axes), newNames(base, axes)...) {
		fmt.Fprintln(os.Stderr, "aftershock: "+note)
	}
	fmt.Fprintf(os.Stderr, "aftershock: results are kept in %s\n", s.Dir)
	debug.SetGCPercent(150) // several runs share the memory
	if f.find != "" {
		return f.bisect(cmd, s)
	}
	rec, err := s.Run(cmd.Context())
	progress.done()
	if err != nil && !errors.Is(err, context.Canceled) {
		return exitWith(exitCouldNotRun, err)
	}
	if err := f.conclude(cmd.OutOrStdout(), rec, safe, s.Dir); err != nil {
		return err
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "aftershock: interrupted; the same command goes on from here")
		return exitWith(exitInterrupted, nil)
	}
	return nil
}

// conclude writes the sweep's documents and prints the result.
func (f *sweepFlags) conclude(out io.Writer, rec reports.SweepRecord, safe []reports.SafeRule, dir string) error {
	rep, err := reports.NewSweep(rec, safe, f.headline, f.cost)
	if err != nil {
		return err
	}
	if err := rep.Write(dir); err != nil {
		return err
	}
	if err := rep.GitHub(os.Getenv, os.Stderr); err != nil {
		return err
	}
	switch f.output {
	case "json":
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(rep.Summary())
	case "markdown":
		return rep.Markdown(out)
	}
	if err := rep.Text(out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\n  files  %s: sweep.html, sweep.md, plots/, runs.jsonl\n", dir)
	return err
}

// axes are what the flags vary.
func (f *sweepFlags) axes(s *scenarios.Scenario) ([]sweep.Axis, error) {
	var out []sweep.Axis
	for _, v := range f.vary {
		a, err := sweep.Vary(v)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	if f.variants != "" {
		names := strings.Split(f.variants, ",")
		if f.variants == "all" {
			names = nil
			for n := range s.Variants {
				names = append(names, n)
			}
			sort.Strings(names)
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("--variants all: %s has no variants", s.Name)
		}
		out = append(out, sweep.OneOf(names))
	}
	if f.lessons {
		for _, l := range lessons {
			if _, ok := s.Variants[l]; !ok {
				return nil, fmt.Errorf("--lessons: %s has no variant %q", s.Name, l)
			}
		}
		out = append(out, sweep.Switches(lessons)...)
	}
	if f.switches {
		a, err := switchAxis()
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	switch {
	case f.find != "" && len(out) > 0:
		return nil, errors.New("--find looks along one setting alone: leave out --vary, --variants, --lessons and --switches")
	case f.find == "" && len(out) == 0 && f.seeds < 2:
		return nil, errors.New("nothing to sweep\nhint: --vary key=a,b,c, --variants all, --lessons, --switches, --find key=low..high or --seeds N")
	case f.seeds < 1 || f.jobs < 1:
		return nil, errors.New("--seeds and --jobs are 1 or more")
	}
	return out, nil
}

// changedLater tells which of the settings varied the scenario's own timeline sets as well: from then on all runs agree.
func changedLater(s *scenarios.Scenario, axes []sweep.Axis) []string {
	var out []string
	for _, a := range axes {
		for _, key := range strings.Split(a.Name, "+") {
			for _, step := range s.Timeline {
				if value, ok := step.Set[key]; ok {
					out = append(out, fmt.Sprintf("at %s the timeline sets %s to %v: the values varied hold until then", reports.FormatDuration(step.At), key, value))
				}
			}
		}
	}
	return out
}

func (f *sweepFlags) rules() ([]reports.SafeRule, error) {
	var out []reports.SafeRule
	for _, text := range f.safe {
		r, err := reports.ParseSafe(text)
		if err != nil {
			return nil, fmt.Errorf("--safe: %w", err)
		}
		out = append(out, r)
	}
	return out, nil
}

func (f *sweepFlags) seedList(s *scenarios.Scenario) []int64 {
	seeds := make([]int64, f.seeds)
	for i := range seeds {
		seeds[i] = s.Seed + int64(i)
	}
	return seeds
}

// folder names the sweep after its plan, so that the same command finds what it left.
func (f *sweepFlags) folder(s *sweep.Sweep) string {
	if f.out != "" {
		return f.out
	}
	return filepath.Join("runs", fmt.Sprintf("sweep-%s-%.8s", s.Scenario, s.PlanSHA256(f.find)))
}

// resolve reads the scenario of one run.
func (f *sweepFlags) resolve(name string, j sweep.Job) (*scenarios.Scenario, map[string]string, error) {
	o := scenarios.Options{Variants: f.with(j), Preset: f.preset, Seed: &j.Seed, Set: map[string]string{}, Blocks: local.Blocks()}
	for _, s := range f.set {
		k, v, _ := strings.Cut(s, "=")
		o.Set[k] = v
	}
	for k, v := range j.Set {
		o.Set[k] = v
	}
	s, err := scenarios.Open(name, o)
	return s, o.Set, err
}

// with lists the variants of one run: those of every run, then its own.
func (f *sweepFlags) with(j sweep.Job) []string {
	return slices.Concat([]string{}, f.scenarioFlags.variants, j.Variants)
}

func (f *sweepFlags) checkAll(name string, s *sweep.Sweep) error {
	for _, j := range s.AllJobs() {
		if j.Seed != s.Seeds[0] {
			continue
		}
		if _, _, err := f.resolve(name, j); err != nil {
			return err
		}
	}
	return nil
}

func (f *sweepFlags) replay(ctx context.Context, name string, j sweep.Job, dir string) error {
	s, overrides, err := f.resolve(name, j)
	if err != nil {
		return err
	}
	command := []string{"aftershock", "run", name}
	for _, k := range slices.Sorted(keysOf(overrides)) {
		command = append(command, "--set", k+"="+overrides[k])
	}
	for _, v := range f.with(j) {
		command = append(command, "--variant", v)
	}
	if f.preset != "" {
		command = append(command, "--preset", f.preset)
	}
	info := record.Info{ID: filepath.Base(dir), Tool: version(), Command: strings.Join(append(command, "--seed", fmt.Sprint(j.Seed)), " "),
		Scenario: record.ScenarioInfo{Name: s.Name, Title: s.Title, Purpose: s.Purpose, SHA256: s.SHA256(), Seed: s.Seed, Preset: s.Preset(), Variants: f.with(j), Overrides: overrides}}
	_, err = local.Replay(ctx, f.theirs.options(local.Options{Scenario: s, Dir: dir, Info: info, Clock: "virtual", Queue: f.queue}))
	return err
}

func keysOf(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// bisect looks for where a setting stops to hold.
func (f *sweepFlags) bisect(cmd *cobra.Command, s *sweep.Sweep) error {
	keys, ends, ok := strings.Cut(f.find, "=")
	low, high, ok2 := strings.Cut(ends, "..")
	if !ok || !ok2 {
		return usageError(fmt.Errorf("--find %q: write key=low..high, such as sender.drafts.rate_limit=200/min..800/min", f.find))
	}
	find := &sweep.Find{Sweep: s, Keys: keys, Low: low, High: high, Exact: f.within / 100}
	condition := "all thresholds met"
	find.Holds = func(r reports.SweepRun) bool { return r.Verdict == reports.Met }
	if f.until != "" {
		rule, err := reports.ParseSafe(f.until)
		if err != nil {
			return usageError(fmt.Errorf("--until: %w", err))
		}
		condition, find.Holds = f.until, rule.Holds
	}
	found, err := find.Run(cmd.Context())
	found.Condition = condition
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "aftershock: interrupted; the same command goes on from here")
		return exitWith(exitInterrupted, nil)
	case err != nil:
		return exitWith(exitCouldNotRun, err)
	}
	if f.output == "json" {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(found)
	}
	out := cmd.OutOrStdout()
	for _, t := range found.Tried {
		word := "fails"
		if t.Holds {
			word = "holds"
		}
		if _, err := fmt.Fprintf(out, "  %-12s %s\n", t.Value, word); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(out, "\n%s\n", found.Words())
	return err
}
