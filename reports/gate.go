package reports

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/reports/internal/synth"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// GateTest proves that the gate can fail, and that it does not fail without a reason: it injects known regressions into
// records and demands that each is found, sets equal runs against each other and demands that nothing is, and measures
// how often the wall clock's statistics raise a false alarm. It prints what it did, and returns an error when the gate
// let something through or cried wolf.
func GateTest(out io.Writer) error {
	dir, err := os.MkdirTemp("", "aftershock-gate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	g := &gateTest{dir: dir, out: out}
	if err := g.records(); err != nil {
		return err
	}
	g.statistics()
	if g.failed > 0 {
		return fmt.Errorf("the gate is broken: %d of %d checks failed", g.failed, g.checks)
	}
	_, err = fmt.Fprintf(out, "the gate works: %d checks\n", g.checks)
	return err
}

type gateTest struct {
	dir            string
	out            io.Writer
	runs           int
	checks, failed int
}

func (g *gateTest) check(ok bool, format string, args ...any) {
	g.checks++
	sign := "ok    "
	if !ok {
		sign = "FAILED"
		g.failed++
	}
	fmt.Fprintf(g.out, "  %s  %s\n", sign, fmt.Sprintf(format, args...))
}

// gateSeeds are how many runs a side the self-test compares.
const gateSeeds = 3

// side makes a run for each seed.
func (g *gateTest) side(o synth.Options) (*Baseline, []*Report, error) {
	var runs []*Report
	for seed := range int64(gateSeeds) {
		o.Seed, o.Healthy, o.Scale, o.Load = seed+1, true, 0.03, 2*time.Hour
		g.runs++
		dir := filepath.Join(g.dir, fmt.Sprint(g.runs))
		if _, err := synth.Write(dir, o); err != nil {
			return nil, nil, err
		}
		r, err := Open(dir)
		if err != nil {
			return nil, nil, err
		}
		runs = append(runs, r)
	}
	b, err := NewBaseline(runs, true)
	return b, runs, err
}

// records checks the comparison in virtual time, and the verdict.
func (g *gateTest) records() error {
	fmt.Fprintln(g.out, "known regressions, in virtual time:")
	base, runs, err := g.side(synth.Options{})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name   string
		change synth.Options
		red    bool
	}{
		{"the same code again: nothing got worse", synth.Options{}, false},
		{"20 % more latency: found", synth.Options{Slower: 0.20}, true},
		{"a single duplicate more: found", synth.Options{Extra: 1}, true},
	} {
		candidate, _, err := g.side(c.change)
		if err != nil {
			return err
		}
		changes, err := Compare(base, candidate)
		if err != nil {
			return err
		}
		g.check((len(Failed(changes)) > 0) == c.red, "%s%s", c.name, firstFailure(changes))
	}
	return g.verdicts(runs[0])
}

func firstFailure(changes []Change) string {
	if f := Failed(changes); len(f) > 0 {
		return " (" + f[0].Sentence() + ")"
	}
	return ""
}

// verdicts checks that a run which cannot be judged is not met.
func (g *gateTest) verdicts(good *Report) error {
	g.check(good.Verdict == Met, "a healthy run is met (%s)", good.Verdict)
	for _, c := range []struct {
		name   string
		want   Verdict
		change func(*record.Run)
	}{
		{"a lost message is missed", Missed, func(r *record.Run) { r.Messages[3].Outcome = record.Lost }},
		{"a run whose harness lost pace is invalid", Invalid, func(r *record.Run) { r.Info.Harness.Invalid = []string{"hits left 4 s late"} }},
		{"a run without messages is invalid", Invalid, func(r *record.Run) { r.Messages = nil }},
		{"a message without an outcome is invalid", Invalid, func(r *record.Run) { r.Messages[3].Outcome = "" }},
		{"a run that was cut off is invalid", Invalid, func(r *record.Run) { r.Info.State = record.Running }},
	} {
		run, err := record.Load(good.data.run.Dir)
		if err != nil {
			return err
		}
		c.change(run)
		r, err := Build(run, good.Scenario)
		if err != nil {
			return err
		}
		g.check(r.Verdict == c.want, "%s (%s, exit %d)", c.name, r.Verdict, r.ExitCode)
	}
	empty := *good.Scenario
	empty.Thresholds = append(empty.Thresholds[:0:0], empty.Thresholds...)
	empty.Thresholds[0].During = "midnight"
	r, err := Build(good.data.run, &empty)
	if err != nil {
		return err
	}
	g.check(r.Verdict == Invalid && r.ExitCode == ExitInvalid, "a threshold on a phase without traffic is invalid (%s)", strings.Join(r.Reasons, "; "))
	return nil
}

