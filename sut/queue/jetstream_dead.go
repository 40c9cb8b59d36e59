package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// DeadLetters implements Queue.
func (q *Streamed) DeadLetters(ctx context.Context, after string, limit int) ([]DeadItem, error) {
	if q.isClosed() {
		return nil, ErrClosed
	}
	var seq uint64
	if after != "" {
		var err error
		if seq, err = parseDead(after); err != nil {
			return nil, err
		}
	}
	var found []DeadItem
	for len(found) < limit {
		m, err := q.dead.GetMsg(ctx, seq+1, jetstream.WithGetMsgSubject(q.names.deadSubject("*", "*")))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("dead letters: %w", err)
		}
		e, _ := readEnvelope(m.Subject, m.Header, m.Sequence, m.Time)
		found = append(found, DeadItem{strconv.FormatUint(m.Sequence, 10), e.item(m.Data), e.Reason, m.Time})
		seq = m.Sequence
	}
	return found, nil
}

// Replay implements Queue. The item is in the queue before the dead letter is dropped; a second Replay of the same
// letter does not put it there twice.
func (q *Streamed) Replay(ctx context.Context, id string) error {
	m, err := q.deadLetter(ctx, id)
	if err != nil {
		return err
	}
	now := time.Now()
	e, _ := readEnvelope(m.Subject, m.Header, m.Sequence, m.Time)
	e.Enqueued, e.Since = now.UnixNano(), now.UnixNano()
	e.NotBefore, e.Deliveries, e.Reason = 0, 0, ""
	subject := q.names.freshSubject(token(e.Lane), token(e.Tenant))
	duplicate, err := q.send(ctx, subject, &e, m.Data, q.names.dead()+"."+id)
	if err != nil {
		return fmt.Errorf("replay dead letter %s: %w", id, err)
	}
	if !duplicate {
		q.total.Add(1)
	}
	return q.drop(ctx, m.Sequence)
}

// Purge implements Queue.
func (q *Streamed) Purge(ctx context.Context, id string) error {
	m, err := q.deadLetter(ctx, id)
	if err != nil {
		return err
	}
	return q.drop(ctx, m.Sequence)
}

func (q *Streamed) deadLetter(ctx context.Context, id string) (*jetstream.RawStreamMsg, error) {
	if q.isClosed() {
		return nil, ErrClosed
	}
	seq, err := parseDead(id)
	if err != nil {
		return nil, err
	}
	m, err := q.dead.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, fmt.Errorf("dead letter %q: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("dead letter %q: %w", id, err)
	}
	return m, nil
}

func (q *Streamed) drop(ctx context.Context, seq uint64) error {
	err := q.persist(ctx, func(ctx context.Context) error { return q.dead.DeleteMsg(ctx, seq) })
	if err != nil && !errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) { // which says that it is gone already
		return fmt.Errorf("drop dead letter %d: %w", seq, err)
	}
	return nil
}
