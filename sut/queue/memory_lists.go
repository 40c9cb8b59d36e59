package queue

import "time"

type nodeState uint8

const (
	stateReady nodeState = iota
	stateDelayed
	stateClaimed
	stateDone
)

// node is one unfinished item: about 250 bytes beside its body and strings.
type node struct {
	item       Item
	lane       *memoryLane
	tenant     *tenantCount
	holder     *memoryClaim // while claimed
	prev, next *node        // in its lane's list, while ready
	elder      *node        // in the list of ages
	younger    *node
	seq        uint64
	at         int64 // what it waits for, in unix nanoseconds
	since      int64 // when it became due for the first time
	wait       int32 // its place in the heap of waits; -1: none
	state      nodeState
	inWindow   bool // counts against MaxClaims
	aged       bool // is in the list of ages
}

// itemList is a list in arrival order.
type itemList struct{ first, last *node }

func (l *itemList) push(n *node) {
	n.prev, n.next = l.last, nil
	if l.last == nil {
		l.first = n
	} else {
		l.last.next = n
	}
	l.last = n
}

func (l *itemList) pop() *node {
	n := l.first
	if n != nil {
		l.remove(n)
	}
	return n
}

func (l *itemList) remove(n *node) {
	if n.prev == nil {
		l.first = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.last = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.prev, n.next = nil, nil
}

// ageList keeps unfinished items in the order in which they became due for the first time.
type ageList struct{ first, last *node }

func (l *ageList) add(n *node, due time.Time) {
	n.since = due.UnixNano()
	n.aged = true
	n.elder = l.last
	if l.last == nil {
		l.first = n
	} else {
		l.last.younger = n
	}
	l.last = n
}

func (l *ageList) remove(n *node) {
	if !n.aged {
		return
	}
	n.aged = false
	if n.elder == nil {
		l.first = n.younger
	} else {
		n.elder.younger = n.younger
	}
	if n.younger == nil {
		l.last = n.elder
	} else {
		n.younger.elder = n.elder
	}
	n.elder, n.younger = nil, nil
}

func (l *ageList) oldest() time.Time {
	if l.first == nil {
		return time.Time{}
	}
	return time.Unix(0, l.first.since)
}

// taker is one waiting Take. Its channel holds the one claim it can get; nil says that the queue was closed.
type taker struct {
	got        chan Claim
	prev, next *taker
	queued     bool
}

// takerList serves takers in their order.
type takerList struct{ first, last *taker }

func (l *takerList) push(t *taker) {
	t.queued = true
	t.prev = l.last
	if l.last == nil {
		l.first = t
	} else {
		l.last.next = t
	}
	l.last = t
}

func (l *takerList) pop() *taker {
	t := l.first
	if t != nil {
		l.remove(t)
	}
	return t
}

// remove reports whether the taker was still waiting.
func (l *takerList) remove(t *taker) bool {
	if !t.queued {
		return false
	}
	t.queued = false
	if t.prev == nil {
		l.first = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		l.last = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.prev, t.next = nil, nil
	return true
}

// waitHeap orders waiting nodes by instant, then by sequence.
type waitHeap []*node

func (h waitHeap) less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].seq < h[j].seq
}

func (h waitHeap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].wait, h[j].wait = int32(i), int32(j)
}

func (h waitHeap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(i, parent) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h waitHeap) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

func (h *waitHeap) push(n *node, at time.Time) {
	n.at = at.UnixNano()
	n.wait = int32(len(*h))
	*h = append(*h, n)
	h.up(int(n.wait))
}

func (h *waitHeap) move(n *node, at time.Time) {
	n.at = at.UnixNano()
	h.up(int(n.wait))
	h.down(int(n.wait))
}

func (h *waitHeap) remove(n *node) {
	if n.wait < 0 {
		return
	}
	i, last := int(n.wait), len(*h)-1
	h.swap(i, last)
	(*h)[last] = nil
	*h = (*h)[:last]
	n.wait = -1
	if i < last {
		h.up(i)
		h.down(i)
	}
}

func (h waitHeap) earliest() (time.Time, bool) {
	if len(h) == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, h[0].at), true
}

// due returns the first node whose instant has come, without taking it off.
func (h waitHeap) due(now time.Time) *node {
	if len(h) == 0 || h[0].at > now.UnixNano() {
		return nil
	}
	return h[0]
}
