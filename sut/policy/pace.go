package policy

import (
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
)

// Pace spaces events at a rate, with a burst of events that may come at once after a rest. Its state is one instant.
type Pace struct{ next time.Time }

// Wait returns how long to wait until the next event may come. A zero rate never waits.
func (p *Pace) Wait(now time.Time, r quantity.Rate, burst int) time.Duration {
	every := r.Interval()
	if every == 0 {
		return 0
	}
	return p.next.Add(-time.Duration(max(burst, 1)-1) * every).Sub(now)
}

// late is how much later than due an event may come and still count as on time: timers are never exact.
const late = 10 * time.Millisecond

// Take counts one event at now.
func (p *Pace) Take(now time.Time, r quantity.Rate) {
	if now.Sub(p.next) > late {
		p.next = now
	}
	p.next = p.next.Add(r.Interval())
}

// Back takes an event back that was counted at this rate and did not come.
func (p *Pace) Back(r quantity.Rate) { p.next = p.next.Add(-r.Interval()) }

// Hold lets no event come before an instant.
func (p *Pace) Hold(until time.Time, r quantity.Rate, burst int) {
	if next := until.Add(time.Duration(max(burst, 1)-1) * r.Interval()); p.next.Before(next) {
		p.next = next
	}
}

// Rested reports whether the pace has forgotten its past: it is as good as new.
func (p *Pace) Rested(now time.Time) bool { return p.next.Before(now) }
