package dash

import (
	"math"
	"time"
)

// axis maps values to heights.
type axis struct {
	log       bool
	base, top float64
}

// newAxis chooses round ends for values up to highest. Linear axes begin at base, logarithmic ones at the power of
// ten base.
func newAxis(log bool, base, highest float64) axis {
	if math.IsNaN(highest) || highest <= base {
		highest = base
	}
	highest = min(highest, 1e15)
	if log {
		a := axis{true, base, base * 100}
		for a.top < highest*1.05 && a.top < 1e16 {
			a.top *= 10
		}
		return a
	}
	if base > 0 { // amplification: 1 at the bottom, never less than 2 at the top
		return axis{false, base, base + roundUp(max(highest*1.02-base, base))}
	}
	return axis{false, 0, roundUp(max(highest*1.02, 1e-3))}
}

// roundUp is the next value that reads well.
func roundUp(v float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.2, 1.5, 2, 3, 4, 5, 6, 8} {
		if m*p >= v {
			return m * p
		}
	}
	return 10 * p
}

// share is where a value lies: 0 at the bottom, 1 at the top.
func (a axis) share(v float64) float64 {
	var s float64
	if a.log {
		if v <= a.base {
			return 0
		}
		s = math.Log10(v/a.base) / math.Log10(a.top/a.base)
	} else {
		s = (v - a.base) / (a.top - a.base)
	}
	if math.IsNaN(s) {
		return 0
	}
	return min(max(s, 0), 1)
}

// labels names rows of a chart of h rows, "" for most. Values are printed by show.
func (a axis) labels(h int, show func(float64) string) []string {
	if h <= 0 {
		return nil
	}
	out := make([]string, h)
	if h == 1 {
		out[0] = show(a.top)
		return out
	}
	if a.log {
		decades := int(math.Round(math.Log10(a.top / a.base)))
		every := max(1, (decades*2+h-2)/(h-1)) // at least two rows apart
		for k := decades; k >= 0; k -= every {
			row := int(math.Round(float64(decades-k) / float64(decades) * float64(h-1)))
			out[row] = show(a.base * math.Pow(10, float64(k)))
		}
		if out[h-1] == "" && (h < 2 || out[h-2] == "") {
			out[h-1] = show(a.base)
		}
		return out
	}
	parts := a.parts()
	switch {
	case h < 5:
		parts = 1
	case h < 3*parts-1:
		parts = 2
	}
	for k := range parts + 1 { // on the nearest row: half a row off is less than the eye sees
		row := int(math.Round(float64(k) / float64(parts) * float64(h-1)))
		out[row] = show(a.top - (a.top-a.base)*float64(k)/float64(parts))
	}
	return out
}

// parts is how many parts divide the axis at values that are printed exactly.
func (a axis) parts() int {
	length := a.top - a.base
	switch int(math.Round(10 * length / math.Pow(10, math.Floor(math.Log10(length))))) {
	case 10, 15, 50:
		return 5
	case 30, 60:
		return 3
	}
	return 4
}

// span maps instants to columns.
type span struct {
	from, to time.Duration
	cols     int
}

// farAway is beyond any run: 30 years.
const farAway = 30 * 365 * 24 * time.Hour

// col is the column of an instant, possibly outside of 0..cols-1.
func (s span) col(at time.Duration) int {
	if s.to <= s.from || s.cols <= 0 {
		return -1
	}
	at = min(max(at, -farAway), farAway)
	share := (float64(at) - float64(s.from)) / (float64(s.to) - float64(s.from))
	return int(math.Floor(min(max(share, -1e3), 1e3) * float64(s.cols)))
}

// clamp is col kept inside.
func (s span) clamp(at time.Duration) int { return min(max(s.col(at), 0), max(s.cols-1, 0)) }
