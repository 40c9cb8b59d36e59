package drafts

import (
	"time"

	"github.com/aftershock-dev/aftershock/sut/queue"
)

// A draft is on one flight at a time. The queue may hand it out a second time: when a claim's lease has run out, and after a
// crash between the storing of a retry and the end of its claim, which leaves the item in the queue twice. The books keep
// who has the draft, and which item of it is the one that counts.

// twinWait is how long an item waits whose draft is on its way already.
const twinWait = 2 * time.Second

// holder is whose turn a draft is.
type holder struct {
	flight  *flight // on its way; nil: nobody
	giving  uint64  // the mark of the item that the flight is giving back at this moment; 0: none
	waits   uint64  // the mark of the item that waits in the queue; 0: not known
	foreign bool    // others give the item back, too
}

// mark tells the items of one draft apart. It is never 0: each item that is stored says at which delivery it was.
func (p past) mark() uint64 {
	m := uint64(1)
	for _, n := range []int{p.attempts, p.counted, p.unknowns, p.delivery} {
		m = m*0x100000001b3 + uint64(n)
	}
	if m = m<<1 | 1; p.held {
		m = m<<2 | 1
	}
	return m
}

// take lets a flight have its draft; false says that somebody else has it, or that another item of it waits in the queue.
// The books are locked.
func (h *holder) take(f *flight, p past, lease time.Duration, now time.Time) bool {
	switch other := h.flight; {
	case other != nil && h.giving != p.mark() && now.Before(other.leased.Add(lease)):
		return false
	case other == nil && !h.foreign && h.waits != 0 && h.waits != p.mark():
		return false
	}
	*h = holder{flight: f, waits: p.mark(), foreign: h.foreign}
	return true
}

// has reports whether a flight still has its draft. The books are locked.
func (h *holder) has(f *flight) bool { return h.flight == f }

// give says that a flight begins to give its draft back; given, how that went. The books are locked.
func (h *holder) give(f *flight, p past) {
	if h.flight == f {
		h.giving = p.mark()
	}
}

func (h *holder) given(f *flight, err error) {
	if h.flight != f { // somebody has it already
		return
	}
	h.flight, h.waits = nil, h.giving
	if err != nil {
		h.waits = 0
	}
	h.giving = 0
}

// leave says that a flight has ended.
func (f *flight) leave() {
	f.s.books.mu.Lock()
	defer f.s.books.mu.Unlock()
	if f.d.holder.has(f) {
		f.d.holder.flight, f.d.holder.giving = nil, 0
	}
}

// mine takes the draft of a claim that has come out of the queue; a second one waits until nothing is left to do for it.
func (f *flight) mine(cfg *Config, it *queue.Item) bool {
	p, _, err := unpack(it.Body)
	if err != nil {
		return false // it was read before
	}
	f.s.books.mu.Lock()
	defer f.s.books.mu.Unlock()
	return f.d.holder.take(f, p, cfg.Dispatch.Lease, time.Now()) || !f.d.known || cfg.Send.Mode != "classified"
}
