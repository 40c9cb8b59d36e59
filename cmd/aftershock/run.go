package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/harness/remote"
	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/reports/dash"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut"
)

// runFlags are the flags of run, as they were given.
type runFlags struct {
	crew crewFlags
	repeatFlags
	scenarioFlags
	viewFlags
	placeFlags
	asked                                                   askedFlags
	clock, queue, nats, out, baseline, save, output, listen string
	compress, speed                                         float64
}

// scenarioFlags choose and change a scenario; run and sweep share them.
type scenarioFlags struct {
	set      []string
	preset   string
	variants []string
	seed     int64
}

func (f *scenarioFlags) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringArrayVar(&f.set, "set", nil, "override one setting, key=value (repeatable): sender.drafts.rate_limit=300/min")
	fl.StringVar(&f.preset, "preset", "", "the sender's preset: incident, mitigated or hardened")
	fl.StringSliceVar(&f.variants, "variant", nil, "apply a named variant of the scenario (repeatable)")
	fl.Int64Var(&f.seed, "seed", 0, "the seed of every random choice (default: the scenario's)")
}

// load resolves the scenario; what is wrong with it is the user's to mend: exit 2.
func (f *scenarioFlags) load(cmd *cobra.Command, name string) (*scenarios.Scenario, map[string]string, error) {
	o, err := f.scenarioOptions(cmd)
	if err != nil {
		return nil, nil, err
	}
	s, err := scenarios.Open(name, o)
	if err != nil {
		return nil, nil, usageError(err)
	}
	return s, o.Set, nil
}

// scenarioOptions are what the flags make of a scenario.
func (f *scenarioFlags) scenarioOptions(cmd *cobra.Command) (scenarios.Options, error) {
	o := scenarios.Options{Variants: f.variants, Preset: f.preset, Set: map[string]string{}, Blocks: blocks()}
	for _, s := range f.set {
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" {
			return o, usageError(fmt.Errorf("--set %q: write key=value, such as --set sender.drafts.rate_limit=300/min", s))
		}
		o.Set[k] = v
	}
	if cmd.Flags().Changed("seed") {
		o.Seed = &f.seed
	}
	return o, nil
}

// blocks are the checks of everyone who owns a part of a scenario.
func blocks() scenarios.Blocks {
	b := local.Blocks()
	b.Metric, b.Threshold, b.Presets = reports.CheckMetric, reports.CheckThreshold, sut.Presets()
	return b
}

func newRunCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Replay a scenario and judge it",
		Long: `Replays a scenario (a name from the catalog, or a file) and judges it by its thresholds. The record of the run
is kept in a folder under runs/, with the reports made from it.`,
		Example: `  aftershock run june6
  aftershock run june6 --variant idempotent-drafts --variant longer-media
  aftershock run june6 --set sender.drafts.rate_limit=300/min --seed 7 -o json
  aftershock run my-incident.yaml --speed 600
  aftershock run june6-slo --runs 20
  aftershock run smoke --clock wall --runs 10 --retry-invalid 2 --baseline ci/baseline.json`,
		Args: exactlyOne("a scenario: a name from 'aftershock scenario list', or a file"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.scenarioFlags.register(cmd)
	f.viewFlags.register(cmd)
	f.repeatFlags.register(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.clock, "clock", "virtual", "virtual (hours in seconds) or wall (real time over loopback)")
	fl.Float64Var(&f.compress, "compress", 1, "on the wall clock: divide every duration and multiply every rate by this")
	fl.Float64Var(&f.speed, "speed", 0, "in virtual time: seconds of the run per second on the wall (600 = ten minutes a second; 0 = as fast as it goes)")
	f.placeFlags.register(fl)
	fl.StringVar(&f.queue, "queue", "memory", "the sender's queue: memory or jetstream")
	fl.StringVar(&f.nats, "nats", "", "URL of an outside NATS cluster, for --queue jetstream and for --agents")
	f.crew.register(fl)
	fl.StringVar(&f.out, "out", "", "the run's folder (default runs/SCENARIO-TIME-sSEED)")
	f.asked.register(fl)
	fl.StringVar(&f.baseline, "baseline", "", "a run's folder or a baseline file to compare with")
	fl.StringVar(&f.save, "save-baseline", "", "write the run's figures into this file, for later comparisons, if it was met")
	fl.StringVarP(&f.output, "output", "o", "text", "the result on stdout: text, json or markdown (--ui json: always the stream's last line)")
	fl.StringVar(&f.listen, "listen", "", "serve /events, /snapshot and /metrics here while running, such as 127.0.0.1:9464")
	return cmd
}

