package reports

import (
	"fmt"
	"math"
	"slices"
)

// IncomparableError says why two sides cannot be compared.
type IncomparableError struct{ err error }

func (e *IncomparableError) Error() string { return "cannot be compared: " + e.err.Error() }
func (e *IncomparableError) Unwrap() error { return e.err }

// Compare sets a candidate against a baseline, metric by metric, as the baseline is Asked for. Runs in virtual time are paired
// by their seeds: counts of harm are compared exactly, everything else by its size. On the wall clock, where runs of one program
// differ, the metrics that the scenario judges and a short list of others are tested; a difference counts when chance does not
// explain it and it is large enough. Where the runs are too few to find the smallest change that counts, that is what it says.
func Compare(base, candidate *Baseline) ([]Change, error) {
	err := mayCompare(base, candidate)
	if err == nil {
		err = alike(align(base, candidate))
	}
	if err != nil {
		return nil, &IncomparableError{err}
	}
	b, c := align(base, candidate)
	out := windowed(b, c)
	for _, m := range Metrics() {
		bv, cv := b.Metrics[m.Name], c.Metrics[m.Name]
		if len(bv) == 0 && len(cv) == 0 {
			continue
		}
		out = append(out, Change{Metric: m.Name, Unit: m.Unit, Tier: m.Tier, Better: m.Better, Base: bv, Candidate: cv, P: math.NaN(), Verdict: same,
			Judged: keyMetrics[m.Name] || judges(b.Judged, m.Name) || judges(c.Judged, m.Name)})
	}
	asked := base.Asked.on(b.Clock)
	if b.Clock == "wall" {
		testFamily(out, asked)
	} else {
		paired(out, asked)
	}
	return out, nil
}

// mayCompare refuses sides that have nothing in common.
func mayCompare(a, b *Baseline) error {
	switch {
	case a.Workload != b.Workload:
		return fmt.Errorf("the scenarios ask for different loads (%s and %s, or the file was changed): save a new baseline", a.Scenario, b.Scenario)
	case a.Clock != b.Clock:
		return fmt.Errorf("one ran on the %s clock, the other on the %s clock", a.Clock, b.Clock)
	case a.Clock == "wall" && a.Machine != b.Machine:
		return fmt.Errorf("on the wall clock figures of different machines say nothing: %s and %s", a.Machine, b.Machine)
	case len(common(a.Seeds, b.Seeds)) == 0:
		return fmt.Errorf("the seeds differ: %s and %s", joinSeeds(a.Seeds), joinSeeds(b.Seeds))
	}
	return nil
}

// align cuts two sides to the seeds that both have.
func align(base, candidate *Baseline) (b, c *Baseline) {
	seeds := common(base.Seeds, candidate.Seeds)
	return base.cut(seeds), candidate.cut(seeds)
}

// notesOn says what was left out of a comparison, or is worth knowing about it.
func notesOn(base, candidate *Baseline) []string {
	notes := []string{}
	b, c := align(base, candidate)
	for _, s := range []struct {
		name      string
		all, kept *Baseline
	}{{"baseline", base, b}, {"candidate", candidate, c}} {
		if left := s.all.without(s.kept); left != "" {
			notes = append(notes, fmt.Sprintf("left out of the %s: %s", s.name, left))
		}
	}
	if base.Tool != candidate.Tool {
		notes = append(notes, fmt.Sprintf("the baseline was measured by %s, the candidate by %s", orNone(base.Tool), orNone(candidate.Tool)))
	}
	return notes
}

// alike refuses sides of the same seeds that were not offered the same: traces of one name with other arrivals, or groups in
// which the seeds do not weigh alike, so that they would differ by their loads.
func alike(b, c *Baseline) error {
	for i, s := range b.Seeds {
		j := slices.Index(c.Seeds, s)
		if len(b.Arrivals) > 0 && len(c.Arrivals) > 0 && b.Arrivals[i] != c.Arrivals[j] {
			return fmt.Errorf("the messages of seed %d differ, though the scenarios read alike: the trace was changed", s)
		}
		if n, m := count(b.Seeds, s), count(c.Seeds, s); n*len(c.Seeds) != m*len(b.Seeds) {
			return fmt.Errorf("seed %d is %d of %d runs of one side and %d of %d of the other: they would differ by their loads", s, n, len(b.Seeds), m, len(c.Seeds))
		}
	}
	return nil
}

// without says which runs a side has that its part has not: seeds that the other side lacks, and in virtual time, where a seed
// gives the same run each time, repeats.
func (b *Baseline) without(part *Baseline) string {
	var lonely []int64
	for _, s := range distinct(b.Seeds) {
		if !slices.Contains(part.Seeds, s) {
			lonely = append(lonely, s)
		}
	}
	repeats := 0
	for _, s := range b.Seeds {
		if slices.Contains(part.Seeds, s) {
			repeats++
		}
	}
	repeats -= len(part.Seeds)
	switch {
	case len(lonely) > 0 && repeats > 0:
		return fmt.Sprintf("%s of seeds that the other side has no run of (%s), and %s of a seed", plural(len(lonely), "run"), joinSeeds(lonely), plural(repeats, "repeat"))
	case len(lonely) > 0:
		return fmt.Sprintf("%s of seeds that the other side has no run of (%s)", plural(len(b.Seeds)-len(part.Seeds), "run"), joinSeeds(lonely))
	case repeats > 0:
		return fmt.Sprintf("%s of a seed that has another", plural(repeats, "run"))
	}
	return ""
}

func count(seeds []int64, s int64) (n int) {
	for _, x := range seeds {
		if x == s {
			n++
		}
	}
	return n
}

// common lists the seeds that both sides have, each once.
func common(a, b []int64) []int64 {
	return slices.DeleteFunc(distinct(a), func(s int64) bool { return !slices.Contains(b, s) })
}

// distinct lists seeds once each; on the wall's clock a seed may have been run any number of times on each side.
func distinct(seeds []int64) []int64 { return slices.Compact(slices.Sorted(slices.Values(seeds))) }

// Comparison sets the run against its baseline; nil without one.
func (r *Report) Comparison() []Change { return r.changes }
