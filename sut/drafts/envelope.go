package drafts

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// An item's body in the queue is the draft as the front door wrote it, behind a line with what has happened to it
// since: how often it was sent, how many of those sends counted against its attempts, how many had an unknown outcome,
// at which delivery that was written down, and whether it waits for a status. A draft that is taken by another process goes on from there.

// past is what has happened to a draft so far.
type past struct {
	attempts, counted, unknowns, delivery int
	held                                  bool
}

// pack puts a past before a draft's JSON.
func pack(p past, draft []byte) []byte {
	held := 0
	if p.held {
		held = 1
	}
	b := make([]byte, 0, len(draft)+16)
	b = strconv.AppendInt(b, int64(p.attempts), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(p.counted), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(p.unknowns), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(p.delivery), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(held), 10)
	b = append(b, '\n')
	return append(b, draft...)
}

// unpack undoes pack.
func unpack(body []byte) (p past, draft []byte, err error) {
	line, draft, ok := bytes.Cut(body, []byte{'\n'})
	if !ok {
		return past{}, nil, fmt.Errorf("queue item of %d bytes has no envelope", len(body))
	}
	var held int
	for i, to := range [...]*int{&p.attempts, &p.counted, &p.unknowns, &p.delivery, &held} {
		word, rest, more := bytes.Cut(line, []byte{' '})
		if *to, err = strconv.Atoi(string(word)); err != nil || more == (i == 4) {
			return past{}, nil, fmt.Errorf("queue item's envelope %q cannot be read", line)
		}
		line = rest
	}
	p.held = held != 0
	return p, draft, nil
}

// adopt finds the books' record of a claimed item, or makes one from the item's body when another process took the
// draft in. lost says that an earlier delivery of the item was never settled: whether it was sent nobody knows.
func (s *Service) adopt(it *queue.Item) (d *draft, body []byte, lost bool, err error) {
	p, body, err := unpack(it.Body)
	if err != nil {
		return nil, nil, false, err
	}
	lost = it.Delivery > p.delivery+1
	s.books.mu.Lock()
	s.books.survey.came(it.ID)
	if d = s.books.open[it.ID]; d != nil {
		d.taken = true // from here on it must not be dropped by a create that finds it in the queue
	}
	s.books.mu.Unlock()
	if d != nil {
		return d, body, lost, nil
	}
	var w wire.Draft
	if err := w.UnmarshalJSON(body); err != nil {
		return nil, nil, false, fmt.Errorf("draft %s in the queue cannot be read: %w", it.ID, err)
	}
	if d := s.finishedBefore(&w); d != nil {
		return d, body, false, nil
	}
	if s.wasDead(&w) { // replayed on purpose: its attempts are counted anew, its sends are not
		p.counted, p.unknowns, p.held = 0, 0, false
	}
	d = s.books.add(&w, it.Enqueued, p, s.cfg.Load().Order.Conversation == "strict")
	s.books.recollect(d)
	return d, body, lost, nil
}

// finishedBefore returns a record for a draft that the books know as finished, so that its item is let go of: the
// process ended between writing that down and telling the queue. A draft that was given up may come back on purpose.
func (s *Service) finishedBefore(w *wire.Draft) *draft {
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	m, ok := b.message(wire.MessageOf(w.ID))
	if b.proved[w.ID] {
		delete(b.proved, w.ID)
		b.numbers++
		s.count.ResolvedLate.Add(1)
		return &draft{id: w.ID, number: b.numbers, state: m.best}
	}
	if w.Key == "" || !ok || m.open > 0 || !m.best.Taken() && m.best != Unknown && m.best != Cancelled {
		return nil
	}
	b.numbers++
	return &draft{id: w.ID, number: b.numbers, state: m.best}
}

// wasDead reports whether a draft comes back from the dead letters.
func (s *Service) wasDead(w *wire.Draft) bool {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	m, ok := s.books.message(wire.MessageOf(w.ID))
	return ok && m.best == Dead
}

// recollect adds to an adopted draft what the journal tells of it: an attempt that began and never ended.
func (b *books) recollect(d *draft) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d.adopted, d.taken = true, true
	n, begun := b.begun[d.id]
	if !begun {
		return
	}
	delete(b.begun, d.id)
	if n > int(d.attempts) { // the journal is newer than the envelope, which says how each attempt ended that it knows of
		d.begun = true
		b.tally(d, -1)
		d.attempts = uint16(n)
		if d.state == Held {
			d.state = Queued
		}
		b.fresh.remove(d)
		b.tally(d, 1)
	}
}
