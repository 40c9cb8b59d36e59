package harness

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// proofs holds back the attempts inside the sender that failed for their caller, until the fake's ledger shows that
// their work had been done all the same: a draft whose creation timed out and that is sent later did exist. These are
// the ambiguous outcomes that duplicates are made of.
type proofs struct {
	open map[string]record.Attempt // by what the ledger would show: draft for creates, draft.attempt for sends
	keys []string                  // of open, in order, so that what is left is written in order
}

// hold takes a failed attempt; false means that there is nothing that could ever prove it.
func (p *proofs) hold(a record.Attempt) bool {
	if a.Error == "" || a.Draft == "" || a.Taken {
		return false
	}
	key := a.Draft
	switch a.Hop {
	case "create":
	case "send":
		key += "." + strconv.Itoa(a.Number)
	default:
		return false
	}
	if p.open == nil {
		p.open = map[string]record.Attempt{}
	}
	if _, ok := p.open[key]; ok {
		return false // the same draft failed again: the proof belongs to the first
	}
	p.open[key] = a
	p.keys = append(p.keys, key)
	return true
}

// see takes an entry of the ledger and returns the attempts that it proves.
func (p *proofs) see(e Entry) (proved []record.Attempt) {
	if e.Status != "" || e.Callback == "" || len(p.open) == 0 {
		return nil
	}
	draft := e.Callback
	if i := strings.LastIndexByte(draft, '.'); i > strings.LastIndexByte(draft, '-') {
		draft = draft[:i]
	}
	take := func(key string) {
		if a, ok := p.open[key]; ok {
			delete(p.open, key)
			a.Taken = true
			proved = append(proved, a)
		}
	}
	take(draft)
	if e.Accepted {
		take(e.Callback)
	}
	return proved
}

// rest returns what nothing has proved, in the order in which it was held.
func (p *proofs) rest() []record.Attempt {
	out := make([]record.Attempt, 0, len(p.open))
	for _, key := range slices.Compact(p.keys) {
		if a, ok := p.open[key]; ok {
			out = append(out, a)
		}
	}
	p.open, p.keys = nil, nil
	return out
}
