package policy

import (
	"math"
	"time"

	"github.com/aftershock-dev/aftershock/internal/quantity"
)

// Pace spaces events at a rate, with a burst of events that may come at once after a rest. Its state is one instant.
type Pace struct{ next time.Time }

// Wait returns how long to wait until the next event may come. A zero rate never waits.
func (p *Pace) Wait(now time.Time, r quantity.Rate, burst int) time.Duration {
	every := r.Interval()
	if every == 0 {
		if r.Per > 0 && r.Count == 0 { // a rate of 0 is a closed door; the caller asks again after a change
			return math.MaxInt64
		}
		return 0
	}
	return p.next.Add(-time.Duration(max(burst, 1)-1) * every).Sub(now)
}

// Take counts one event at now.
func (p *Pace) Take(now time.Time, r quantity.Rate) {
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(r.Interval())
}
