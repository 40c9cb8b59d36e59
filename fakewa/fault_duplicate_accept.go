package fakewa

// duplicateAcceptFault has the API process a request twice: the recipient gets two copies of what was sent once, and the
// sender learns of one.
type duplicateAcceptFault struct {
	Scope `yaml:",inline"`
}

func (f *duplicateAcceptFault) check() error { return nil }

func (f *duplicateAcceptFault) late(h *hit) bool {
	if h.d.later == nil {
		return false // refused anyway
	}
	h.d.Again = true
	return true
}
