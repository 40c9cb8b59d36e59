package fakewa

// resetFault breaks the connection when the request was read and not processed.
type resetFault struct {
	Scope `yaml:",inline"`
}

func (f *resetFault) check() error { return nil }

func (f *resetFault) early(h *hit) bool {
	h.d.Manner = Aborted
	return true
}
