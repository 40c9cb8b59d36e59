package scenarios

import (
	"math"
	"sort"
	"time"
)

// Duration returns the length of all phases together.
func (l Load) Duration() time.Duration {
	var d time.Duration
	for _, p := range l.Phases {
		d += p.For
	}
	return d
}

// RateAt is the rate that the phases ask for at an instant, per second; 0 outside of them.
func (l Load) RateAt(t time.Duration) float64 { return l.Curve().RateAt(t) }

// ends returns a phase's rate at its start and at its end, per second.
func (p Phase) ends() (from, to float64) {
	if p.From.Per == 0 && p.To.Per == 0 {
		return p.Rate.PerSecond(), p.Rate.PerSecond()
	}
	return p.From.PerSecond(), p.To.PerSecond()
}

// Curve is the arrivals that phases ask for, as a function of time that can be asked both ways in O(log phases).
type Curve struct {
	pieces []piece
	end    time.Duration
	total  float64
}

// piece is one phase: the rate goes in a straight line from a to b.
type piece struct {
	begin, length float64 // seconds
	a, b          float64 // per second
	before        float64 // arrivals before it
}

func (p piece) arrivals(t float64) float64 { return p.a*t + (p.b-p.a)*t*t/(2*p.length) }

// Curve returns the curve of the phases.
func (l Load) Curve() Curve {
	var c Curve
	for _, p := range l.Phases {
		if p.For <= 0 {
			continue
		}
		x := piece{begin: c.end.Seconds(), length: p.For.Seconds(), before: c.total}
		x.a, x.b = p.ends()
		c.pieces = append(c.pieces, x)
		c.total += x.arrivals(x.length)
		c.end += p.For
	}
	return c
}

// at finds the piece that an instant lies in.
func (c Curve) at(t time.Duration) (piece, bool) {
	if t < 0 || t >= c.end {
		return piece{}, false
	}
	s := t.Seconds()
	i := sort.Search(len(c.pieces), func(i int) bool { return c.pieces[i].begin > s })
	return c.pieces[i-1], true
}

// RateAt is the rate at an instant, per second; 0 before the start and from the end on.
func (c Curve) RateAt(t time.Duration) float64 {
	p, ok := c.at(t)
	if !ok {
		return 0
	}
	return p.a + (p.b-p.a)*(t.Seconds()-p.begin)/p.length
}

// Arrivals is how many arrivals are expected before an instant.
func (c Curve) Arrivals(t time.Duration) float64 {
	if t >= c.end {
		return c.total
	}
	p, ok := c.at(t)
	if !ok {
		return 0
	}
	return p.before + p.arrivals(t.Seconds()-p.begin)
}

// Total is how many arrivals are expected in all.
func (c Curve) Total() float64 { return c.total }

// When is the inverse of Arrivals: the first instant before which n arrivals are expected; false when there are never
// that many.
func (c Curve) When(n float64) (time.Duration, bool) {
	if n > c.total*(1+1e-12) || len(c.pieces) == 0 {
		return 0, false
	}
	i := sort.Search(len(c.pieces), func(i int) bool {
		p := c.pieces[i]
		return p.before+p.arrivals(p.length) >= n
	})
	if i == len(c.pieces) { // n is the total, but for rounding
		return c.end, true
	}
	p := c.pieces[i]
	// a·t + (b−a)·t²/(2·length) = k, solved in the form that does not cancel.
	k := max(0, n-p.before)
	root := math.Sqrt(max(0, p.a*p.a+2*(p.b-p.a)/p.length*k))
	t := 0.0
	if p.a+root > 0 {
		t = min(p.length, 2*k/(p.a+root))
	}
	return time.Duration((p.begin + t) * float64(time.Second)), true
}