// Rounds of the measurement of false alarms, and what it may find.
const (
	gateRounds     = 400
	gateRuns       = 10 // a side
	gateMetrics    = 12
	mostFalse      = 0.01
	leastFound     = 0.95
	injectedSlower = 0.20
)

// statistics measures how often equal wall-clock runs are called different, and how often a slowdown is found, for
// metrics as noisy as a shared machine makes them.
func (g *gateTest) statistics() {
	fmt.Fprintf(g.out, "statistics of the wall clock, %d comparisons of %d runs a side, %d metrics each:\n", gateRounds, gateRuns, gateMetrics)
	for _, noise := range []float64{0.003, 0.03, 0.10} {
		alarms, found := 0, 0
		for round := range gateRounds {
			if len(Failed(trying(trial{noise: noise, base: gateRuns, candidate: gateRuns}, round))) > 0 {
				alarms++
			}
			if len(Failed(trying(trial{noise: noise, base: gateRuns, candidate: gateRuns, slower: injectedSlower}, round))) > 0 {
				found++
			}
		}
		a, f := float64(alarms)/gateRounds, float64(found)/gateRounds
		g.check(a <= mostFalse, "noise of %s a run: false alarms in %s of comparisons", Share.Format(noise), Share.Format(a))
		if noise < 0.1 {
			g.check(f >= leastFound, "noise of %s a run: a slowdown of %s is found in %s", Share.Format(noise), Share.Format(injectedSlower), Share.Format(f))
		}
	}
}

// trial is two sides of runs on the wall's clock that are made up: so many runs, whose values scatter by noise, the
// candidate's slower by a share, with so many copies more in one of its runs.
type trial struct {
	noise, slower   float64
	base, candidate int
	copies          int
}

// trying makes up a trial and compares its sides.
func trying(t trial, round int) []Change {
	source := chance.New(int64(round)).For("gate")
	out := make([]Change, gateMetrics)
	for i := range out {
		c := Change{Metric: fmt.Sprintf("metric %d", i), Unit: Seconds, Tier: Timing, Better: "lower", Judged: true, P: math.NaN(), Verdict: same}
		for k := range t.base {
			c.Base = append(c.Base, math.Exp(t.noise*normal(source, i, k, 0)))
		}
		for k := range t.candidate {
			c.Candidate = append(c.Candidate, (1+t.slower)*math.Exp(t.noise*normal(source, i, k, 1)))
		}
		out[i] = c
	}
	copies := Change{Metric: "duplicates.copies", Unit: Count, Tier: Exact, Better: "lower", Judged: true, P: math.NaN(), Verdict: same,
		Base: make([]float64, t.base), Candidate: make([]float64, t.candidate)}
	copies.Candidate[0] = float64(t.copies)
	out = append(out, copies)
	testFamily(out, Asked{}.on("wall"))
	return out
}

// Power prints how often runs on the wall's clock that are alike are called different, and how often a change is found, by
// the number of runs on each side: the comparison itself, on runs that are made up.
func Power(w io.Writer) error {
	const rounds, noise = 100, .03
	t := table{Head: []string{"runs, baseline", "candidate", "false alarms", "+5%", "+10%", "+20%", "+100%", "one copy more"}}
	for _, n := range [][2]int{{1, 1}, {3, 3}, {5, 5}, {10, 10}, {5, 1}, {10, 1}, {10, 5}} {
		found := func(o trial) string {
			o.noise, o.base, o.candidate = noise, n[0], n[1]
			hits, few := 0, 0
			for round := range rounds {
				cs := trying(o, round)
				switch {
				case len(Failed(cs)) > 0:
					hits++
				case TooFew(cs) != "":
					few++
				}
			}
			switch {
			case few == rounds:
				return "too few"
			case few > 0:
				return fmt.Sprintf("%s (%s too few)", Share.Format(float64(hits)/rounds), Share.Format(float64(few)/rounds))
			}
			return Share.Format(float64(hits) / rounds)
		}
		t.Rows = append(t.Rows, []string{fmt.Sprint(n[0]), fmt.Sprint(n[1]), found(trial{}), found(trial{slower: .05}), found(trial{slower: .10}),
			found(trial{slower: .20}), found(trial{slower: 1}), found(trial{copies: 1})})
	}
	_, err := fmt.Fprintf(w, "%d trials a cell, %d metrics, %s noise from run to run:\n\n%s", rounds, gateMetrics, Share.Format(noise), t.markdown())
	return err
}

// normal draws a standard normal number.
func normal(s chance.Source, ids ...int) float64 {
	key := make([]uint64, len(ids))
	for i, id := range ids {
		key[i] = uint64(id)
	}
	u := min(max(s.Float(key...), 1e-12), 1-1e-12)
	return math.Sqrt2 * math.Erfinv(2*u-1)
}
