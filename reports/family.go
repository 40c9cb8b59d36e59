package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/reports/internal/odds"
)

// keyMetrics are what runs are tested for, beside the metrics that the scenario judges. A test of each of a hundred metrics
// has to be corrected for a hundred, and then finds nothing in ten runs; the others are shown.
var keyMetrics = map[string]bool{
	"messages.delivered": true, "messages.harmed": true, "messages.expired": true, "duplicates.copies": true,
	"delivery_time.p50": true, "delivery_time.p99": true, "response_time.p50": true, "response_time.p99": true, "attempts.amplification": true,
}

func judges(judged map[string]Judged, metric string) bool {
	for _, j := range judged {
		if j.Metric == metric {
			return true
		}
	}
	return false
}

// testFamily compares runs on the wall's clock, where runs of one program differ: the metrics that count are tested.
func testFamily(cs []Change, a Asked) {
	var tested []*Change
	for i := range cs {
		c := &cs[i]
		c.wall = true
		switch {
		case c.absent(), c.constant(), c.neverBefore():
		case c.Judged:
			tested = append(tested, c)
		default:
			c.Note = "shown, not tested"
		}
	}
	level := a.Alpha / float64(max(1, len(tested)))
	for _, c := range tested {
		c.P = odds.Apart(c.Base, c.Candidate, level)
	}
	holm(tested, a.Alpha)
	for _, c := range tested {
		enough := odds.Enough(c.Base, c.Candidate, c.matters(a), level)
		if c.settle(a, enough); c.Verdict == tooFew {
			c.Needed = odds.Needed(c.Base, c.Candidate, c.matters(a), level)
		}
	}
}

// holm corrects the tests' p-values for how many there were (Holm 1979), and returns the level of the strictest.
func holm(tested []*Change, alpha float64) float64 {
	order := slices.Clone(tested)
	slices.SortStableFunc(order, func(x, y *Change) int {
		switch {
		case x.P < y.P:
			return -1
		case x.P > y.P:
			return 1
		}
		return 0
	})
	highest := 0.0
	for rank, c := range order {
		highest = max(highest, min(1, c.P*float64(len(order)-rank)))
		c.P = highest
	}
	return alpha / float64(max(1, len(tested)))
}

// TooFew says what a comparison that found nothing could not tell, and how many runs it takes: "" when it told all.
func TooFew(cs []Change) string {
	if len(Failed(cs)) > 0 {
		return ""
	}
	var few, missing []string
	needed, most := 0, Change{}
	for _, c := range cs {
		switch {
		case !c.untold():
		case c.Verdict == gone:
			missing = append(missing, c.Name())
		default:
			few = append(few, c.Name())
			if most.Metric == "" || c.Needed > needed || c.Needed == 0 {
				needed, most = c.Needed, c
			}
		}
	}
	var parts []string
	if len(few) > 0 {
		parts = append(parts, fmt.Sprintf("too few runs to tell about %s: %s; %s", some(few), most.sizes(), most.neededWords()))
	}
	if len(missing) > 0 {
		parts = append(parts, fmt.Sprintf("the candidate has no %s", some(missing)))
	}
	return strings.Join(parts, "; ")
}

// sizes says how many runs there are.
func (c Change) sizes() string {
	if c.wall {
		return fmt.Sprintf("%d against %d", len(c.Base), len(c.Candidate))
	}
	return plural(len(c.Base), "seed")
}

// neededWords says how many runs it takes.
func (c Change) neededWords() string {
	side := map[bool]string{true: " runs a side", false: " seeds"}[c.wall]
	switch {
	case c.Needed == 0:
		return "how far they scatter is not known; with 5" + side + " it can be told how many it takes (--runs 5)"
	case c.Needed >= odds.Most:
		return "they scatter too far for that: ask for a larger change (--smallest)"
	case c.Needed <= max(len(c.Base), len(c.Candidate)) && !c.wall:
		return "there is more of it, by no more than chance gives: more seeds tell"
	}
	return fmt.Sprintf("it takes %d%s (--runs %d), or a larger --smallest", c.Needed, side, c.Needed)
}

// some names a few of many.
func some(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// windowed lists the metrics that thresholds of both sides look at in a phase or a window; what they look at over the whole
// run is there already.
func windowed(base, candidate *Baseline) []Change {
	var out []Change
	for _, id := range sortedIDs(base.Judged) {
		j := base.Judged[id]
		m, err := Metric(j.Metric)
		b, c := base.Thresholds[id], candidate.Thresholds[id]
		if err != nil || j.When == "" || candidate.Judged[id] != j || strings.Contains(j.When, "for ") || len(b) == 0 || len(c) == 0 {
			continue
		}
		out = append(out, Change{Metric: m.Name, Where: j.When, Unit: m.Unit, Tier: m.Tier, Better: m.Better, Judged: true, Base: b, Candidate: c, P: math.NaN(), Verdict: same})
	}
	return out
}

func sortedIDs(judged map[string]Judged) []string {
	ids := make([]string, 0, len(judged))
	for id := range judged {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
