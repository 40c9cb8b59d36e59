package hunt

import (
	"maps"
	"slices"
	"time"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// Shrink makes a case smaller as long as still says that it shows what it showed. At most budget cases are tried.
func Shrink(c *Case, budget int, still func(*Case) bool) *Case {
	s := &shrinker{best: c.clone(), left: budget, still: still}
	for {
		before := s.left
		found := s.timeline() || false
		found = s.settings() || found
		found = s.load() || found
		found = s.details() || found
		if !found || s.left <= 0 || s.left == before {
			return s.best
		}
	}
}

type shrinker struct {
	best  *Case
	left  int
	still func(*Case) bool
}

// try keeps a change when the case still shows what it showed.
func (s *shrinker) try(change func(*Case)) bool {
	if s.left <= 0 {
		return false
	}
	c := s.best.clone()
	change(c)
	s.left--
	if !s.still(c) {
		return false
	}
	s.best = c
	return true
}

// timeline takes steps away: many at once, then fewer, then one after the other.
func (s *shrinker) timeline() (found bool) {
	for size := len(s.best.Scenario.Timeline); size >= 1; size /= 2 {
		for at := 0; at < len(s.best.Scenario.Timeline); {
			to := min(at+size, len(s.best.Scenario.Timeline))
			if s.try(func(c *Case) { c.Scenario.Timeline = slices.Delete(c.Scenario.Timeline, at, to) }) {
				found = true
			} else {
				at = to
			}
		}
	}
	return found
}

// settings takes away what departs from the scenario that was hunted.
func (s *shrinker) settings() (found bool) {
	if len(s.best.Set) > 1 && s.try(func(c *Case) { clear(c.Set) }) {
		return true
	}
	for _, key := range slices.Sorted(maps.Keys(s.best.Set)) {
		found = s.try(func(c *Case) { delete(c.Set, key) }) || found
	}
	return found
}

// load sends less, for a shorter time, more plainly.
func (s *shrinker) load() (found bool) {
	for len(s.best.Scenario.Load.Phases) > 1 {
		phases := s.best.Scenario.Load.Phases
		if !s.try(func(c *Case) { c.Scenario.Load.Phases = c.Scenario.Load.Phases[:len(phases)-1] }) &&
			!s.try(func(c *Case) { c.Scenario.Load.Phases = c.Scenario.Load.Phases[1:] }) {
			break
		}
		found = true
	}
	for i := range s.best.Scenario.Load.Phases {
		for s.best.Scenario.Load.Phases[i].Rate.Count >= 2 && s.try(func(c *Case) {
			r := &c.Scenario.Load.Phases[i].Rate
			r.Count = float64(int(r.Count / 2))
		}) {
			found = true
		}
		for s.best.Scenario.Load.Phases[i].For > 2*time.Second && s.try(func(c *Case) {
			p := &c.Scenario.Load.Phases[i]
			p.For = (p.For / 2).Round(time.Second)
		}) {
			found = true
		}
	}
	if s.best.Scenario.Load.Arrivals != "even" {
		found = s.try(func(c *Case) { c.Scenario.Load.Arrivals = "even" }) || found
	}
	return found
}

// details makes messages, client and steps plainer.
func (s *shrinker) details() (found bool) {
	now := &s.best.Scenario
	plain := func(is bool, change func(*Case)) {
		if !is {
			found = s.try(change) || found
		}
	}
	plain(len(now.Messages.Mix) == 0, func(c *Case) { c.Scenario.Messages.Mix = nil })
	plain(s.best.Scenario.Messages.Tenants == 0, func(c *Case) { c.Scenario.Messages.Tenants = 0 })
	plain(s.best.Scenario.Messages.Class == "" || s.best.Scenario.Messages.Class == "transactional", func(c *Case) { c.Scenario.Messages.Class = "" })
	plain(s.best.Scenario.Messages.Recipients == 20000, func(c *Case) { c.Scenario.Messages.Recipients = 20000 })
	for i := range s.best.Scenario.Timeline {
		step := func() scenarios.Step { return s.best.Scenario.Timeline[i] }
		plain(step().For < 2*time.Second, func(c *Case) {
			t := &c.Scenario.Timeline[i]
			t.For = (t.For / 2).Round(100 * time.Millisecond)
		})
		plain(step().At == step().At.Round(time.Second), func(c *Case) {
			t := &c.Scenario.Timeline[i]
			t.At = t.At.Round(time.Second)
		})
		plain(step().May == "", func(c *Case) { c.Scenario.Timeline[i].May = "" })
	}
	return found
}
