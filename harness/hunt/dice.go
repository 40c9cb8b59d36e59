package hunt

import (
	"math"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
)

// dice draw the choices of one case, one after the other: the same seed gives the same case.
type dice struct {
	from chance.Source
	n    uint64
}

func newDice(seed int64) *dice { return &dice{from: chance.New(seed).For("hunt")} }

// float is uniform in [0,1).
func (d *dice) float() float64 {
	d.n++
	return d.from.Float(d.n)
}

// less is one of 0 … n-1.
func (d *dice) less(n int) int { return min(int(d.float()*float64(n)), n-1) }

// yes comes true with a probability.
func (d *dice) yes(p float64) bool { return d.float() < p }

// between is a whole number in [low, high].
func (d *dice) between(low, high int) int { return low + d.less(high-low+1) }

// span is a duration between two, small ones as likely as large ones, of two digits or so.
func (d *dice) span(low, high time.Duration) time.Duration {
	v := float64(low) * math.Pow(float64(high)/float64(low), d.float())
	step := time.Second
	switch {
	case v < float64(time.Second):
		step = 10 * time.Millisecond
	case v < float64(10*time.Second):
		step = 100 * time.Millisecond
	}
	return max(low, time.Duration(v).Round(step))
}

// one picks an element.
func one[T any](d *dice, of []T) T { return of[d.less(len(of))] }
