package drafts

import "time"

// list is drafts in order of creation, the oldest first. Every operation takes the same time however long it is.
type list struct {
	of          func(*draft) *links
	first, last *draft
	n           int64
}

// links are a draft's neighbours in a list.
type links struct {
	prev, next *draft
	in         bool
}

func (l *list) push(d *draft) {
	at := l.of(d)
	if at.prev = l.last; l.last != nil {
		l.of(l.last).next = d
	} else {
		l.first = d
	}
	at.in, l.last = true, d
	l.n++
}

func (l *list) remove(d *draft) {
	at := l.of(d)
	if !at.in {
		return
	}
	if at.prev != nil {
		l.of(at.prev).next = at.next
	} else {
		l.first = at.next
	}
	if at.next != nil {
		l.of(at.next).prev = at.prev
	} else {
		l.last = at.prev
	}
	*at = links{}
	l.n--
}

// age is how old the oldest draft is.
func (l *list) age() time.Duration {
	if l.first == nil {
		return 0
	}
	return time.Since(time.Unix(0, l.first.created))
}
