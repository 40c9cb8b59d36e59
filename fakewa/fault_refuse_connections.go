package fakewa

// refuseFault closes connections before anything is read: see Server.Listener for connections that are not even
// accepted.
type refuseFault struct {
	Scope `yaml:",inline"`
}

func (f *refuseFault) check() error { return nil }

func (f *refuseFault) early(h *hit) bool {
	h.d.Manner, h.d.Delay = Aborted, 0
	h.d.Err = nil
	return true
}
