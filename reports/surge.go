package reports

import (
	"math"
	"slices"
	"time"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// surge returns where the planned load first rises above, and last falls back to, its calm rate.
func surge(phases []scenarios.Phase) (from, to time.Duration) {
	if len(phases) == 0 {
		return 0, 0
	}
	ends := func(p scenarios.Phase) (a, b float64) {
		if p.From.IsZero() && p.To.IsZero() {
			return p.Rate.PerSecond(), p.Rate.PerSecond()
		}
		return p.From.PerSecond(), p.To.PerSecond()
	}
	a, b := ends(phases[0])
	limit := backToCalm * (a + b) / 2
	from = -1
	t := time.Duration(0)
	for _, p := range phases {
		a, b := ends(p)
		cross := func() time.Duration { return t + time.Duration((limit-a)/(b-a)*float64(p.For)) }
		switch {
		case a > limit || b > limit:
			if from < 0 {
				from = t
				if a < limit {
					from = cross()
				}
			}
			to = t + p.For
			if b < limit {
				to = cross()
			}
		}
		t += p.For
	}
	if from < 0 {
		return 0, 0
	}
	return from, to
}

// scheduled lists when the messages were due.
func (d *Measured) scheduled() []time.Duration {
	out := make([]time.Duration, len(d.messages))
	for i := range d.messages {
		out[i] = d.messages[i].Scheduled
	}
	return out
}

const (
	mostBucket   = time.Minute // of a trace's arrivals; a sixtieth of a short one
	bucketsAhead = 5           // in a row, in which a surge has to show: single minutes scatter
	surgeTimes   = 2           // calm rates make a surge, and no chance does
	surgeErrors  = 5           // standard deviations of Poisson arrivals
)

// tracedSurge returns where the arrivals of a trace first rise above, and last fall back to, its calm rate: the rate that
// a quarter of the time stays below. 0, 0 where nothing sticks out.
func tracedSurge(at []time.Duration, end time.Duration) (from, to time.Duration) {
	bucket := min(mostBucket, end/60)
	if bucket <= 0 {
		return 0, 0
	}
	counts := make([]float64, int(end/bucket)+1)
	for _, t := range at {
		if i := int(t / bucket); t >= 0 && i < len(counts) {
			counts[i]++
		}
	}
	counts = counts[:end/bucket]
	spans := make([]float64, len(counts)-bucketsAhead+1)
	for i := range spans {
		for _, n := range counts[i : i+bucketsAhead] {
			spans[i] += n
		}
	}
	ordered := slices.Sorted(slices.Values(spans))
	calm := ordered[len(ordered)/4]
	limit := max(surgeTimes*calm, calm+surgeErrors*math.Sqrt(calm)+surgeErrors)
	first, last := -1, -1
	for i, n := range spans {
		for k := i; n > limit && k < i+bucketsAhead; k++ { // of the span, what is above its share of the limit
			if counts[k] > limit/bucketsAhead {
				last = k
				if first < 0 {
					first = k
				}
			}
		}
	}
	if first < 0 {
		return 0, 0
	}
	return time.Duration(first) * bucket, time.Duration(last+1) * bucket
}
