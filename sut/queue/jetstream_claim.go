package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// streamClaim is one delivery of a stored message.
type streamClaim struct {
	q     *Streamed
	l     *streamLane
	s     *source
	reply string // where acknowledgements go
	seq   uint64
	times uint64 // deliveries of this message
	since int64
	item  Item

	// guarded by q.mu
	end     time.Time // of the lease
	settled bool
}

// JetStream's acknowledgements.
const (
	ackDone  = "+ACK"
	ackTerm  = "+TERM"
	ackNak   = "-NAK"
	ackGoing = "+WPI"
)

func (q *Streamed) newClaim(l *streamLane, s *source, m *nats.Msg) *streamClaim {
	now := time.Now()
	c := &streamClaim{q: q, l: l, s: s, reply: m.Reply, end: now.Add(q.lease), times: 1}
	stored := now
	if meta, err := m.Metadata(); err == nil {
		c.seq, c.times, stored = meta.Sequence.Stream, meta.NumDelivered, meta.Timestamp
	}
	e, ok := readEnvelope(m.Subject, m.Header, c.seq, stored)
	if !ok {
		q.events.foreign.Add(1)
	}
	c.since = e.Since
	c.item = e.item(m.Data)
	c.item.Delivery += int(c.times)
	if q.cfg.HoldRetries {
		q.mu.Lock()
		if body, ok := l.bodies[c.seq]; ok {
			c.item.Body = body
		}
		q.mu.Unlock()
	}
	return c
}

// Item implements Claim.
func (c *streamClaim) Item() *Item { return &c.item }

// Ack implements Claim.
func (c *streamClaim) Ack(ctx context.Context) error {
	if err := c.begin(true); err != nil {
		return err
	}
	if err := c.q.confirm(ctx, c.reply, ackDone); err != nil {
		return c.undo(err)
	}
	c.q.finished(c)
	return nil
}

// Retry implements Claim. The item is stored anew before this delivery of it is acknowledged: after a crash between the
// two it is there twice, with the same Delivery.
func (c *streamClaim) Retry(ctx context.Context, after time.Duration, body []byte) error {
	if err := c.begin(false); err != nil {
		return err
	}
	q := c.q
	after = max(after, 0)
	if q.stays(c, after, body != nil) {
		q.mu.Lock() // before the item can come back
		c.s.back[c.seq] = time.Now().Add(after)
		if body != nil {
			if c.l.bodies == nil {
				c.l.bodies = map[uint64][]byte{}
			}
			c.l.bodies[c.seq] = body
		}
		q.mu.Unlock()
		if err := q.confirm(ctx, c.reply, fmt.Sprintf(`%s {"delay":%d}`, ackNak, after)); err != nil {
			q.mu.Lock()
			delete(c.s.back, c.seq)
			q.mu.Unlock()
			return c.undo(err)
		}
	} else {
		if body == nil {
			body = c.item.Body
		}
		e := envelopeOf(&c.item, c.since)
		if after == 0 { // before the item can come back
			q.mu.Lock()
			c.l.coming++
			q.mu.Unlock()
		}
		if _, err := q.wait(ctx, retried, &e, body, time.Now().Add(after), c.deliveryID()); err != nil {
			return c.undo(fmt.Errorf("retry later: %w", err))
		}
		if err := q.confirm(ctx, c.reply, ackDone); err != nil {
			return c.undo(err)
		}
		if c.s == &c.l.due {
			q.later.Add(-1)
		}
	}
	c.released()
	return nil
}

