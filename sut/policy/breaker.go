package policy

import "time"

// Breaker stops sending to what will not take anything, and probes with single sends until they go through. One stands
// before each phone number, for what the API has stopped; one before the API as a whole, for outages of the provider. The
// zero Breaker is off.
type Breaker struct {
	Open    time.Duration `yaml:"open"`     // how long nothing is sent; doubles with each failed probe …
	OpenMax time.Duration `yaml:"open_max"` // … up to here
	After   int           `yaml:"after"`    // consecutive failures that open it
	Close   int           `yaml:"close"`    // consecutive probes that have to go through before it closes; 0 is 1
}

// BreakerState is the state of one breaker.
type BreakerState struct {
	failures int
	passed   int       // probes that went through, one after the other
	until    time.Time // open until then; zero: closed
	length   time.Duration
	probe    time.Time // when the probe went; zero: none is under way
}

// Off reports whether nothing is ever stopped.
func (b Breaker) Off() bool { return b.Open <= 0 }

// Allow decides whether a send may go; when not, it may be asked again after wait. The first send after the open time
// is the probe; others wait for what becomes of it. A doubtful draft, one that a probe without an outcome would harm,
// lets the others go first, for as long again.
func (b Breaker) Allow(s *BreakerState, now time.Time, doubtful bool) (wait time.Duration) {
	if wait = b.Wait(s, now, doubtful); wait == 0 && s.IsOpen() {
		s.probe = now
	}
	return wait
}

// Wait is Allow, and makes nothing the probe.
func (b Breaker) Wait(s *BreakerState, now time.Time, doubtful bool) time.Duration {
	from := s.until
	if doubtful {
		from = from.Add(s.length)
	}
	switch {
	case b.Off() || s.until.IsZero():
		return 0
	case now.Before(from):
		return from.Sub(now)
	case !s.probe.IsZero() && now.Sub(s.probe) < b.Open: // a probe that never ends must not stop the sends for ever
		return b.Open - now.Sub(s.probe)
	}
	return 0
}

// Seen learns from a send: stopped is a failure of what the breaker stands before, sound an answer that proves that it
// works. It reports whether the breaker has just opened.
func (b Breaker) Seen(s *BreakerState, now time.Time, stopped, sound bool) (opened bool) {
	switch {
	case b.Off():
	case stopped:
		s.failures++
		s.passed = 0
		if !s.probe.IsZero() || s.failures >= max(b.After, 1) && s.until.IsZero() {
			opened = s.until.IsZero()
			s.length = min(max(b.Open, 2*s.length), max(b.OpenMax, b.Open))
			s.until, s.probe = now.Add(s.length), time.Time{}
		}
	case sound:
		s.passed++
		if s.until.IsZero() || s.passed >= b.Close {
			*s = BreakerState{}
			break
		}
		s.until, s.probe = now, time.Time{} // the next probe may go at once
	default:
		s.probe = time.Time{} // it told nothing; the next send probes again
	}
	return opened
}

// IsOpen reports whether sends are stopped.
func (s *BreakerState) IsOpen() bool { return !s.until.IsZero() }
