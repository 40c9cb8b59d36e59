package reports

import (
	"fmt"
	"math"

	"github.com/aclements/go-moremath/stats"
)

// keyMetrics are what runs on the wall's clock are tested for, beside the metrics that the scenario judges. A test of each
// of a hundred metrics has to be corrected for a hundred, and then finds nothing in ten runs; the others are shown.
var keyMetrics = map[string]bool{
	"messages.delivered": true, "messages.harmed": true, "messages.expired": true, "duplicates.copies": true,
	"delivery_time.p50": true, "delivery_time.p99": true, "response_time.p50": true, "response_time.p99": true, "attempts.amplification": true,
}

// Verdicts of a change that are no difference.
const (
	same   = "~"
	tooFew = "too few" // runs, to see a difference if there is one
	gone   = "gone"    // measured on one side only
)

// smallestP is the smallest p that a rank test of n against m runs can come to: all of one side below all of the other.
func smallestP(n, m int) float64 {
	lg := func(k int) float64 { v, _ := math.Lgamma(float64(k + 1)); return v }
	return min(1, 2*math.Exp(lg(n)+lg(m)-lg(n+m)))
}

// enough is how many runs a side it takes until the strictest of so many tests can find anything.
func enough(tests int) int {
	for n := 2; ; n++ {
		if smallestP(n, n)*float64(tests) < alpha {
			return n
		}
	}
}

// inFamily reports whether a metric is tested: it is key, or judged by the scenario, and not the same in every run.
func inFamily(c *Change, judged map[string]Judged) bool {
	if !keyMetrics[c.Metric] && !judges(judged, c.Metric) {
		return false
	}
	first := c.Base[0]
	for _, side := range [][]float64{c.Base, c.Candidate} {
		for _, v := range side {
			if v != first {
				return true
			}
		}
	}
	return false
}

func judges(judged map[string]Judged, metric string) bool {
	for _, j := range judged {
		if j.Metric == metric {
			return true
		}
	}
	return false
}

// fewestForOne is how many runs a baseline needs before one run can be set against it.
const fewestForOne = 5

// against sets one run against the interval in which the next run of the baseline would lie, at alpha over so many tests:
// Student's, for runs of one program on one machine are alike and independent.
func (c *Change) against(tests int) {
	n := float64(len(c.Base))
	mean := total(c.Base) / n
	var square float64
	for _, v := range c.Base {
		square += (v - mean) * (v - mean)
	}
	half := stats.InvCDF(stats.TDist{V: n - 1})(1-alpha/2/float64(tests)) * math.Sqrt(square/(n-1)*(1+1/n))
	if d := math.Abs(c.Candidate[0] - mean); d > half && c.effect() > machineTolerance && c.gap() > smallest(c.Unit) {
		c.judge()
	}
}

// testFamily tests the metrics that count of runs on the wall's clock.
func testFamily(cs []Change, judged map[string]Judged) {
	var family []*Change
	for i := range cs {
		switch c := &cs[i]; {
		case c.neverBefore():
		case inFamily(c, judged):
			family = append(family, c)
		case c.Verdict == same:
			c.Note = "shown, not tested"
		}
	}
	for _, c := range family {
		n, m := len(c.Base), len(c.Candidate)
		switch {
		case m == 1 && n >= fewestForOne:
			c.against(len(family))
		case m == 1:
			c.Verdict, c.Note = tooFew, fmt.Sprintf("one run is set against %d or more", fewestForOne)
		case smallestP(n, m)*float64(len(family)) >= alpha:
			c.Verdict, c.Note = tooFew, fmt.Sprintf("%d runs a side tell", enough(len(family)))
		default:
			c.ranks()
		}
	}
	holm(cs)
}

// TooFew says how many runs it takes when a comparison found nothing and could not have: "" when it could.
func TooFew(cs []Change) string {
	if len(Failed(cs)) > 0 {
		return ""
	}
	for _, c := range cs {
		if c.Verdict == tooFew {
			return fmt.Sprintf("too few runs to tell: %d against %d; %s", len(c.Base), len(c.Candidate), c.Note)
		}
	}
	return ""
}