// stays says whether a retry keeps its place in the stream. It then counts among the consumer's claims, so there may
// not be many, and its body stays what it is.
func (q *Streamed) stays(c *streamClaim, after time.Duration, changed bool) bool {
	if q.cfg.HoldRetries {
		return true
	}
	if changed || after > q.opts.ShortRetry {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	few := manyShortRetries
	if q.cfg.MaxClaims > 0 {
		few = q.cfg.MaxClaims / 4
	}
	waiting, _ := c.l.back(time.Now())
	return after == 0 || waiting < few
}

const manyShortRetries = 1000

// back counts items that were given back and keep their place: those that wait, and those that are due.
func (l *streamLane) back(now time.Time) (waiting, due int) {
	for _, s := range []*source{&l.due, &l.fresh} {
		for _, at := range s.back {
			if at.After(now) {
				waiting++
			} else {
				due++
			}
		}
	}
	return waiting, due
}

// Dead implements Claim.
func (c *streamClaim) Dead(ctx context.Context, reason string) error {
	if err := c.begin(false); err != nil {
		return err
	}
	q := c.q
	e := envelopeOf(&c.item, c.since)
	e.Reason = reason
	if _, err := q.send(ctx, q.names.deadSubject(token(e.Lane), token(e.Tenant)), &e, c.item.Body, c.deliveryID()); err != nil {
		return c.undo(fmt.Errorf("dead letter: %w", err))
	}
	if err := q.confirm(ctx, c.reply, ackTerm); err != nil {
		return c.undo(err)
	}
	q.finished(c)
	return nil
}

// Extend implements Claim.
func (c *streamClaim) Extend(ctx context.Context) error {
	if err := c.begin(false); err != nil {
		return err
	}
	err := c.q.confirm(ctx, c.reply, ackGoing)
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	c.settled = false
	if err == nil {
		c.end = time.Now().Add(c.q.lease)
	}
	return err
}

// deliveryID names this delivery, so that what is stored because of it is stored once.
func (c *streamClaim) deliveryID() string {
	return fmt.Sprintf("%s.%d.%d", c.s.stream, c.seq, c.times)
}

// begin marks the claim as settled, before the server is told.
func (c *streamClaim) begin(evenLate bool) error {
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	switch {
	case c.q.closed:
		return ErrClosed
	case c.settled:
		return ErrSettled
	case !evenLate && !time.Now().Before(c.end):
		delete(c.l.held, c)
		return ErrStale
	}
	c.settled = true
	return nil
}

// undo lets the taker settle again after the server could not be told.
func (c *streamClaim) undo(err error) error {
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	c.settled = false
	return err
}

// finished is for an item that is no more.
func (q *Streamed) finished(c *streamClaim) {
	q.total.Add(-1)
	if c.s == &c.l.due {
		q.later.Add(-1)
	}
	q.mu.Lock()
	delete(c.l.bodies, c.seq)
	q.mu.Unlock()
	c.released()
}

// released lets the lane go on after a claim.
func (c *streamClaim) released() {
	c.q.mu.Lock()
	delete(c.l.held, c)
	c.q.serve(c.l)
	c.q.mu.Unlock()
	if c.q.cfg.MaxClaims > 0 {
		c.q.ask(c.l)
	}
}

// confirm sends an acknowledgement and waits until the server has it.
func (q *Streamed) confirm(ctx context.Context, reply, what string) error {
	err := q.persist(ctx, func(ctx context.Context) error {
		_, err := q.nc.RequestWithContext(ctx, reply, []byte(what))
		return err
	})
	switch {
	case err == nil:
		return nil
	case q.isClosed(), errors.Is(err, nats.ErrConnectionClosed):
		return ErrClosed
	}
	return fmt.Errorf("acknowledge: %w", err)
}

// keep starts the lease of an item that nobody took anew.
func (q *Streamed) keep(c *streamClaim) {
	if err := q.nc.Publish(c.reply, []byte(ackGoing)); err != nil {
		q.events.failures.Add(1)
	}
}

// giveBack returns an item that nobody took.
func (q *Streamed) giveBack(c *streamClaim) {
	if err := q.nc.Publish(c.reply, []byte(ackNak)); err != nil { // its lease will run out
		q.events.failures.Add(1)
	}
}
