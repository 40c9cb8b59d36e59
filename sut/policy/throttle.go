package policy

import "time"

// Throttle holds calls back on the caller's side when the callee turns many away: with probability
// max(0, (asked − K·taken) ÷ (asked + 1)) over Window. The zero Throttle is off.
type Throttle struct {
	K      float64       `yaml:"k"`      // 2; lower is stricter
	Window time.Duration `yaml:"window"` // 2m
	Probe  time.Duration `yaml:"probe"`  // one call in this time goes through whatever the chance; 0 is none
}

// throttleSlots divide the window.
const throttleSlots = 12

// ThrottleState counts what was asked and taken, slot by slot.
type ThrottleState struct {
	passed time.Time // when a call was last let through
	slots  [throttleSlots]struct {
		number       int64
		asked, taken float64
	}
}

// Off reports whether nothing is held back.
func (t Throttle) Off() bool { return t.K <= 0 || t.Window <= 0 }

// Chance is the probability with which the next call is held back.
func (t Throttle) Chance(s *ThrottleState, now time.Time) float64 {
	if t.Off() {
		return 0
	}
	current := t.slot(now)
	asked, taken := 0.0, 0.0
	for _, x := range s.slots {
		if current-x.number < throttleSlots {
			asked += x.asked
			taken += x.taken
		}
	}
	return max(0, (asked-t.K*taken)/(asked+1))
}

// Hold decides about one call; u is a uniform number. Without probes a caller that calls little would never learn that
// the callee has recovered: all that it asks is held back, and keeps the chance high.
func (t Throttle) Hold(s *ThrottleState, now time.Time, u float64) bool {
	if t.Off() {
		return false
	}
	if u < t.Chance(s, now) && !(t.Probe > 0 && now.Sub(s.passed) >= t.Probe) {
		t.Count(s, now, false)
		return true
	}
	s.passed = now
	return false
}

// Count adds a call: one that was held back, or that ended. Held-back calls count as asked, or the chance would forget
// why it is high.
func (t Throttle) Count(s *ThrottleState, now time.Time, taken bool) {
	if t.Off() {
		return
	}
	n := t.slot(now)
	x := &s.slots[n%throttleSlots]
	if x.number != n {
		x.number, x.asked, x.taken = n, 0, 0
	}
	x.asked++
	if taken {
		x.taken++
	}
}

func (t Throttle) slot(now time.Time) int64 {
	return now.UnixNano() / int64(max(t.Window/throttleSlots, 1))
}
