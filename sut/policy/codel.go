package policy

import "time"

// CoDel is controlled delay for a waiting line: while the line has not been empty for Interval, an entry may have
// waited Target at most; otherwise Interval at most. The zero CoDel is off.
type CoDel struct {
	Interval time.Duration `yaml:"interval"`
	Target   time.Duration `yaml:"target"`
}

// CoDelState is when the line was last empty.
type CoDelState struct {
	emptied time.Time
	seen    bool
}

// Off reports whether the rule does nothing.
func (c CoDel) Off() bool { return c.Interval <= 0 || c.Target <= 0 }

// Empty notes that the line was empty at now.
func (s *CoDelState) Empty(now time.Time) { s.emptied, s.seen = now, true }

// Drop decides whether an entry that has waited that long is turned away.
func (c CoDel) Drop(s *CoDelState, now time.Time, wait time.Duration) bool {
	if c.Off() {
		return false
	}
	if !s.seen {
		s.Empty(now)
	}
	if now.Sub(s.emptied) > c.Interval {
		return wait > c.Target
	}
	return wait > c.Interval
}
