package harness

import (
	"fmt"
)

// nameless tells whose are the sends that carry no marker, where the scenario recognises messages by recipient and text:
// a sender may have rewritten, cut or thrown away what the message said. The first text that reaches a recipient is taken
// for the first message that was for them and of which nothing has been seen, and so on; sends with the same text are
// copies.
type nameless struct {
	to     func(n uint64) string // recipient of message n
	byTo   map[string][]uint64   // messages by recipient, in order; made when the first is looked for
	claims map[uint64]uint64     // key of the fake → message
	taken  map[uint64]bool       // messages that a key stands for
	found  int                   // sends told by recipient and text
	unsure int                   // of those, sends beyond what their recipient was to get, with texts of their own
}

func newNameless(to func(n uint64) string) *nameless {
	return &nameless{to: to, claims: map[uint64]uint64{}, taken: map[uint64]bool{}}
}

// find returns the message that a line of the ledger is about; the caller holds the table's mutex.
func (x *nameless) find(t *table, e Entry) (n uint64, ok bool) {
	if e.To == "" || e.Key == 0 {
		return 0, false
	}
	if n, ok := x.claims[e.Key]; ok {
		x.count(e)
		return n, true
	}
	if e.Status != "" {
		return 0, false // of a send that nobody could tell
	}
	if x.byTo == nil {
		x.byTo = map[string][]uint64{}
		for i := range t.rows {
			to := x.to(uint64(i + 1))
			x.byTo[to] = append(x.byTo[to], uint64(i+1))
		}
	}
	last := uint64(0)
	for _, n := range x.byTo[e.To] {
		row := &t.rows[n-1]
		if !row.fired {
			break
		}
		last = n
		if !x.taken[n] && row.api == 0 {
			x.claims[e.Key], x.taken[n] = n, true
			x.count(e)
			return n, true
		}
	}
	if last == 0 {
		return 0, false
	}
	x.claims[e.Key] = last // another text for somebody who has got everything: a copy that was written anew
	x.count(e)
	if e.Accepted {
		x.unsure++
	}
	return last, true
}

func (x *nameless) count(e Entry) {
	if e.Status == "" && e.Accepted {
		x.found++
	}
}

// says tells how far the recipients and texts can be believed.
func (x *nameless) says() string {
	if x == nil || x.found == 0 {
		return ""
	}
	s := fmt.Sprintf("%d sends carried no marker and were told by recipient and text: which of several messages to one recipient is meant follows from their order", x.found)
	if x.unsure > 0 {
		s += fmt.Sprintf("; %d were more than their recipients were to get, with texts of their own, and count as copies", x.unsure)
	}
	return s
}
