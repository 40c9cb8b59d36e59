package reports

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"golang.org/x/perf/benchmath"
)

// How far apart two values must be before the difference means something.
const (
	timingTolerance  = 0.05  // of what the scenario decides: the same seed gives the same value until somebody changes it
	machineTolerance = 0.10  // of what the machine decides, and at least the baseline's own noise
	alpha            = 0.01  // of all tests together, by Holm
	smallestTime     = 0.001 // seconds; a change of less is not one
)

// Change is one metric on two sides.
type Change struct {
	Metric    string
	Unit      Unit
	Tier      Tier
	Better    string
	Base      []float64 // a value for each seed
	Candidate []float64
	P         float64 // of the rank test, after Holm's correction; NaN when none was made
	Verdict   string  // "~" no difference, "better", "worse", "changed", "too few" runs to tell, "gone" on one side
	Note      string
	Worse     bool // fails the gate
}

// IncomparableError says why two sides cannot be compared.
type IncomparableError struct{ err error }

func (e *IncomparableError) Error() string { return "cannot be compared: " + e.err.Error() }
func (e *IncomparableError) Unwrap() error { return e.err }

// Compare sets a candidate against a baseline, metric by metric. Counts of harm are compared exactly, what the
// scenario's own delays decide within 5 %, seed by seed. On the wall clock, where runs of one program differ, the metrics
// that the scenario judges and a short list of others are tested, at 1 % over all of them, by ranks or, for one run
// against several, by the interval in which the next one would lie; a difference counts when it is larger than 10 % and than
// the baseline's own spread. Where the runs are too few to find anything, that is what it says.
func Compare(base, candidate *Baseline) ([]Change, error) {
	if err := mayCompare(base, candidate); err != nil {
		return nil, &IncomparableError{err}
	}
	var out []Change
	for _, m := range Metrics() {
		b, c := base.Metrics[m.Name], candidate.Metrics[m.Name]
		if len(b) == 0 && len(c) == 0 {
			continue
		}
		if len(b) == 0 || len(c) == 0 {
			side := map[bool]string{true: "candidate", false: "baseline"}[len(b) == 0]
			out = append(out, Change{Metric: m.Name, Unit: m.Unit, Tier: m.Tier, Better: m.Better, Base: b, Candidate: c, P: math.NaN(), Verdict: gone, Note: "measured in the " + side + " only"})
			continue
		}
		ch := Change{Metric: m.Name, Unit: m.Unit, Tier: m.Tier, Better: m.Better, Base: b, Candidate: c, P: math.NaN(), Verdict: same}
		if base.Clock != "wall" {
			ch.exactly()
		}
		out = append(out, ch)
	}
	if base.Clock == "wall" {
		testFamily(out, candidate.Judged)
	}
	return out, nil
}

func mayCompare(a, b *Baseline) error {
	switch {
	case a.Workload != b.Workload:
		return fmt.Errorf("the scenarios ask for different loads (%s and %s, or the file was changed): save a new baseline", a.Scenario, b.Scenario)
	case a.Clock != b.Clock:
		return fmt.Errorf("one ran on the %s clock, the other on the %s clock", a.Clock, b.Clock)
	case a.Clock == "wall" && a.Machine != b.Machine:
		return fmt.Errorf("on the wall clock figures of different machines say nothing: %s and %s", a.Machine, b.Machine)
	case a.Clock == "wall" && slices.Equal(distinct(a.Seeds), distinct(b.Seeds)):
	case !slices.Equal(a.Seeds, b.Seeds):
		return fmt.Errorf("the seeds differ: %s and %s", joinSeeds(a.Seeds), joinSeeds(b.Seeds))
	}
	return nil
}

// distinct lists seeds once each; on the wall's clock a seed may have been run any number of times on each side.
func distinct(seeds []int64) []int64 { return slices.Compact(slices.Clone(seeds)) }

// exactly compares runs in virtual time, seed by seed: whatever differs was changed by somebody.
func (c *Change) exactly() {
	switch c.Tier {
	case Machine:
		c.Note = "depends on the machine"
		return
	case Exact:
		if slices.Equal(c.Base, c.Candidate) {
			return
		}
		if harmful(c.Metric) || c.farthest() > timingTolerance {
			c.judge()
		}
	default:
		if c.farthest() > timingTolerance {
			c.judge()
		}
	}
}

// farthest is the largest difference of a seed from itself, as a share; differences too small to matter count as none.
func (c *Change) farthest() (most float64) {
	for i, b := range c.Base {
		d := math.Abs(c.Candidate[i] - b)
		switch {
		case d <= smallest(c.Unit):
		case b == 0:
			return math.Inf(1)
		default:
			most = max(most, d/math.Abs(b))
		}
	}
	return most
}

