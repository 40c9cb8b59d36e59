package dash

import (
	"math"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Trend is where the backlog goes.
type Trend string

// The trends.
const (
	Unknown  Trend = "NO DATA"
	Empty    Trend = "EMPTY"
	Growing  Trend = "GROWING"
	Steady   Trend = "STEADY"
	Draining Trend = "DRAINING"
)

// Verdict is the one thing to know: are things getting better?
type Verdict struct {
	Trend         Trend
	Backlog       float64 // NaN when it is not known, as everywhere here
	Slope         float64 // messages a second
	Oldest        float64 // seconds
	Amplification float64
	Offered       float64 // a second
	Goodput       float64 // a second
}

// Drain is how long the backlog needs at this rate; ok is false when it never drains.
func (v Verdict) Drain() (d time.Duration, ok bool) {
	switch {
	case v.Trend == Empty:
		return 0, true
	case v.Trend != Draining || !(v.Slope < 0):
		return 0, false
	}
	s := v.Backlog / -v.Slope
	if !(s >= 0) || s > 1e9 {
		return 0, false
	}
	return time.Duration(s * float64(time.Second)), true
}

// ETA says Drain in words.
func (v Verdict) ETA() string {
	switch v.Trend {
	case Unknown:
		return "unknown"
	case Empty:
		return "drained"
	case Steady:
		return "none, it holds"
	}
	if d, ok := v.Drain(); ok {
		return age(d.Seconds())
	}
	return "never at this rate"
}

// atWork is how many seconds of arrivals a sender that keeps up has in hand: less than that goes up and down, not
// anywhere.
const atWork = 5

// verdict judges the backlog at a slot of the history.
func (h *History) verdict(i int) Verdict {
	nan := math.NaN()
	v := Verdict{Unknown, nan, nan, nan, nan, nan, nan}
	if i < 0 {
		return v
	}
	t := h.table
	v.Backlog = t.value(record.GBacklog, i, rateSpan)
	v.Oldest = t.value(record.GOldest, i, rateSpan)
	v.Amplification = t.value(dAmplified, i, rateSpan)
	v.Offered = t.value(dOffered, i, rateSpan)
	v.Goodput = t.value(dGoodput, i, rateSpan)
	if math.IsNaN(v.Backlog) {
		return v
	}
	slope, noise, span := t.slope(record.GBacklog, i, slopeSpan)
	v.Slope = slope
	moved := math.Abs(slope) * span.Seconds()
	switch {
	case v.Backlog < 0.5:
		v.Trend = Empty
	case math.IsNaN(slope) || math.Abs(slope) <= 2*noise || moved < max(1, v.Backlog/500) || max(v.Backlog, moved) < atWork*v.Offered:
		v.Trend = Steady
	case slope > 0:
		v.Trend = Growing
	default:
		v.Trend = Draining
	}
	return v
}

// slope fits a line through a column over the span before a slot, at least three readings where there are as many.
// Noise is the standard error of the slope.
func (t *table) slope(name string, i int, span time.Duration) (perSecond, noise float64, over time.Duration) {
	c := t.cols[name]
	if c == nil || i < 0 {
		return math.NaN(), 0, 0
	}
	var n, sx, sy, sxx, sxy, syy float64
	first := i
	for j := i; j >= 0 && (t.at[i]-t.at[j] <= span || n < 3); j-- {
		y := c.last[j]
		if math.IsNaN(y) {
			continue
		}
		x := (t.at[j] - t.at[i]).Seconds()
		n, sx, sy, sxx, sxy, syy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y, syy+y*y
		first = j
	}
	dx := n*sxx - sx*sx
	if n < 2 || dx <= 0 {
		return math.NaN(), 0, 0
	}
	b := (n*sxy - sx*sy) / dx
	if n > 2 {
		rest := (syy - sy*sy/n) - b*(sxy-sx*sy/n)
		noise = math.Sqrt(max(rest, 0) / (n - 2) * n / dx)
	}
	return b, noise, t.at[i] - t.at[first]
}
