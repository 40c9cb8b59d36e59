package fleet

import (
	"sync"
	"time"
)

// cores hands a copy's cores to whoever waits, first come first served. Nobody blocks while holding its mutex: a
// waiter blocks on a channel of its own.
type cores struct {
	mu      sync.Mutex
	total   int
	busy    int
	queue   []*waiter // a ring: head is the next to be served
	head    int
	waiting int // waiters in the queue that have not given up
	idle    []*waiter
}

// waiter is one request that waits for a core.
type waiter struct {
	grant chan bool // true: a core is yours; false: you are shed
	since time.Time
	state waiterState
}

type waiterState uint8

const (
	waits waiterState = iota
	granted
	gone
)

// admit reports whether a request may wait here: a core is free, or fewer than bound requests wait. bound 0 is no bound.
func (c *cores) admit(bound int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bound <= 0 || c.waiting < bound || c.busy < c.total
}

// acquire takes a core when one is free; otherwise it queues and returns a waiter. With bound above 0 and that many
// requests waiting it does neither.
func (c *cores) acquire(now time.Time, bound int) (w *waiter, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy < c.total {
		c.busy++
		return nil, true
	}
	if bound > 0 && c.waiting >= bound {
		return nil, false
	}
	if n := len(c.idle); n > 0 {
		w, c.idle = c.idle[n-1], c.idle[:n-1]
	} else {
		w = &waiter{grant: make(chan bool, 1)}
	}
	w.since, w.state = now, waits
	c.queue = append(c.queue, w)
	c.waiting++
	return w, true
}

// abandon takes a waiter out of the queue; it reports false when the waiter had been granted a core in the meantime.
func (c *cores) abandon(w *waiter) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.state == granted {
		return false
	}
	w.state = gone
	c.waiting--
	return true
}

// recycle takes back a waiter whose grant has been received.
func (c *cores) recycle(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.idle) < 64 {
		c.idle = append(c.idle, w)
	}
}

// release gives a core back, or on to the next waiter. shed decides for each waiter in turn whether it is turned away
// instead, by how long it has waited and whether it is the last in the queue.
func (c *cores) release(now time.Time, shed func(wait time.Duration, last bool) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.head < len(c.queue) {
		w := c.queue[c.head]
		c.queue[c.head] = nil
		c.head++
		if c.head == len(c.queue) {
			c.queue, c.head = c.queue[:0], 0
		} else if c.head > 1024 && c.head*2 > len(c.queue) {
			c.queue = c.queue[:copy(c.queue, c.queue[c.head:])]
			c.head = 0
		}
		if w.state == gone {
			continue
		}
		c.waiting--
		w.state = granted
		if shed != nil && shed(now.Sub(w.since), c.waiting == 0) {
			w.grant <- false
			continue
		}
		w.grant <- true
		return
	}
	c.busy--
}

// load returns how many requests hold a core and how many wait.
func (c *cores) load() (busy, waiting int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy, c.waiting
}
