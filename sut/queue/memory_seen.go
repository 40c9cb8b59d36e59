package queue

import "time"

// seenIDs remembers the IDs put within a window. It forgets as it is used, so it needs no timer.
type seenIDs struct {
	window time.Duration
	ids    map[string]struct{}
	order  []seenID // oldest first, from head on
	head   int
}

type seenID struct {
	id  string
	end int64 // unix nanoseconds
}

func newSeenIDs(window time.Duration) seenIDs {
	return seenIDs{window: window, ids: map[string]struct{}{}}
}

func (s *seenIDs) has(now time.Time, id string) bool {
	for s.head < len(s.order) && s.order[s.head].end <= now.UnixNano() {
		delete(s.ids, s.order[s.head].id)
		s.order[s.head] = seenID{}
		s.head++
	}
	if s.head > 1024 && s.head > len(s.order)/2 {
		s.order = append(s.order[:0], s.order[s.head:]...)
		s.head = 0
	}
	_, ok := s.ids[id]
	return ok
}

func (s *seenIDs) add(now time.Time, id string) {
	if s.window <= 0 {
		return
	}
	s.ids[id] = struct{}{}
	s.order = append(s.order, seenID{id, now.Add(s.window).UnixNano()})
}
