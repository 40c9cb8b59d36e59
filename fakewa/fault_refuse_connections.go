package fakewa

// refuseFault lets nobody connect: see Server.Listener and Server.Refuses. What comes all the same, on a connection that
// was there before, or because the fault is narrowed to some requests, is read, and the connection broken.
type refuseFault struct {
	Scope `yaml:",inline"`
}

func (f *refuseFault) check() error { return nil }

func (f *refuseFault) early(h *hit) bool {
	h.d.Manner, h.d.Delay = Aborted, 0
	h.d.Err = nil
	return true
}
