package fakewa

import (
	"fmt"
	"time"
)

// silenceFault reads requests, and neither processes nor answers them.
type silenceFault struct {
	Scope `yaml:",inline"`
	Hold  time.Duration `yaml:"hold,omitempty"` // how long the connection is held open at most; 0 means 5 minutes
}

func (f *silenceFault) check() error {
	or(&f.Hold, 5*time.Minute)
	if f.Hold < 0 || f.Hold > day {
		return fmt.Errorf("hold is between 0 and 24h")
	}
	return nil
}

func (f *silenceFault) early(h *hit) bool {
	h.d.Manner, h.d.Over = Withheld, f.Hold
	return true
}
