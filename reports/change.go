package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Verdicts of a change; those of a difference are words of their own.
const (
	same    = "~"       // no difference that counts
	better  = "better"  //
	worse   = "worse"   // fails the gate
	changed = "changed" // neither is better
	tooFew  = "too few" // runs, to see a difference if there is one
	gone    = "gone"    // measured on one side only
)

// Change is one metric on two sides.
type Change struct {
	Metric    string
	Where     string // phase and window of the threshold that it is looked at by; "" for the whole run
	Unit      Unit
	Tier      Tier
	Better    string
	Judged    bool      // it is key, or a threshold of the scenario looks at it
	Base      []float64 // a value for each run
	Candidate []float64
	P         float64 // of the test, after Holm's correction; NaN when none was made
	Needed    int     // runs a side, or pairs, to see the smallest change that counts; 0 when it is not known or was not asked
	Verdict   string
	Note      string
	Worse     bool // fails the gate

	wall bool // of runs on the wall's clock, which are not paired
}

// Name says which metric it is, and where it was looked at.
func (c Change) Name() string { return strings.TrimSpace(c.Metric + " " + c.Where) }

// harmful reports whether a count is one of harm: any more of it fails a gate. Other counts have to move by a share.
func harmful(metric string) bool {
	for _, p := range []string{"messages.", "duplicates.", "media.expired", "recovery."} {
		if strings.HasPrefix(metric, p) {
			return true
		}
	}
	return false
}

// harm reports whether any more of it, however little, is worse.
func (c *Change) harm() bool { return c.Tier == Exact && harmful(c.Metric) }

// center is what a side comes to: the mean of its runs, so that one copy more on one seed of many is not lost. Times on the
// wall's clock, which the machine makes up now and then, and what is never over are told by their median.
func (c *Change) center(v []float64) float64 {
	if c.wall && c.Tier != Exact || slices.ContainsFunc(v, isNever) {
		return median(v)
	}
	return mean(v)
}

// gap is how far the candidate is above the baseline: size and direction follow from it alone.
func (c *Change) gap() float64 { return c.center(c.Candidate) - c.center(c.Base) }

// effect is the size of the gap as a share of the baseline.
func (c *Change) effect() float64 {
	gap, b := math.Abs(c.gap()), math.Abs(c.center(c.Base))
	switch {
	case gap == 0:
		return 0
	case b == 0:
		return math.Inf(1)
	}
	return gap / b
}

// matters is the smallest difference that counts, in the metric's unit: a share of what there is, no less than a message or a
// millisecond. Tails on the wall's clock are as sure at twice the share as what stands at their middle.
func (c *Change) matters(a Asked) float64 {
	of := math.Abs(c.center(c.Base))
	if of == 0 {
		of = math.Abs(c.center(c.Candidate))
	}
	least := max(c.share(a)*of, smallest(c.Unit))
	if c.wall && c.Unit == Count {
		return max(least, 1)
	}
	return least
}

// share is the smallest difference that counts, as a share.
func (c *Change) share(a Asked) float64 {
	if c.wall && tail(c.Metric) {
		return 2 * a.Smallest
	}
	return a.Smallest
}

func tail(metric string) bool {
	i := strings.LastIndexByte(metric, '.')
	return slices.Contains([]string{"p90", "p95", "p99", "p999", "max"}, metric[i+1:])
}

// smallestTime is, in seconds, what no change is below.
const smallestTime = 0.001

// smallest is a difference too small to matter, whatever its share.
func smallest(u Unit) float64 {
	if u == Seconds {
		return smallestTime
	}
	return 0
}

// toWorse reports whether the candidate is on the worse side, by however little.
func (c *Change) toWorse() bool {
	return c.Better == "lower" && c.gap() > 0 || c.Better == "higher" && c.gap() < 0
}

// judge decides the direction of a difference that counts; for the worse it fails the gate.
func (c *Change) judge() {
	switch {
	case c.Better == "" || c.gap() == 0:
		c.Verdict = changed
	case c.toWorse():
		c.Verdict, c.Worse = worse, true
	default:
		c.Verdict = better
	}
}

// absent settles a metric that one side does not have.
func (c *Change) absent() bool {
	switch {
	case len(c.Base) > 0 && len(c.Candidate) > 0:
		return false
	case len(c.Base) == 0:
		c.Verdict, c.Note = gone, "measured in the candidate only"
	default:
		c.Verdict, c.Note = gone, "measured in the baseline only"
	}
	return true
}

// neverBefore judges what never happened in the baseline and happens now: it needs no test when it is harm.
func (c *Change) neverBefore() bool {
	if c.harm() && c.Better == "lower" && slices.Max(c.Base) == 0 && slices.Max(c.Candidate) > 0 {
		c.Verdict, c.Worse = worse, true
		if c.wall {
			c.Note = "never happened before: no test is needed"
		}
		return true
	}
	return false
}

// constant reports whether every run of both sides has the same value.
func (c *Change) constant() bool {
	for _, v := range slices.Concat(c.Base, c.Candidate) {
		if v != c.Base[0] {
			return false
		}
	}
	return true
}

// moved reports whether the sides differ in a way that counts.
func (c Change) moved() bool { return c.Verdict != same && c.Verdict != tooFew && c.Verdict != gone }

// untold reports whether something that counts for the verdict could not be told: too few runs, or no figure in the candidate.
func (c Change) untold() bool {
	return c.Judged && (c.Verdict == tooFew || c.Verdict == gone && len(c.Candidate) == 0)
}

// Delta writes the difference for people.
func (c Change) Delta() string {
	if !c.moved() {
		return same
	}
	b, m := c.center(c.Base), c.center(c.Candidate)
	switch {
	case isNever(m):
		return "to never"
	case isNever(b):
		return "from never"
	case b == 0 || c.Unit == Count || c.Unit == Truth:
		return signed(m-b, c.Unit)
	}
	return fmt.Sprintf("%+.1f%%", (m-b)/math.Abs(b)*100)
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
	if len(c.Base) == 0 || len(c.Candidate) == 0 {
		return c.Name() + ": " + c.Note
	}
	s := fmt.Sprintf("%s went from %s to %s", c.Name(), c.Unit.Format(c.center(c.Base)), c.Unit.Format(c.center(c.Candidate)))
	if c.moved() {
		s += " (" + c.Delta() + ", " + c.Verdict + ")"
	}
	return s
}

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
