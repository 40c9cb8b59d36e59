package fleet

import (
	"slices"
	"sync"
	"time"
)

// cores hands a copy's cores to whoever waits: the front line goes before the back line, but the back line gets one
// turn after so many; within a line it is first come first served.
// Nobody blocks while holding its mutex: a waiter blocks on a channel of its own.
type cores struct {
	mu    sync.Mutex
	total int
	busy  int
	lines [2]line
	row   int // turns that the front line has had in a row while somebody waited in the back line
	idle  []*waiter
	early []time.Time // of the cores that are not busy, those whose work ends a moment later than it was given back
}

// The lines. Without priorities everybody waits in the front line.
const (
	frontLine = iota
	backLine
)

// line is a queue of waiters.
type line struct {
	queue   []*waiter
	head    int // the next to be served
	waiting int // waiters that have not given up
}

// waiter is one request that waits for a core.
type waiter struct {
	grant chan bool // true: a core is yours; false: you are shed
	since time.Time
	from  time.Time // when the core was handed over, or the waiter was shed; set before grant
	state waiterState
	line  int
}

type waiterState uint8

const (
	waits waiterState = iota
	granted
	gone
)

// admit reports whether a request may wait in a line: a core is free, or fewer than bound requests wait in it. bound 0
// is no bound.
func (c *cores) admit(line, bound int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bound <= 0 || c.lines[line].waiting < bound || c.busy < c.total
}

// acquire takes a core when one is free, and says since when it is held; otherwise it queues and returns a waiter. With
// bound above 0 and that many requests waiting in the line it does neither.
func (c *cores) acquire(now time.Time, line, bound int) (w *waiter, from time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy < c.total {
		from = c.free(now)
		c.busy++
		return nil, from, true
	}
	l := &c.lines[line]
	if bound > 0 && l.waiting >= bound {
		return nil, now, false
	}
	if n := len(c.idle); n > 0 {
		w, c.idle = c.idle[n-1], c.idle[:n-1]
	} else {
		w = &waiter{grant: make(chan bool, 1)}
	}
	w.since, w.state, w.line = now, waits, line
	l.queue = append(l.queue, w)
	l.waiting++
	return w, now, true
}

// free returns from when on a core that is not busy can be had: now, unless the work of each of them has yet to end.
func (c *cores) free(now time.Time) time.Time {
	c.early = slices.DeleteFunc(c.early, func(end time.Time) bool { return !end.After(now) })
	if len(c.early) < c.total-c.busy {
		return now
	}
	soonest := slices.MinFunc(c.early, time.Time.Compare)
	c.early = slices.Delete(c.early, slices.Index(c.early, soonest), slices.Index(c.early, soonest)+1)
	return soonest
}

// abandon takes a waiter out of its line; it reports false when the waiter had been granted a core in the meantime.
func (c *cores) abandon(w *waiter) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.state == granted {
		return false
	}
	w.state = gone
	c.lines[w.line].waiting--
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

// release gives a core back, or on to the next waiter, as of now, which may be a little ago or a little ahead. shed decides for each waiter
// in turn whether it is turned away instead, by how long it has waited and whether it is the last in its line. most bounds
// how many turns in a row the front line has while somebody waits in the back line.
func (c *cores) release(now time.Time, most int, shed func(wait time.Duration, last bool) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	order := [2]int{frontLine, backLine}
	switch {
	case c.lines[backLine].waiting == 0:
		c.row = 0
	case c.row >= most:
		order, c.row = [2]int{backLine, frontLine}, 0
	default:
		c.row++
	}
	for _, i := range order {
		l := &c.lines[i]
		for w := l.next(); w != nil; w = l.next() {
			w.state, w.from = granted, now
			if now.Before(w.since) { // it came while whoever held the core was late to give it back
				w.from = w.since
			}
			if shed != nil && shed(w.from.Sub(w.since), l.waiting == 0) {
				w.grant <- false
				continue
			}
			w.grant <- true
			return
		}
	}
	c.busy--
	if now.After(time.Now()) {
		c.early = append(c.early, now)
	}
}

// next takes the first waiter out of the line that has not given up; nil when there is none.
func (l *line) next() *waiter {
	for l.head < len(l.queue) {
		w := l.queue[l.head]
		l.queue[l.head] = nil
		l.head++
		if l.head == len(l.queue) {
			l.queue, l.head = l.queue[:0], 0
		} else if l.head > 1024 && l.head*2 > len(l.queue) {
			l.queue = l.queue[:copy(l.queue, l.queue[l.head:])]
			l.head = 0
		}
		if w.state != gone {
			l.waiting--
			return w
		}
	}
	return nil
}

// crowd is how many requests hold a core or wait for one.
func (c *cores) crowd() int64 {
	busy, waiting := c.load()
	return int64(busy + waiting)
}

// load returns how many requests hold a core and how many wait.
func (c *cores) load() (busy, waiting int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy, c.lines[frontLine].waiting + c.lines[backLine].waiting
}
