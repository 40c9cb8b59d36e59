package drafts

import (
	"context"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// Drafts of one conversation go out one after the other, in order of creation. A draft that is taken from the queue
// before its turn is parked: its claim is kept, and it goes on when the draft ahead of it has finished. Beyond a bound
// it goes back to the queue for a while instead.

// lineKey names a draft's conversation: the one it was given, or its pair of number and recipient. Never 0.
func lineKey(w *wire.Draft) uint64 {
	name := w.Conversation
	if name == "" {
		name = w.To
	}
	return chance.Key(w.Number+"\x00"+name) | 1
}

// join puts a draft at the end of its line.
func (b *books) join(d *draft) {
	l := b.lines[d.line]
	if d.ahead = l.tail; l.tail != nil {
		l.tail.behind = d
	} else {
		l.head = d
	}
	l.tail = d
	b.lines[d.line] = l
}

// leave takes a draft out of its line and wakes the next one if that is parked. One that is parked itself, and has been
// resolved or cancelled before its turn came, is woken to let go of its claim.
func (b *books) leave(d *draft) {
	if d.line == 0 {
		return
	}
	b.rouse(d)
	l := b.lines[d.line]
	if d.ahead != nil {
		d.ahead.behind = d.behind
	} else {
		l.head = d.behind
	}
	if d.behind != nil {
		d.behind.ahead = d.ahead
	} else {
		l.tail = d.ahead
	}
	d.ahead, d.behind = nil, nil
	if l.head == nil {
		delete(b.lines, d.line)
	} else {
		b.lines[d.line] = l
		b.rouse(l.head)
	}
	d.line = 0
}

// rouse wakes a draft if it is parked.
func (b *books) rouse(d *draft) {
	if f := b.parked[d.number]; f != nil && b.wake != nil {
		delete(b.parked, d.number)
		b.wake(f)
	}
}

// turn reports whether it is the draft's turn. When it is not, the flight is parked, if there is room.
func (f *flight) turn(room int) (mine, parked bool) {
	b := f.s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.d.line == 0 || b.lines[f.d.line].head == f.d {
		return true, false
	}
	if len(b.parked) >= room || b.wake == nil {
		return false, false
	}
	b.parked[f.d.number] = f
	return false, true
}

// unpark sends a parked flight on its way. The books are locked.
func (s *Service) unpark(f *flight) {
	s.desk.takeOff()
	s.flights.Go(func() {
		f.lane.Sleep(0)
		f.fly(false)
		s.desk.landed()
	})
}

// clearPark gives everything that is parked back to the queue, and lets nothing be parked any more.
func (s *Service) clearPark() {
	s.books.mu.Lock()
	s.books.wake = nil
	var left []*flight
	for _, f := range s.books.parked {
		left = append(left, f)
	}
	clear(s.books.parked)
	s.books.mu.Unlock()
	for _, f := range left {
		f.back(Queued, 0)
	}
}

// extendPark keeps the claims of parked drafts from running out.
func (s *Service) extendPark() {
	s.books.mu.Lock()
	var list []*flight
	for _, f := range s.books.parked {
		f.leased = time.Now()
		list = append(list, f)
	}
	s.books.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, f := range list {
		_ = f.claim.Extend(ctx) // a claim that has run out is with another taker already
	}
}
