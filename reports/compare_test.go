package reports

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/internal/golden"
	"github.com/aftershock-dev/aftershock/reports/internal/synth"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// healthy is a quiet run that keeps its promises.
var healthy = synth.Options{Seed: 1, Scale: 0.03, Healthy: true}

func baselineOf(t testing.TB, o synth.Options) *Baseline {
	t.Helper()
	b, err := NewBaseline([]*Report{shared(t, o)}, true)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCompareInVirtualTime(t *testing.T) {
	base := baselineOf(t, healthy)
	for _, c := range []struct {
		name   string
		change func(*synth.Options)
		worse  []string // each has to be among those that got worse
	}{
		{"the same", func(*synth.Options) {}, nil},
		{"a tenth slower", func(o *synth.Options) { o.Slower = 0.10 }, []string{"response_time.p50"}},
		{"one copy more", func(o *synth.Options) { o.Extra = 1 }, []string{"duplicates.copies", "duplicates.messages", "duplicates.rate"}},
		{"an incident", func(o *synth.Options) { o.Healthy = false }, []string{"messages.expired", "delivery_time.p50", "attempts.amplification", "duplicates.copies"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := healthy
			c.change(&o)
			changes, err := Compare(base, baselineOf(t, o))
			if err != nil {
				t.Fatal(err)
			}
			failed := map[string]bool{}
			for _, f := range Failed(changes) {
				failed[f.Metric] = true
			}
			for _, m := range c.worse {
				if !failed[m] {
					t.Errorf("%s is not among those that got worse", m)
				}
			}
			if len(c.worse) == 0 && len(failed) > 0 {
				t.Errorf("got worse: %v", failed)
			}
		})
	}
}

func TestCompareRefuses(t *testing.T) {
	base := baselineOf(t, healthy)
	for name, change := range map[string]func(*Baseline){
		"loads":    func(b *Baseline) { b.Workload = "other" },
		"clock":    func(b *Baseline) { b.Clock = "wall" },
		"seeds":    func(b *Baseline) { b.Seeds = []int64{2} },
		"machines": func(b *Baseline) { b.Machine = "plan9/mips/1" },
	} {
		a, b := *base, *base
		if name == "machines" {
			a.Clock, b.Clock = "wall", "wall"
		}
		change(&b)
		_, err := Compare(&a, &b)
		var i *IncomparableError
		if !errors.As(err, &i) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := *base
	other.Machine = "plan9/mips/1"
	if _, err := Compare(base, &other); err != nil {
		t.Errorf("in virtual time the machine does not matter: %v", err)
	}
}

// onWall makes a comparison of two sides of runs on the wall clock.
func onWall(base, candidate map[string][]float64) (a, b *Baseline) {
	side := func(metrics map[string][]float64) *Baseline {
		n := 0
		for _, v := range metrics {
			n = len(v)
		}
		return &Baseline{Clock: "wall", Seeds: make([]int64, n), Digests: make([]string, n), Metrics: metrics}
	}
	return side(base), side(candidate)
}

// TestTooFewIsNeverNoDifference: five runs a side twice as slow in everything are told as too few, or found; never as no
// difference.
func TestTooFewIsNeverNoDifference(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 5, 6, 8, 10} {
		cs := trying(trial{noise: .01, slower: 1, base: n, candidate: n}, n)
		if few := TooFew(cs); len(Failed(cs)) == 0 && few == "" {
			t.Errorf("%d runs a side, twice as slow: no difference", n)
		} else if n >= 5 && few != "" {
			t.Errorf("%d runs a side are enough: %s", n, few)
		}
		if cs := trying(trial{noise: .3, base: n, candidate: n}, n); len(Failed(cs)) > 0 || TooFew(cs) == "" {
			t.Errorf("%d runs a side that scatter by 30 %%: %v, %q", n, Failed(cs), TooFew(cs))
		}
		if cs := trying(trial{noise: .01, base: n, candidate: n, copies: 1}, n); len(Failed(cs)) == 0 {
			t.Errorf("%d runs a side: one copy more is not found", n)
		}
	}
}

// TestPairsAreComparedSeedBySeed: one seed of three that is slower is found, and a direction is one.
func TestPairsAreComparedSeedBySeed(t *testing.T) {
	pair := func(metric string, tier Tier, base, candidate []float64) Change {
		unit := map[Tier]Unit{Timing: Seconds, Exact: Count}[tier]
		cs := []Change{{Metric: metric, Unit: unit, Tier: tier, Better: "lower", Judged: true, Base: base, Candidate: candidate, P: math.NaN(), Verdict: same}}
		paired(cs, Asked{}.on("virtual"))
		return cs[0]
	}
	for _, c := range []struct {
		name            string
		metric          string
		tier            Tier
		base, candidate []float64
		want            string
	}{
		{"one of three seeds is four times slower", "delivery_time.p50", Timing, []float64{2, 2, 2}, []float64{2, 8, 2}, worse},
		{"all a little slower", "delivery_time.p50", Timing, []float64{2, 2, 2}, []float64{2.05, 2.05, 2.05}, same},
		{"one copy more on one seed", "duplicates.copies", Exact, []float64{9, 5, 7}, []float64{9, 6, 7}, worse},
		{"seeds disagree, three of them", "delivery_time.p50", Timing, []float64{6, 6, 1}, []float64{4, 4, 9}, tooFew},
		{"seeds disagree about copies, more in all", "duplicates.copies", Exact, []float64{10, 10, 10, 10, 10, 10}, []float64{12, 9, 11, 9, 11, 10}, tooFew},
		{"seeds disagree about copies, far more in all", "duplicates.copies", Exact, []float64{10, 10, 10, 10, 10, 10}, []float64{42, 39, 9, 39, 41, 40}, worse},
		{"seeds disagree about copies, fewer in all, by chance", "duplicates.copies", Exact, []float64{900, 900, 900, 900, 900, 900}, []float64{902, 899, 899, 899, 899, 899}, same},
		{"half of them never any more", "delivery_time.p50", Timing, []float64{2, 2}, []float64{2, forever.Seconds()}, worse},
	} {
		if got := pair(c.metric, c.tier, c.base, c.candidate); got.Verdict != c.want || got.Worse != (c.want == worse) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// TestSeedsOfBothSidesAreCompared: what only one side has is left out, and said.
func TestSeedsOfBothSidesAreCompared(t *testing.T) {
	side := func(copies ...float64) *Baseline {
		b := &Baseline{Clock: "virtual", Tool: "v1", Metrics: map[string][]float64{"duplicates.copies": copies}}
		for i := range copies {
			b.Seeds, b.Digests = append(b.Seeds, int64(i+1)), append(b.Digests, "")
		}
		return b
	}
	base, candidate := side(3, 4, 5, 6), side(3, 4)
	candidate.Tool = "v2"
	changes, err := Compare(base, candidate)
	if err != nil || len(Failed(changes)) > 0 {
		t.Fatalf("%v, %v", changes, err)
	}
	text := NewComparison(base, candidate, changes).Text(false, false)
	for _, want := range []string{"left out of the baseline: 2 runs of seeds that the other side has no run of", "seeds 1, 2", "measured by v1, the candidate by v2"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said:\n%s", want, text)
		}
	}
	candidate.Metrics["duplicates.copies"][1] = 5
	if changes, err = Compare(base, candidate); err != nil || len(Failed(changes)) == 0 {
		t.Errorf("one copy more on a seed that both have: %v, %v", changes, err)
	}
	base.Arrivals, candidate.Arrivals = []string{"a", "b", "c", "d"}, []string{"a", "x"}
	if _, err := Compare(base, candidate); err == nil || !strings.Contains(err.Error(), "seed 2") {
		t.Errorf("another trace under the same name: %v", err)
	}
	wall, two := side(1, 1, 1), side(1, 1)
	wall.Clock, two.Clock, wall.Seeds, two.Seeds = "wall", "wall", []int64{1, 1, 2}, []int64{1, 2}
	if _, err := Compare(wall, two); err == nil || !strings.Contains(err.Error(), "differ by their loads") {
		t.Errorf("seeds that weigh differently: %v", err)
	}
}

// TestWhatOneSideLacksIsSaid: a figure that counts and that the candidate has not is no pass.
func TestWhatOneSideLacksIsSaid(t *testing.T) {
	base := &Baseline{Clock: "virtual", Seeds: []int64{1}, Digests: []string{""}, Metrics: map[string][]float64{"delivery_time.p50": {1}, "work.wasted": {1}}}
	candidate := *base
	candidate.Metrics = map[string][]float64{"delivery_time.p50": {1}, "send.latency.p50": {2}}
	changes, err := Compare(base, &candidate)
	if err != nil {
		t.Fatal(err)
	}
	if c := NewComparison(base, &candidate, changes); c.ExitCode != ExitMet || !strings.Contains(c.Text(false, false), "work.wasted (measured in the baseline only)") {
		t.Errorf("exit %d\n%s", c.ExitCode, c.Text(false, false))
	}
	base.Judged = map[string]Judged{"waste": {Metric: "work.wasted"}}
	if changes, err = Compare(base, &candidate); err != nil {
		t.Fatal(err)
	}
	if c := NewComparison(base, &candidate, changes); c.ExitCode != ExitInvalid || !strings.Contains(c.Text(false, false), "the candidate has no work.wasted") {
		t.Errorf("exit %d\n%s", c.ExitCode, c.Text(false, false))
	}
}

// TestThresholdsAreComparedInTheirWindow: what got worse in a phase shows, whatever the whole run comes to.
func TestThresholdsAreComparedInTheirWindow(t *testing.T) {
	side := func(v float64) *Baseline {
		return &Baseline{Clock: "virtual", Seeds: []int64{1}, Digests: []string{""}, Metrics: map[string][]float64{"delivery_time.p99": {9}},
			Judged: map[string]Judged{"quick": {"delivery_time.p99", "during surge"}}, Thresholds: map[string][]float64{"quick": {v}}}
	}
	changes, err := Compare(side(2), side(3))
	if f := Failed(changes); err != nil || len(f) != 1 || f[0].Name() != "delivery_time.p99 during surge" {
		t.Errorf("%v, %v", changes, err)
	}
}

// TestAsked: significance and the smallest change that counts are the asker's.
func TestAsked(t *testing.T) {
	if _, err := ParseAsked("2", ""); err == nil || !strings.Contains(err.Error(), "--alpha") {
		t.Errorf("%v", err)
	}
	if _, err := ParseAsked("", "0"); err == nil || !strings.Contains(err.Error(), "--smallest") {
		t.Errorf("%v", err)
	}
	asked, err := ParseAsked("5%", "1.5")
	if err != nil || asked != (Asked{0.05, 1.5}) {
		t.Fatalf("%v, %v", asked, err)
	}
	a, b := baselineOf(t, healthy), baselineOf(t, synth.Options{Seed: 1, Scale: 0.03, Healthy: true, Slower: 0.2})
	a.Asked = asked
	changes, err := Compare(a, b)
	if err != nil || len(Failed(changes)) > 0 {
		t.Errorf("20 %% slower, and 150 %% asked for: %v, %v", Failed(changes), err)
	}
}

// TestBaselineKnowsItsMetric: a baseline of another metric, phase or window under the same id judges nothing.
func TestBaselineKnowsItsMetric(t *testing.T) {
	b := &Baseline{Thresholds: map[string][]float64{"quick": {3}}, Judged: map[string]Judged{"quick": {Metric: "delivery_time.p999"}}}
	th := scenarios.Threshold{ID: "quick", Metric: "delivery_time.p50"}
	if _, err := b.threshold(th); err == nil || !strings.Contains(err.Error(), "delivery_time.p999") {
		t.Errorf("another metric: %v", err)
	}
	th.Metric = "delivery_time.p999"
	if v, err := b.threshold(th); err != nil || v != 3 {
		t.Errorf("%v %v", v, err)
	}
	th.During = "surge"
	if _, err := b.threshold(th); err == nil {
		t.Error("another phase is taken")
	}
	b.Judged = nil // a baseline of an older version
	if _, err := b.threshold(th); err != nil {
		t.Error(err)
	}
}

func TestCompareOnTheWallClock(t *testing.T) {
	steady := []float64{1, 1.01, 0.99, 1.02, 0.98, 1.005, 0.995, 1.01, 0.99, 1}
	times := func(f float64) []float64 {
		out := make([]float64, len(steady))
		for i, v := range steady {
			out[i] = v * f
		}
		return out
	}
	zero, one := make([]float64, 10), append(make([]float64, 9), 1)
	for _, c := range []struct {
		name            string
		metric          string
		base, candidate []float64
		want            string
		worse           bool
	}{
		{"the same", "delivery_time.p50", steady, steady, "~", false},
		{"5 % is within tolerance", "delivery_time.p50", steady, times(1.05), "~", false},
		{"30 % slower", "delivery_time.p50", steady, times(1.3), "worse", true},
		{"30 % faster", "delivery_time.p50", steady, times(0.7), "better", false},
		{"a first duplicate", "duplicates.copies", zero, one, "worse", true},
		{"two runs twice as slow", "delivery_time.p50", []float64{1, 1.2}, []float64{2, 2.2}, "too few", false},
		{"five that scatter", "delivery_time.p50", []float64{1, 1.5, 2, 1.2, 1.8}, []float64{1.1, 1.4, 2.1, 1.3, 1.7}, "too few", false},
		{"five against five twice as slow, and nothing else", "delivery_time.p50", steady[:5], times(2)[:5], "worse", true},
		{"one run against ten", "delivery_time.p50", steady, times(2)[:1], "worse", true},
		{"one run like the ten", "delivery_time.p50", steady, steady[3:4], "~", false},
		{"one run against two", "delivery_time.p50", steady[:2], times(1.1)[:1], "too few", false},
		{"one run against one", "delivery_time.p50", steady[:1], times(2)[:1], "too few", false},
		{"ten against seven", "delivery_time.p50", steady, times(1.3)[:7], "worse", true},
		{"nobody's metric", "send.latency.p50", steady, times(2), "~", false},
	} {
		a, b := onWall(map[string][]float64{c.metric: c.base}, map[string][]float64{c.metric: c.candidate})
		changes, err := Compare(a, b)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) != 1 || changes[0].Verdict != c.want || changes[0].Worse != c.worse {
			t.Errorf("%s: %+v", c.name, changes)
		}
	}
}

func TestHolm(t *testing.T) {
	cs := []*Change{{P: 0.01}, {P: 0.04}, {P: 0.03}}
	if level := holm(cs, 0.03); math.Abs(level-0.01) > 1e-12 {
		t.Errorf("the strictest test's level is %v", level)
	}
	for i, want := range []float64{0.03, 0.06, 0.06} {
		if math.Abs(cs[i].P-want) > 1e-12 {
			t.Errorf("p %d = %v, want %v", i, cs[i].P, want)
		}
	}
}

func TestBaselineInAFile(t *testing.T) {
	b := baselineOf(t, healthy)
	path := filepath.Join(t.TempDir(), "baseline.json")
	if err := b.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := LoadBaseline(path)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := Compare(b, again)
	if err != nil || len(changes) < 50 || len(Failed(changes)) > 0 {
		t.Errorf("%d metrics, %v, %v", len(changes), Failed(changes), err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 32<<10 {
		t.Errorf("the file of one run: %v, %v", info.Size(), err)
	}
	missed := healthy
	missed.Extra = 1
	if _, err := NewBaseline([]*Report{shared(t, missed)}, false); err == nil {
		t.Error("a run that missed its thresholds became a baseline")
	}
	for _, text := range []string{"", "{}", `{"schema":"aftershock.baseline/v1","seeds":[1],"digests":["x"],"metrics":{"a":[1,2]}}`, `{"schema":"aftershock.baseline/v1"}`} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if b, err := LoadBaseline(path); err == nil {
			t.Errorf("%q was read as %+v", text, b)
		}
	}
}

func TestRunAgainstABaselineRebuildsAlike(t *testing.T) {
	o := healthy
	o.Slower = 0.2
	r := built(t, o)
	if r.Verdict != Met {
		t.Fatalf("%s", r.Verdict)
	}
	if err := r.Against(baselineOf(t, healthy)); err != nil {
		t.Fatal(err)
	}
	if r.Verdict != Missed || r.ExitCode != ExitMissed || r.Summary().Baseline == nil {
		t.Errorf("20 %% slower than the baseline: %s, exit %d", r.Verdict, r.ExitCode)
	}
	again, err := Open(r.data.run.Dir)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := r.Summary().JSON()
	b, _ := again.Summary().JSON()
	if string(a) != string(b) {
		t.Error("the comparison is gone when the report is rebuilt")
	}
	kept := filepath.Join(r.data.run.Dir, FileBaseline)
	lenient := baselineOf(t, o)
	for what, spoil := range map[string]func() error{
		"gone":    func() error { return os.Remove(kept) },
		"another": func() error { return lenient.Save(kept) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if r, err := Open(r.data.run.Dir); err != nil || r.Verdict == Met || !strings.Contains(strings.Join(r.Reasons, " "), "baseline.json") {
			t.Errorf("the baseline is %s: %v, %v", what, r.Verdict, err)
		}
		if err := r.Against(baselineOf(t, healthy)); err != nil || r.Verdict != Missed {
			t.Errorf("judged again: %s %v, %v", r.Verdict, r.Reasons, err)
		}
	}
	other := baselineOf(t, synth.Options{Seed: 2, Scale: 0.03, Healthy: true})
	var i *IncomparableError
	if err := r.Against(other); !errors.As(err, &i) {
		t.Errorf("a baseline of another seed: %v", err)
	}
}

func TestComparisonIsGolden(t *testing.T) {
	o := healthy
	o.Slower, o.Extra = 0.2, 1
	a, b := baselineOf(t, healthy), baselineOf(t, o)
	changes, err := Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("testdata", "compare.txt"), []byte(NewComparison(a, b, changes).Text(false, false)))
}