// exactlyOne is cobra.ExactArgs(1) with a message that says what is missing.
func exactlyOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usageError(fmt.Errorf("%s needs %s", cmd.CommandPath(), what))
		case len(args) > 1:
			return usageError(fmt.Errorf("%s takes one argument, got %d: %s", cmd.CommandPath(), len(args), strings.Join(args, " ")))
		}
		return nil
	}
}

func (f *runFlags) run(cmd *cobra.Command, name string) error {
	s, overrides, err := f.load(cmd, name)
	if err != nil {
		return err
	}
	for _, e := range s.Idle {
		fmt.Fprintf(cmd.ErrOrStderr(), "aftershock: the run will be invalid: %v\n", e)
	}
	f.settle(s, cmd.Flags())
	if err := errors.Join(f.check(), f.placeFlags.check(cmd.Flags())); err != nil {
		return usageError(err)
	}
	if err := f.suits(s); err != nil {
		return usageError(err)
	}
	if err := f.fits(s); err != nil {
		return err
	}
	if f.runs > 1 {
		return f.several(cmd, s, name)
	}
	dir, err := f.folder(s)
	if err != nil {
		return err
	}
	rep, ui, err := f.attempts(cmd, attempt{scenario: s, name: name, dir: dir, overrides: overrides,
		document: func(dir string) (*reports.Report, error) { return writeDocuments(dir, f.baseline, f.asked) }})
	if rep == nil {
		return err
	}
	return errors.Join(f.conclude(cmd, rep, ui), err)
}

// replay runs the scenario. One processor replays virtual time faster than two: only one goroutine has something to do
// at most instants, and waking another processor for it costs more than it brings (docs/decisions/0005-one-processor.md).
func (f *runFlags) replay(ctx context.Context, o local.Options) (record.Info, error) {
	switch {
	case f.clock == "virtual":
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		debug.SetGCPercent(150) // on the wall's clock, collecting more often would make hits late
	case (f.env == "processes" || f.env == "containers") && os.Getenv("GOMAXPROCS") == "":
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(remote.Share(runtime.NumCPU())))
	}
	o.Elsewhere = f.elsewhere(o)
	leave, err := f.crew.gather(ctx, f, &o)
	if err != nil {
		return o.Info, err
	}
	defer leave()
	return local.Replay(ctx, o)
}

// info is the run's identity.
func (f *runFlags) info(s *scenarios.Scenario, name, dir string, overrides map[string]string) record.Info {
	variants := f.variants
	if variants == nil {
		variants = []string{}
	}
	return record.Info{
		ID: filepath.Base(dir), Tool: version(), Command: f.command(s, name),
		Scenario: record.ScenarioInfo{
			Name: s.Name, Title: s.Title, Purpose: s.Purpose, SHA256: s.SHA256(), Seed: s.Seed, Preset: s.Preset(), Variants: variants,
			Overrides: overrides,
		},
	}
}

// fits refuses a baseline that the run cannot be compared with, before anything runs.
func (f *runFlags) fits(s *scenarios.Scenario) error {
	if f.baseline == "" {
		return nil
	}
	b, err := f.asked.load(f.baseline)
	if err != nil {
		return usageError(err)
	}
	return incomparable(b.Fits(s, f.clock))
}

