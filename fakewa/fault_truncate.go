package fakewa

// truncateFault breaks the connection in the middle of the answer's body.
type truncateFault struct {
	Scope `yaml:",inline"`
}

func (f *truncateFault) check() error { return nil }

func (f *truncateFault) late(h *hit) bool {
	if h.d.Manner != Whole {
		return false
	}
	h.d.Manner = Cut
	return true
}
