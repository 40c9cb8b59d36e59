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
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/aftershock-dev/aftershock/harness/hunt"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// twiceEvery is which share of the seeds is run twice, and has to come to the same digest.
const twiceEvery = 25

type huntFlags struct {
	scenarioFlags
	seeds        string
	span         time.Duration
	jobs, most   int
	budget       int
	out, output  string
	first, final int64 // of --seeds; final 0 is none
}

func newHuntCommand() *cobra.Command {
	var f huntFlags
	cmd := &cobra.Command{
		Use:   "hunt [SCENARIO]",
		Short: "Look for a schedule of faults, kills and crashes that breaks a promise of the sender",
		Long: `Draws a load, settings and a timeline of faults, kills, crashes of the whole process and full disks for every seed, and
runs each in virtual time against the promises that must hold whatever happens: nothing that was acknowledged is lost,
every copy is explained by an answer that nobody got, no draft takes a step that there is not, bounds hold, all comes to
its end when trouble ends, nothing is left behind. docs/hunt.md lists them.

What breaks one is made as small as it goes and written as a scenario that 'aftershock run' replays to the same digest. A
scenario says what is hunted: its sender, fake, client and messages; its load and its timeline are the hunt's own. The
same command goes on where it stopped.

Exit codes: 0 no promise was broken · 1 could not run · 2 bad usage · 3 the hunt tried nothing that could show anything
            99 a promise was broken · 130 interrupted (run it again to go on)`,
		Example: `  aftershock hunt --for 10m
  aftershock hunt --seeds 1..10000
  aftershock hunt june6 --set sender.drafts.replicas.count=3 --seeds 1..500
  aftershock run runs/hunt-reference/hunt-467-let-go.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError(fmt.Errorf("%s takes one scenario at most, got %d arguments", cmd.CommandPath(), len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, strings.Join(args, "")) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.seeds, "seeds", "", "seeds to try, such as 1..10000; with --for, those from the first one on")
	fl.DurationVar(&f.span, "for", 0, "how long to hunt (default 1m without --seeds)")
	fl.IntVar(&f.jobs, "jobs", 1, "seeds tried side by side; with more than one, what happens at one and the same instant may come in another order")
	fl.IntVar(&f.most, "most", 1, "end after so many findings")
	fl.IntVar(&f.budget, "shrink", 300, "runs that making a finding smaller may take")
	fl.StringArrayVar(&f.set, "set", nil, "override one setting of what is hunted, key=value (repeatable)")
	fl.StringVar(&f.preset, "preset", "", "the sender's preset: incident, mitigated or hardened")
	fl.StringSliceVar(&f.variants, "variant", nil, "apply a named variant (repeatable)")
	fl.StringVar(&f.out, "out", "", "the hunt's folder (default runs/hunt-SCENARIO)")
	fl.StringVarP(&f.output, "output", "o", "text", "the result on stdout: text or json")
	return cmd
}

// check reads the flags.
func (f *huntFlags) check(cmd *cobra.Command) error {
	if err := oneOf("output", f.output, "text", "json"); err != nil {
		return err
	}
	f.first = 1
	if f.seeds != "" {
		low, high, ok := strings.Cut(f.seeds, "..")
		var err1, err2 error
		f.first, err1 = strconv.ParseInt(low, 10, 64)
		f.final, err2 = strconv.ParseInt(high, 10, 64)
		if !ok || err1 != nil || err2 != nil || f.first < 1 || f.final < f.first {
			return usageError(fmt.Errorf("--seeds %q: write the first and the last one, such as --seeds 1..10000", f.seeds))
		}
	}
	for name, n := range map[string]int{"jobs": f.jobs, "most": f.most, "shrink": f.budget} {
		if n < 1 {
			return usageError(fmt.Errorf("--%s %d: it has to be 1 or more", name, n))
		}
	}
	if cmd.Flags().Changed("for") && f.span <= 0 {
		return usageError(fmt.Errorf("--for %v: it has to be above 0", f.span))
	}
	if f.span == 0 && f.seeds == "" {
		f.span = time.Minute
	}
	return nil
}

// base is what is hunted.
func (f *huntFlags) base(cmd *cobra.Command, name string) (*scenarios.Scenario, error) {
	o, err := f.scenarioOptions(cmd)
	if err != nil {
		return nil, err
	}
	var s *scenarios.Scenario
	if name == "" {
		s, err = scenarios.Read("reference", []byte(hunt.Reference), o)
	} else {
		s, err = scenarios.Open(name, o)
	}
	if err != nil {
		return nil, usageError(err)
	}
	if s.Target != nil {
		return nil, usageError(errors.New("the scenario's target is a sender of your own, and a hunt needs virtual time: a sender in Go is hunted by replay.Hunt, see docs/hunt.md"))
	}
	return s, nil
}

func (f *huntFlags) run(cmd *cobra.Command, name string) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	base, err := f.base(cmd, name)
	if err != nil {
		return err
	}
	if f.out == "" {
		f.out = filepath.Join("runs", "hunt-"+base.Name)
	}
	log, err := hunt.OpenLog(f.out, hunt.Plan{Scenario: base.Name, SHA256: base.SHA256(), Tool: version(), From: f.first})
	if err != nil {
		return usageError(err)
	}
	show := &huntProgress{out: os.Stderr, live: term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("CI") == "", begun: time.Now(), first: log.Cover.Seeds}
	show.say("hunting %s from seed %d; what is found is kept in %s", base.Name, log.Next, f.out)
	debug.SetGCPercent(150) // several runs share the memory
	if f.jobs == 1 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // as run replays what is found
	}
	began, ctx := time.Now(), cmd.Context()
	found, err := f.hunt(ctx, base, log, show)
	show.done()
	for _, x := range found {
		path, keepErr := log.Keep(x)
		err = errors.Join(err, keepErr)
		show.say("seed %d, made smaller: %d of %d steps: %s", x.Seed, x.Steps, x.Drawn, path)
	}
	if err = errors.Join(err, log.Save()); err != nil {
		return exitWith(exitCouldNotRun, err)
	}
	o := outcome{Log: log, Verdict: "met", Seconds: time.Since(began).Seconds(), Rate: float64(log.Cover.Seeds-show.first) / time.Since(began).Minutes(), dir: f.out, jobs: f.jobs}
	code := 0
	switch o.Nothing = log.Cover.Nothing(); {
	case len(log.Found) > 0:
		o.Verdict, code = "missed", exitMissed
	case ctx.Err() != nil:
		code = exitInterrupted
	case o.Nothing != "":
		o.Verdict, code = "invalid", exitInvalid
	}
	if err := o.print(cmd.OutOrStdout(), f.output); err != nil {
		return err
	}
	if ctx.Err() != nil {
		show.say("interrupted; the same command goes on from seed %d", log.Next)
		code = exitInterrupted
	}
	if code != 0 {
		return exitWith(code, nil)
	}
	return nil
}

// hunt tries the seeds that are left.
func (f *huntFlags) hunt(ctx context.Context, base *scenarios.Scenario, log *hunt.Log, show *huntProgress) ([]hunt.Finding, error) {
	trial := &hunt.Trial{Twice: func(s *scenarios.Scenario) bool { return s.Seed%twiceEvery == 0 }}
	h := &hunt.Hunt{
		Base: base, Ours: true, Jobs: f.jobs, Budget: f.budget, Most: f.most, Try: trial.Run,
		Tried: func(seed int64, e hunt.Evidence) {
			log.Tried(seed, e)
			show.tried(seed)
		},
		Found: func(seed int64, b hunt.Broken) { show.say("seed %d breaks a promise: %s", seed, b.Says) },
	}
	seeds := hunt.Range(log.Next, f.final)
	if f.span > 0 {
		seeds = hunt.Until(log.Next, f.span)
		if f.final > 0 {
			all := seeds
			seeds = func(yield func(int64) bool) {
				all(func(seed int64) bool { return seed <= f.final && yield(seed) })
			}
		}
	}
	return h.Run(ctx, seeds)
}

// outcome is what a hunt came to.
type outcome struct {
	*hunt.Log
	Verdict string  `json:"verdict"`           // met: no promise was broken; missed; invalid: nothing was tried
	Nothing string  `json:"nothing,omitempty"` // why it is invalid
	Seconds float64 `json:"seconds"`           // of this time
	Rate    float64 `json:"seeds_per_minute"`  // of this time

	dir  string
	jobs int
}

func (o outcome) print(w io.Writer, how string) error {
	if how == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(o)
	}
	var b strings.Builder
	head := map[string]string{"met": "MET      no promise was broken", "missed": "MISSED   a promise was broken", "invalid": "INVALID  " + o.Nothing}[o.Verdict]
	fmt.Fprintf(&b, "%s\n\n", head)
	fmt.Fprintf(&b, "  hunted      %s, seeds %d to %d", o.Scenario, o.From, o.Next-1)
	if o.Rate > 0 {
		fmt.Fprintf(&b, "; %.0f a minute, %d side by side", o.Rate, o.jobs)
	}
	b.WriteString("\n")
	if err := o.Cover.Text(&b, true); err != nil {
		return err
	}
	for _, x := range o.Found {
		fmt.Fprintf(&b, "\n  ✗ seed %d, %s: %s\n    %d of %d steps are enough; digest %.12s\n    aftershock run %s\n", x.Seed, x.ID, x.Says, x.Steps, x.Drawn, x.Digest, filepath.Join(o.dir, x.File))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// huntProgress shows how far a hunt is: on a terminal a line that is drawn again, elsewhere a line now and then.
type huntProgress struct {
	out   io.Writer
	live  bool
	begun time.Time
	first int // seeds tried before this time
	n     int
	shown time.Time
}

// how often progress is shown.
const (
	showLive  = 200 * time.Millisecond
	showPlain = 10 * time.Second
)

func (p *huntProgress) tried(seed int64) {
	p.n++
	every := showPlain
	if p.live {
		every = showLive
	}
	if time.Since(p.shown) < every {
		return
	}
	p.shown = time.Now()
	line := fmt.Sprintf("aftershock: seed %d, %d tried, %.0f a minute", seed, p.n, float64(p.n)/max(time.Since(p.begun).Minutes(), 1e-3))
	if p.live {
		fmt.Fprint(p.out, "\r\x1b[K"+line)
	} else {
		fmt.Fprintln(p.out, line)
	}
}

func (p *huntProgress) say(format string, args ...any) {
	p.done()
	fmt.Fprintf(p.out, "aftershock: "+format+"\n", args...)
}

func (p *huntProgress) done() {
	if p.live {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
