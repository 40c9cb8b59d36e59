package policy

import "time"

// Breaker stops sending from a phone number that the API has stopped, and probes with single sends until one goes
// through. The zero Breaker is off.
type Breaker struct {
	Open    time.Duration `yaml:"open"`     // how long nothing is sent; doubles with each failed probe …
	OpenMax time.Duration `yaml:"open_max"` // … up to here
	After   int           `yaml:"after"`    // consecutive refusals of that kind that open it
}

// BreakerState is the breaker of one number.
type BreakerState struct {
	failures int
	until    time.Time // open until then; zero: closed
	length   time.Duration
	probe    time.Time // when the probe went; zero: none is under way
}

// Off reports whether nothing is ever stopped.
func (b Breaker) Off() bool { return b.Open <= 0 }

// Allow decides whether a send may go; when not, it may be asked again after wait. The first send after the open time
// is the probe; others wait for what becomes of it.
func (b Breaker) Allow(s *BreakerState, now time.Time) (wait time.Duration) {
	switch {
	case b.Off() || s.until.IsZero():
		return 0
	case now.Before(s.until):
		return s.until.Sub(now)
	case !s.probe.IsZero() && now.Sub(s.probe) < b.Open: // a probe that never ends must not stop the number for ever
		return b.Open - now.Sub(s.probe)
	}
	s.probe = now
	return 0
}

// Seen learns from a send: stopped is a refusal that stops the number, sound an answer that proves it is not stopped.
// It reports whether the breaker has just opened.
func (b Breaker) Seen(s *BreakerState, now time.Time, stopped, sound bool) (opened bool) {
	switch {
	case b.Off():
	case stopped:
		s.failures++
		if !s.probe.IsZero() || s.failures >= max(b.After, 1) && s.until.IsZero() {
			opened = s.until.IsZero()
			s.length = min(max(b.Open, 2*s.length), max(b.OpenMax, b.Open))
			s.until, s.probe = now.Add(s.length), time.Time{}
		}
	case sound:
		*s = BreakerState{}
	default:
		s.probe = time.Time{} // it told nothing; the next send probes again
	}
	return opened
}

// IsOpen reports whether sends are stopped.
func (s *BreakerState) IsOpen() bool { return !s.until.IsZero() }
