package remote

import (
	"time"

	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/policy"
)

// scaler applies the scaling rule of the sender's settings to copies that run elsewhere, as the sender's own fleet does
// to modelled ones.
type scaler struct {
	wishes policy.Wishes
	reads  []reading
}

// reading is the core time used as it was known at an instant.
type reading struct {
	at   time.Time
	used time.Duration
}

// decide returns what the rule asks for and how many copies there should be.
func (c *scaler) decide(now time.Time, s fleet.Settings, ready, starting, size int, l load) (wanted, next int) {
	rule := policy.ScaleRule{
		Tolerance: s.Scaling.Tolerance, Damping: s.Scaling.Damping,
		UpFactor: s.Scaling.UpFactor, UpCopies: s.Scaling.UpCopies, DownFactor: s.Scaling.DownFactor,
	}
	for _, ratio := range c.ratios(now, s, ready, l) {
		wanted = max(wanted, rule.Wish(ready, starting, ratio))
	}
	settled := c.wishes.Settle(now, wanted, size, s.Scaling.UpWindow, s.Scaling.DownWindow)
	next = rule.Step(size, settled)
	return wanted, min(max(next, s.Replicas.Min), s.Replicas.Max)
}

// ratios returns metric ÷ target for each signal in use.
func (c *scaler) ratios(now time.Time, s fleet.Settings, ready int, l load) []float64 {
	var out []float64
	spent, over := c.spent(now, l.used, s.Scaling.ScrapeDelay)
	all := s.Scaling.Signal == "all"
	if all || s.Scaling.Signal == "cpu" {
		capacity := float64(over) * float64(max(ready*s.Replicas.Cores, 1))
		if capacity > 0 {
			out = append(out, float64(spent)/capacity/float64(s.Scaling.Target))
		}
	}
	if all || s.Scaling.Signal == "backlog" {
		out = append(out, float64(l.backlog)/float64(max(ready, 1))/s.Scaling.Backlog)
	}
	if all || s.Scaling.Signal == "age" {
		out = append(out, float64(l.oldest)/float64(s.Scaling.Age))
	}
	return out
}

// spent adds a reading and returns the core time of the last interval that a metric of that age can know of.
func (c *scaler) spent(now time.Time, used, delay time.Duration) (spent, over time.Duration) {
	c.reads = append(c.reads, reading{now, used})
	last := len(c.reads) - 1
	for last > 0 && now.Sub(c.reads[last].at) < delay {
		last--
	}
	if last == 0 {
		return 0, 0
	}
	from, to := c.reads[last-1], c.reads[last]
	if last > 1 {
		c.reads = append(c.reads[:0], c.reads[last-1:]...)
	}
	return to.used - from.used, to.at.Sub(from.at)
}
