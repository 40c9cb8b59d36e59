package policy

import (
	"math"
	"time"
)

// ScaleRule is the arithmetic of the Kubernetes horizontal autoscaler.
type ScaleRule struct {
	Tolerance  float64
	Damping    bool    // starting copies count as idle when scaling up
	UpFactor   float64 // with UpCopies: the most that one decision may add; both 0 is unlimited
	UpCopies   int
	DownFactor float64 // the most that one decision may take away, as a share; 0 is unlimited
}

// Wish returns how many copies a metric asks for: ratio is metric ÷ target, averaged over the ready copies. It is the
// rule's own wish, before limits on speed and before the ceiling.
func (r ScaleRule) Wish(ready, starting int, ratio float64) int {
	current := ready + starting
	if ready <= 0 || math.IsNaN(ratio) {
		return current
	}
	if math.Abs(ratio-1) <= r.Tolerance {
		return current
	}
	if ratio > 1 && starting > 0 && r.Damping {
		spread := ratio * float64(ready) / float64(current) // starting copies are taken to use nothing
		if spread <= 1+r.Tolerance {
			return current
		}
		return max(current, int(math.Ceil(spread*float64(current))))
	}
	wish := int(math.Ceil(ratio * float64(ready)))
	if ratio > 1 {
		return max(wish, current)
	}
	return min(wish, current)
}

// Step limits how far one decision may go from the current number of copies.
func (r ScaleRule) Step(current, wish int) int {
	switch {
	case wish > current && (r.UpFactor > 0 || r.UpCopies > 0):
		most := max(current+int(math.Ceil(float64(current)*r.UpFactor)), current+r.UpCopies)
		return min(wish, most)
	case wish < current && r.DownFactor > 0:
		least := current - max(1, int(float64(current)*r.DownFactor))
		return max(wish, least)
	}
	return wish
}

// Wishes remembers recent wishes for the two stabilisation windows.
type Wishes struct{ list []wishAt }

type wishAt struct {
	at   time.Time
	wish int
}

// Settle adds a wish and returns the steadied one: up only to the lowest wish of the up window, down only to the
// highest of the down window.
func (w *Wishes) Settle(now time.Time, wish, current int, up, down time.Duration) int {
	w.list = append(w.list, wishAt{now, wish})
	lowest, highest := wish, wish
	keep := w.list[:0]
	for _, x := range w.list {
		age := now.Sub(x.at)
		if age <= up {
			lowest = min(lowest, x.wish)
		}
		if age <= down {
			highest = max(highest, x.wish)
		}
		if age <= max(up, down) {
			keep = append(keep, x)
		}
	}
	w.list = keep
	switch {
	case current < lowest:
		return lowest
	case current > highest:
		return highest
	}
	return current
}

// Slowdown is the factor by which every copy gets slower when n of them share a bottleneck: the inverse of the
// universal scalability law's efficiency.
func Slowdown(n int, contention, coherence float64) float64 {
	if n <= 1 {
		return 1
	}
	return 1 + contention*float64(n-1) + coherence*float64(n)*float64(n-1)
}
