package fakewa

import (
	"errors"

	"github.com/aftershock-dev/aftershock/quantity"
)

// slowBodyFault lets the answer's body drip.
type slowBodyFault struct {
	Scope `yaml:",inline"`
	Over  quantity.Dist `yaml:"over"` // how long the body takes
}

func (f *slowBodyFault) check() error {
	if f.Over.IsZero() {
		return errors.New("needs over, the time that a body takes, such as 10s")
	}
	return nil
}

func (f *slowBodyFault) late(h *hit) bool {
	if h.d.Manner != Whole {
		return false
	}
	h.d.Manner, h.d.Over = Dripping, f.Over.Sample(h.float("over"))
	return true
}
