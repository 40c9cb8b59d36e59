package policy

import (
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
)

// Shed is two-level priority shedding: when requests wait longer than Wait on average, the least important levels are
// turned away, a little more with every window, and let back in even more slowly. The zero Shed is off.
type Shed struct {
	Wait     time.Duration  `yaml:"wait"`     // average queueing time that counts as overload
	Window   time.Duration  `yaml:"window"`   // how often the level is set anew …
	Requests int            `yaml:"requests"` // … or after this many requests
	Down     quantity.Share `yaml:"down"`     // of the admitted requests, turned away more after an overloaded window
	Up       quantity.Share `yaml:"up"`       // let in more after a calm one
}

// ShedLevels is how many priorities there are: 4 classes of 64 groups of users each. 0 is the most important.
const ShedLevels = 4 * shedUsers

const shedUsers = 64

// Priority combines the class (0 is the most important) with a group of users; user is any hash of the user and of the
// hour, so that nobody is unlucky for long.
func Priority(class int, user uint64) int {
	return min(max(class, 0), 3)*shedUsers + int(user%shedUsers)
}

// ShedState is what one replica has seen in the current window.
type ShedState struct {
	open     int // levels above this are shed; 0 means not yet set
	began    time.Time
	waits    int
	total    time.Duration
	asked    int
	admitted int
	levels   [ShedLevels]uint16
}

// Off reports whether the rule does nothing.
func (p Shed) Off() bool { return p.Wait <= 0 || p.Window <= 0 }

// Waited adds one queueing time.
func (s *ShedState) Waited(_ time.Time, wait time.Duration) {
	s.waits++
	s.total += wait
}

// Admit decides about one request and, at the end of a window, sets the level for the next.
func (p Shed) Admit(s *ShedState, now time.Time, priority int) bool {
	if s.open == 0 {
		s.open, s.began = ShedLevels, now
	}
	if now.Sub(s.began) >= p.Window || p.Requests > 0 && s.asked >= p.Requests {
		p.turn(s)
		s.began = now
	}
	s.asked++
	s.levels[priority]++
	if priority >= s.open {
		return false
	}
	s.admitted++
	return true
}

// Open is how many levels are let in.
func (s *ShedState) Open() int {
	if s.open == 0 {
		return ShedLevels
	}
	return s.open
}

func (p Shed) turn(s *ShedState) {
	over := s.waits > 0 && s.total/time.Duration(s.waits) > p.Wait
	if over {
		goal := float64(s.admitted) * (1 - float64(p.Down))
		n := float64(s.admitted)
		for s.open > 1 && n > goal {
			s.open--
			n -= float64(s.levels[s.open])
		}
	} else {
		goal := float64(s.admitted) + max(1, float64(s.asked)*float64(p.Up))
		n := float64(s.admitted)
		for s.open < ShedLevels && n < goal {
			n += float64(s.levels[s.open])
			s.open++
		}
	}
	open := s.open
	*s = ShedState{open: open}
}
