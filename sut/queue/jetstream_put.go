package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers of the server's message schedules.
const (
	scheduleHeader = "Nats-Schedule"
	targetHeader   = "Nats-Schedule-Target"
)

// Put implements Queue. It tries for as long as ctx allows; an attempt whose answer was lost is recognised by the ID.
func (q *Streamed) Put(ctx context.Context, it Item) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkItem(&it); err != nil {
		return err
	}
	if q.isClosed() {
		return ErrClosed
	}
	later := q.later.Load()
	if q.cfg.MaxItems > 0 && later > 0 && q.total.Load() >= int64(q.cfg.MaxItems) {
		return ErrFull
	}
	ctx, done := q.health.watch(ctx)
	defer done()
	now := time.Now()
	it.Enqueued, it.Delivery = now, 0
	id := ""
	if q.cfg.DedupeWindow >= 0 {
		id = token(it.ID)
	}
	e := envelopeOf(&it, nanos(now))
	var duplicate bool
	var err error
	if it.NotBefore.IsZero() {
		duplicate, err = q.send(ctx, q.names.freshSubject(token(it.Lane), token(it.Tenant)), &e, it.Body, id)
	} else { // into LATER even if it is due, so that the ID is known there whenever it is put again
		e.Since = max(nanos(it.NotBefore), nanos(now))
		duplicate, err = q.wait(ctx, planned, &e, it.Body, it.NotBefore, id)
	}
	if err != nil {
		return err
	}
	if duplicate {
		return ErrDuplicate
	}
	q.total.Add(1)
	return nil
}

// wait puts an item into LATER until an instant.
func (q *Streamed) wait(ctx context.Context, kind string, e *envelope, body []byte, until time.Time, id string) (duplicate bool, err error) {
	due := q.names.dueSubject(token(e.Lane), token(e.Tenant))
	if !until.After(time.Now()) {
		duplicate, err = q.send(ctx, due, e, body, id)
	} else {
		var m *nats.Msg
		if m, err = e.message(q.names.waitSubject(kind, token(e.Lane), token(e.Tenant), token(e.ID)), body); err != nil {
			return false, err
		}
		m.Header[scheduleHeader] = []string{"@at " + until.UTC().Format(time.RFC3339Nano)}
		m.Header[targetHeader] = []string{due}
		duplicate, err = q.publish(ctx, m, id)
	}
	if err == nil && !duplicate {
		q.later.Add(1)
	}
	return duplicate, err
}

func (q *Streamed) send(ctx context.Context, subject string, e *envelope, body []byte, id string) (duplicate bool, err error) {
	m, err := e.message(subject, body)
	if err != nil {
		return false, err
	}
	return q.publish(ctx, m, id)
}

// publish stores a message and reports whether its id had been stored before. Without an id it tries once.
func (q *Streamed) publish(ctx context.Context, m *nats.Msg, id string) (duplicate bool, err error) {
	opts := []jetstream.PublishOpt{jetstream.WithRetryAttempts(0)}
	if id != "" {
		opts = append(opts, jetstream.WithMsgID(id))
	}
	attempts := 0
	store := func(ctx context.Context) error {
		attempts++
		ack, err := q.js.PublishMsg(ctx, m, opts...)
		if err == nil {
			duplicate = ack.Duplicate && attempts == 1
		}
		return err
	}
	if id == "" {
		try, cancel := context.WithTimeout(ctx, tryFor)
		defer cancel()
		err = store(try)
	} else {
		err = q.persist(ctx, store)
	}
	if err != nil {
		return false, q.putError(ctx, m.Subject, err)
	}
	return duplicate, nil
}

func (q *Streamed) putError(ctx context.Context, subject string, err error) error {
	switch api, ok := errors.AsType[*jetstream.APIError](err); {
	case ok && api.ErrorCode == codeStoreFailed && api.Description == tenantFull:
		return ErrTenantFull
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("put: %w: %w", ErrBadItem, err)
	case isFull(err):
		return ErrFull
	case errors.Is(context.Cause(ctx), ErrUnwell):
		return ErrUnwell
	case q.isClosed(), errors.Is(err, nats.ErrConnectionClosed):
		return ErrClosed
	case ctx.Err() != nil:
		return fmt.Errorf("publish to %s: %w", subject, context.Cause(ctx))
	}
	return fmt.Errorf("publish to %s: %w", subject, err)
}

func (q *Streamed) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}
