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
	failed   time.Time // the last of them
	unclear  bool      // it left nobody knowing
	passed   int       // probes that went through, one after the other
	until    time.Time // open until then; zero: closed
	length   time.Duration
	probe    time.Time // when the probe went; zero: none is under way
}

// Off reports whether nothing is ever stopped.
func (b Breaker) Off() bool { return b.Open <= 0 }

// Allow decides whether a send may go; when not, it may be asked again after wait. The first send after the open time
// is the probe; others wait for what becomes of it. A doubtful draft, one that a probe without an outcome would harm,
// has a grace in which it lets the others go first: for as long again as the breaker is open, and, when the last failures
// left nobody knowing, for all of it since the last of them, whether the breaker has opened yet or not.
func (b Breaker) Allow(s *BreakerState, now time.Time, grace time.Duration) (wait time.Duration) {
	if wait = b.Wait(s, now, grace); wait == 0 && s.IsOpen() {
		s.probe = now
	}
	return wait
}

// few failures in a row that left nobody knowing are no chance: what is in doubt already waits.
const few = 2

// Wait is Allow, and makes nothing the probe.
func (b Breaker) Wait(s *BreakerState, now time.Time, grace time.Duration) time.Duration {
	from, most := s.until, s.until.Sub(now)
	if grace > 0 {
		if s.IsOpen() {
			from = from.Add(s.length)
		}
		if failed := s.failed.Add(grace); s.unclear && s.failures >= few && from.Before(failed) {
			from = failed
		}
		most = max(most+s.length, 3*b.Open) // others may have found the end by then
	}
	switch {
	case b.Off() || from.IsZero():
		return 0
	case now.Before(from):
		return min(from.Sub(now), most)
	case !s.probe.IsZero() && now.Sub(s.probe) < b.Open: // a probe that never ends must not stop the sends for ever
		return b.Open - now.Sub(s.probe)
	}
	return 0
}

// Unclear says that the failure that was just seen left nobody knowing whether the send was taken.
func (s *BreakerState) Unclear() { s.unclear = true }

// Seen learns from a send: stopped is a failure of what the breaker stands before, sound an answer that proves that it
// works. It reports whether the breaker has just opened.
func (b Breaker) Seen(s *BreakerState, now time.Time, stopped, sound bool) (opened bool) {
	switch {
	case b.Off():
	case stopped:
		s.failures++
		s.passed = 0
		s.failed, s.unclear = now, false
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