// harmful reports whether a count is one of harm: any more of it fails a gate. Other counts have to move by 5 %.
func harmful(metric string) bool {
	for _, p := range []string{"messages.", "duplicates.", "media.expired", "recovery."} {
		if strings.HasPrefix(metric, p) {
			return true
		}
	}
	return false
}

// judge decides the direction of a difference that counts; for the worse it fails the gate.
func (c *Change) judge() {
	b, m := median(c.Base), median(c.Candidate)
	if b == m || len(c.Base) == len(c.Candidate) && harmful(c.Metric) { // one copy more on one seed of many is one more
		b, m = total(c.Base), total(c.Candidate)
	}
	worse := c.Better == "lower" && m > b || c.Better == "higher" && m < b
	switch {
	case c.Better == "" || b == m:
		c.Verdict = "changed"
	case worse:
		c.Verdict, c.Worse = "worse", true
	default:
		c.Verdict = "better"
	}
}

func total(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum
}

// smallest is a difference too small to matter, whatever its share.
func smallest(u Unit) float64 {
	if u == Seconds {
		return smallestTime
	}
	return 0
}

// gap is the distance of the medians.
func (c *Change) gap() float64 { return math.Abs(median(c.Candidate) - median(c.Base)) }

// effect is the distance of the medians as a share of the baseline's.
func (c *Change) effect() float64 {
	b := math.Abs(median(c.Base))
	if b == 0 {
		if c.gap() == 0 {
			return 0
		}
		return math.Inf(1)
	}
	return c.gap() / b
}

// noise is the spread of the baseline's own runs: half its interquartile range, as a share of its median.
func (c *Change) noise() float64 {
	v := slices.Clone(c.Base)
	sort.Float64s(v)
	m := math.Abs(median(v))
	if m == 0 {
		return 0
	}
	return (percentileFloat(v, 0.75) - percentileFloat(v, 0.25)) / 2 / m
}

// neverBefore judges what never happened in the baseline and happens now: it needs no test when it is harm.
func (c *Change) neverBefore() bool {
	if len(c.Base) == 0 || len(c.Candidate) == 0 {
		return true
	}
	if c.Tier == Exact && harmful(c.Metric) && c.Better == "lower" && slices.Max(c.Base) == 0 && slices.Max(c.Candidate) > 0 {
		c.Verdict, c.Worse, c.Note = "worse", true, "never happened before"
		return true
	}
	return false
}

// ranks compares the runs of two sides by a rank test.
func (c *Change) ranks() {
	t := benchmath.DefaultThresholds
	a, b := benchmath.NewSample(slices.Clone(c.Base), &t), benchmath.NewSample(slices.Clone(c.Candidate), &t)
	c.P = benchmath.AssumeNothing.Compare(a, b).P
}

// holm corrects the tests' p-values for how many there were (Holm 1979) and judges them.
func holm(cs []Change) {
	var tested []int
	for i := range cs {
		if !math.IsNaN(cs[i].P) {
			tested = append(tested, i)
		}
	}
	sort.SliceStable(tested, func(i, j int) bool { return cs[tested[i]].P < cs[tested[j]].P })
	highest := 0.0
	for rank, i := range tested {
		c := &cs[i]
		highest = max(highest, min(1, c.P*float64(len(tested)-rank)))
		c.P = highest
		if c.P < alpha && c.effect() > max(machineTolerance, c.noise()) && c.gap() > smallest(c.Unit) {
			c.judge()
		}
	}
}

// moved reports whether the sides differ in a way that counts.
func (c Change) moved() bool { return c.Verdict != same && c.Verdict != tooFew && c.Verdict != gone }

// Delta writes the difference of the medians for people.
func (c Change) Delta() string {
	b, m := median(c.Base), median(c.Candidate)
	switch {
	case !c.moved():
		return same
	case isNever(m):
		return "to never"
	case isNever(b):
		return "from never"
	case b == 0 || c.Unit == Count || c.Unit == Truth:
		return signed(m-b, c.Unit)
	}
	d := (m - b) / math.Abs(b) * 100
	return fmt.Sprintf("%+.1f%%", d)
}

func signed(v float64, u Unit) string {
	s := u.Format(v)
	if u == Share {
		s = significant(v*100) + " points"
	}
	if v > 0 {
		return "+" + s
	}
	return s
}

// Sentence says the change in words.
func (c Change) Sentence() string {
	s := fmt.Sprintf("%s went from %s to %s", c.Metric, c.Unit.Format(median(c.Base)), c.Unit.Format(median(c.Candidate)))
	if c.moved() {
		s += " (" + c.Delta() + ", " + c.Verdict + ")"
	}
	return s
}

// Comparison sets the run against its baseline; nil without one.
func (r *Report) Comparison() []Change { return r.changes }

// Failed lists the changes that fail a gate.
func Failed(cs []Change) []Change {
	var out []Change
	for _, c := range cs {
		if c.Worse {
			out = append(out, c)
		}
	}
	return out
}
