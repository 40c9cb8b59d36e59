package queue

import (
	"context"
	"time"
)

// memoryClaim is one delivery of a node.
type memoryClaim struct {
	q       *Memory
	n       *node
	item    Item
	settled bool
}

// claim makes a node the property of a taker. The lists have let go of it.
func (q *Memory) claim(n *node) *memoryClaim {
	if !n.inWindow {
		n.inWindow = true
		n.lane.window++
	}
	n.item.Delivery++
	n.state = stateClaimed
	q.claimed++
	c := &memoryClaim{q: q, n: n, item: n.item}
	n.holder = c
	if q.cfg.Lease > 0 {
		q.waits.push(n, time.Now().Add(q.cfg.Lease))
		q.arm()
	}
	return c
}

// Item implements Claim.
func (c *memoryClaim) Item() *Item { return &c.item }

// Ack implements Claim.
func (c *memoryClaim) Ack(context.Context) error {
	q := c.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if c.settled {
		return ErrSettled
	}
	c.settled = true
	q.finish(c.n) // also when the lease is over and the item with somebody else, or finished by them
	return nil
}

// Retry implements Claim.
func (c *memoryClaim) Retry(_ context.Context, after time.Duration, body []byte) error {
	q := c.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := c.settle(); err != nil {
		return err
	}
	n := c.n
	if body != nil {
		n.item.Body = body
	}
	q.release(n)
	if !q.cfg.HoldRetries {
		q.leaveWindow(n)
	}
	if after > 0 {
		q.delay(n, time.Now().Add(after))
	} else {
		n.state = stateReady
		n.lane.due.push(n)
	}
	q.serve(n.lane)
	return nil
}

// Dead implements Claim.
func (c *memoryClaim) Dead(_ context.Context, reason string) error {
	q := c.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := c.settle(); err != nil {
		return err
	}
	q.dead.add(c.n.item, reason, time.Now())
	q.finish(c.n)
	return nil
}

// Extend implements Claim.
func (c *memoryClaim) Extend(context.Context) error {
	q := c.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := c.held(); err != nil {
		return err
	}
	if q.cfg.Lease > 0 {
		q.waits.move(c.n, time.Now().Add(q.cfg.Lease))
	}
	return nil
}

// held says why the claim is no longer its taker's, if so.
func (c *memoryClaim) held() error {
	switch {
	case c.q.closed:
		return ErrClosed
	case c.settled:
		return ErrSettled
	case c.n.holder != c:
		return ErrStale
	}
	return nil
}

func (c *memoryClaim) settle() error {
	if err := c.held(); err != nil {
		return err
	}
	c.settled = true
	return nil
}

// release ends a node's claim; what becomes of the node is the caller's.
func (q *Memory) release(n *node) {
	n.holder = nil
	q.claimed--
	q.waits.remove(n)
}

func (q *Memory) leaveWindow(n *node) {
	if n.inWindow {
		n.inWindow = false
		n.lane.window--
	}
}

// finish forgets a node, wherever it is.
func (q *Memory) finish(n *node) {
	l := n.lane
	switch n.state {
	case stateDone:
		return
	case stateClaimed:
		q.release(n)
	case stateDelayed:
		q.delayed--
		q.waits.remove(n)
	case stateReady:
		if n.item.Delivery > 0 {
			l.due.remove(n)
		} else {
			l.fresh.remove(n)
		}
	}
	n.state = stateDone
	q.leaveWindow(n)
	q.ages.remove(n)
	q.total--
	l.total--
	n.tenant.n--
	if n.tenant.n == 0 {
		delete(q.tenants, n.tenant.key)
	}
	q.serve(l)
}