// conclude prints the result, on stdout and for GitHub where it runs, and saves it as a baseline.
func (f *runFlags) conclude(cmd *cobra.Command, rep *reports.Report, ui dash.UI) error {
	out := cmd.OutOrStdout()
	err := rep.GitHub(os.Getenv, cmd.ErrOrStderr())
	switch {
	case err != nil:
	case ui == dash.JSON:
		err = json.NewEncoder(out).Encode(map[string]any{"summary": rep.Summary()})
	case f.output == "text":
		err = rep.Text(out, f.coloured(out))
	default:
		err = printReport(out, rep, f.output)
	}
	if err != nil {
		return err
	}
	if f.save != "" && rep.LacksBaseline() {
		if err := saveBaseline([]*reports.Report{rep}, f.save); err != nil {
			return err
		}
		return exitWith(rep.ExitCode, nil)
	}
	switch {
	case rep.ExitCode != 0 && f.save != "":
		fmt.Fprintf(os.Stderr, "aftershock: no baseline saved: the run is %s, and a baseline is made of runs that were met\n", rep.Verdict)
		fallthrough
	case rep.ExitCode != 0:
		return exitWith(rep.ExitCode, nil)
	case f.save != "":
		return saveBaseline([]*reports.Report{rep}, f.save)
	}
	return nil
}

func printReport(out io.Writer, rep *reports.Report, format string) error {
	switch format {
	case "json":
		return rep.JSON(out)
	case "markdown":
		return rep.Markdown(out)
	}
	return rep.Text(out, colourOn(out))
}

// maxFactor bounds --compress: beyond it a minute is shorter than a call over loopback.
const maxFactor = 100_000.0

func (f *runFlags) check() error {
	for _, c := range []struct{ flag, value, allowed string }{
		{"clock", f.clock, "virtual wall"}, {"env", f.env, "embedded processes containers external"},
		{"queue", f.queue, "memory jetstream"}, {"output", f.output, "text json markdown"},
	} {
		allowed := strings.Fields(c.allowed)
		if !contains(allowed, c.value) {
			return fmt.Errorf("--%s %q: use %s", c.flag, c.value, strings.Join(allowed, ", "))
		}
	}
	switch {
	case !(f.compress >= 1 && f.compress <= maxFactor):
		return fmt.Errorf("--compress %g: it divides durations, so it is between 1 and %g", f.compress, maxFactor)
	case f.compress > 1 && f.clock == "virtual" && f.env == "embedded":
		return errors.New("--compress is for the wall clock; virtual time needs none (see --speed)")
	case !(f.speed >= 0 && f.speed <= 1e9):
		return fmt.Errorf("--speed %g: it is seconds of the run a second, 0 for as fast as it goes", f.speed)
	}
	if f.env != "embedded" {
		f.clock = "wall"
	}
	return errors.Join(f.repeatFlags.check(f), f.crew.check(f))
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// folder names the run's folder and refuses one that holds a run already.
func (f *runFlags) folder(s *scenarios.Scenario) (string, error) {
	if f.out == "" {
		return ownFolder("runs", fmt.Sprintf("%s-%s-s%d", s.Name, time.Now().UTC().Format("20060102T150405Z"), s.Seed))
	}
	err := record.Vacant(f.out)
	if err != nil {
		err = fmt.Errorf("--out: %w", err)
	}
	if errors.Is(err, record.ErrTaken) { // any other trouble is the world's
		err = usageError(err)
	}
	return f.out, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// ownFolder makes a folder that nobody else has: of several runs that begin in the same second each gets its own.
func ownFolder(parent, name string) (string, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", exitWith(exitCouldNotRun, fmt.Errorf("make the run's folder: %w", err))
	}
	dir := filepath.Join(parent, name)
	for i := 2; ; i++ {
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", exitWith(exitCouldNotRun, fmt.Errorf("make the run's folder: %w", err))
		}
		dir = fmt.Sprintf("%s-%d", filepath.Join(parent, name), i)
	}
}
