package drafts

import (
	"context"
	"slices"
	"time"

	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// survey is what the books of earlier processes and the queue say of each other at the start. What the queue holds and
// nobody has taken out yet is backlog; what was taken in, has not ended, and is in no queue is told as such: a disk lost it.
type survey struct {
	made    map[string]struct{} // drafts that the journal tells of, and of no end
	waiting map[string]int64    // drafts in the queue that have not come out of it; when they were put, in ns
	order   []string            // of those, the oldest first; some may have come out
	arrived map[string]struct{} // drafts that came out while the queue was read; nil afterwards
}

func newSurvey() survey {
	return survey{made: map[string]struct{}{}, waiting: map[string]int64{}}
}

// open begins to look out for what comes out of the queue meanwhile.
func (v *survey) open() { v.arrived = map[string]struct{}{} }

// recalled takes in a line of the journal about a draft.
func (v *survey) recalled(id string, kind string) {
	switch kind {
	case "C", "B":
		v.made[id] = struct{}{}
	case "F", "S":
		v.told(id)
	}
}

// came notes that a draft has come out of the queue.
func (v *survey) came(id string) {
	delete(v.made, id)
	delete(v.waiting, id)
	if v.arrived != nil {
		v.arrived[id] = struct{}{}
	}
}

// told notes that a status has told of a draft: it was sent, and is not missed.
func (v *survey) told(id string) { delete(v.made, id) }

// found notes that a draft is in the queue.
func (v *survey) found(it *queue.Item) {
	delete(v.made, it.ID)
	if _, came := v.arrived[it.ID]; !came {
		v.waiting[it.ID] = it.Enqueued.UnixNano()
	}
}

// close ends the reading of the queue and returns the drafts that were not in it.
func (v *survey) close() (lost []string) {
	for id := range v.made {
		lost = append(lost, id)
	}
	slices.Sort(lost)
	for id := range v.waiting {
		v.order = append(v.order, id)
	}
	slices.SortFunc(v.order, func(a, b string) int {
		if v.waiting[a] != v.waiting[b] {
			return int(min(max(v.waiting[a]-v.waiting[b], -1), 1))
		}
		return slices.Compare([]byte(a), []byte(b))
	})
	v.made, v.arrived = map[string]struct{}{}, nil
	return lost
}

// age is how old the oldest draft is that has not come out of the queue.
func (v *survey) age() time.Duration {
	for len(v.order) > 0 {
		if at, waits := v.waiting[v.order[0]]; waits {
			return time.Since(time.Unix(0, at))
		}
		v.order = v.order[1:]
	}
	return 0
}

// surveyed compares the books with the queue, once, while drafts are handed out already.
func (s *Service) surveyed(ctx context.Context) {
	b := s.books
	if b.foreign { // what is in the queue is not told by these books alone
		return
	}
	for told := false; ; told = true {
		err := s.readQueue(ctx)
		if err == nil {
			break
		}
		if ctx.Err() == nil && !told {
			s.w.Log.Warn("the queue cannot be read yet, to compare it with the books", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(healEvery):
		}
	}
	s.tellVanished()
}

// readQueue notes what the queue holds.
func (s *Service) readQueue(ctx context.Context) error {
	b := s.books
	q, ok := s.w.Queue.(queue.Stored)
	if !ok {
		return nil
	}
	return q.Stored(ctx, func(it *queue.Item, dead string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch {
		case b.open[it.ID] != nil:
			delete(b.survey.made, it.ID)
		case dead != "":
			delete(b.survey.made, it.ID)
			b.closed(it.ID, Dead, dead)
		default:
			b.survey.found(it)
		}
	})
}

// tellVanished ends what was taken in and is not in the queue.
func (s *Service) tellVanished() {
	b := s.books
	b.mu.Lock()
	lost := b.survey.close()
	waiting := len(b.survey.waiting)
	var lines, doubt []string
	lost = slices.DeleteFunc(lost, func(id string) bool {
		to, why := b.vanished(id)
		lines = append(lines, lineFinished(id, to, why))
		if to == Unknown {
			doubt = append(doubt, id)
		}
		return to == Unknown
	})
	b.mu.Unlock()
	s.count.Vanished.Store(int64(len(lost) + len(doubt)))
	if waiting > 0 {
		s.w.Log.Info("drafts of an earlier process wait in the queue", "drafts", waiting)
	}
	if len(doubt) > 0 {
		s.w.Log.Warn("drafts whose attempt had begun are not in the queue any more: they were sent, or lost; a status tells",
			"drafts", len(doubt), "such as", doubt[:min(len(doubt), 20)])
	}
	if len(lost) > 0 {
		s.w.Log.Error("drafts that were taken in are not in the queue: its files were lost or damaged; their messages say so",
			"drafts", len(lost), "such as", lost[:min(len(lost), 20)])
	}
	if len(lines) > 0 {
		s.remember(s.w.Journal.write(lines...))
	}
}

// What a message says that the queue lost.
const (
	whyLost  = "lost: it was taken in, and is not in the queue any more"
	whyDoubt = "an attempt had begun, and it is not in the queue any more: it was sent, or lost"
)

// vanished ends a draft that is not in the queue. The books are locked.
func (b *books) vanished(id string) (to State, why string) {
	to, why = Failed, whyLost
	if _, begun := b.begun[id]; begun {
		to, why = Unknown, whyDoubt
		delete(b.begun, id)
	}
	b.closed(id, to, why)
	return to, why
}

// closed notes how the message of a draft ended that is not held, unless better is known. The books are locked.
func (b *books) closed(id string, to State, why string) {
	ref := wire.MessageOf(id)
	m, _ := b.message(ref)
	if m.open == 0 && to.rank() > m.best.rank() {
		m.best, m.reason = to, b.reason(why)
		b.put(ref, m)
	}
}

// backlog is how many drafts are held, those included that wait in the queue since an earlier process. The books are
// locked.
func (b *books) backlog() int64 { return b.held + int64(len(b.survey.waiting)) }

// freshAge is the age of the oldest draft that was never tried, as far as is known. The books are locked.
func (b *books) freshAge() time.Duration { return max(b.fresh.age(), b.survey.age()) }

// waitingLines are the journal's lines for drafts that have not come out of the queue. The books are locked.
func (b *books) waitingLines() (lines []string) {
	for _, id := range b.survey.order {
		if at, waits := b.survey.waiting[id]; waits {
			ref := wire.MessageOf(id)
			m, _ := b.message(ref)
			lines = append(lines, lineCreated(&wire.Draft{ID: id, Created: at / int64(time.Millisecond), Print: m.print, Key: ref}))
			if n, begun := b.begun[id]; begun {
				lines = append(lines, lineBegun(id, n))
			}
		}
	}
	return lines
}
