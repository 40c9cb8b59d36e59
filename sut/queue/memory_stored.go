package queue

import "context"

var _ Stored = (*Memory)(nil)

// Stored implements the interface of this name, for books that outlive a service while the queue does, too.
func (q *Memory) Stored(_ context.Context, each func(it *Item, dead string)) error {
	for _, it := range q.unfinished() {
		each(&it, "")
	}
	q.mu.Lock()
	letters := append([]deadLetter(nil), q.dead.letters...)
	q.mu.Unlock()
	for _, l := range letters {
		each(&l.item, l.reason)
	}
	return nil
}

// unfinished copies every item: those that have been due, and those that wait for their time.
func (q *Memory) unfinished() (list []Item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for n := q.ages.first; n != nil; n = n.younger {
		list = append(list, n.item)
	}
	for _, n := range q.waits {
		if !n.aged {
			list = append(list, n.item)
		}
	}
	return list
}
