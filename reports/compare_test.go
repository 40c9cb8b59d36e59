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
		} else if n >= enough(gateMetrics) && few != "" {
			t.Errorf("%d runs a side are enough: %s", n, few)
		}
		if cs := trying(trial{noise: .01, base: n, candidate: n, copies: 1}, n); len(Failed(cs)) == 0 {
			t.Errorf("%d runs a side: one copy more is not found", n)
		}
	}
}

// TestPairsAreComparedSeedBySeed: one seed of three that is slower is found, and a direction is one.
func TestPairsAreComparedSeedBySeed(t *testing.T) {
	c := Change{Metric: "delivery_time.p50", Unit: Seconds, Tier: Timing, Better: "lower", Base: []float64{2, 2, 2}, Candidate: []float64{2, 8, 2}, P: math.NaN(), Verdict: same}
	if c.exactly(); !c.Worse {
		t.Errorf("one of three seeds is four times slower: %+v", c)
	}
	c = Change{Metric: "attempts.amplification.peak", Unit: Times, Tier: Timing, Better: "lower", Base: []float64{6, 6, 1}, Candidate: []float64{4, 4, 9}, P: math.NaN(), Verdict: same}
	if c.exactly(); c.Worse != strings.HasPrefix(c.Delta(), "+") {
		t.Errorf("%s is told as worse: %v", c.Delta(), c.Worse)
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
		{"too few runs", "delivery_time.p50", steady[:3], times(2)[:3], "too few", false},
		{"five against five twice as slow, and nothing else", "delivery_time.p50", steady[:5], times(2)[:5], "worse", true},
		{"one run against ten", "delivery_time.p50", steady, times(2)[:1], "worse", true},
		{"one run like the ten", "delivery_time.p50", steady, steady[3:4], "~", false},
		{"one run against three", "delivery_time.p50", steady[:3], times(2)[:1], "too few", false},
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
	cs := []Change{{P: 0.01}, {P: 0.04}, {P: 0.03}, {P: math.NaN()}}
	for i := range cs {
		cs[i].Base, cs[i].Candidate = []float64{1}, []float64{1}
	}
	holm(cs)
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
