package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Stats implements Queue. It asks the server for each stream and consumer, one after the other, so under load its
// numbers belong to slightly different instants. Items that other processes gave back for a short while count as
// claimed.
func (q *Streamed) Stats(ctx context.Context) (Stats, error) {
	if q.isClosed() {
		return Stats{}, ErrClosed
	}
	s := Stats{PerLane: map[string]int{}, PerTenant: map[string]int{}}
	out, err := q.out.Info(ctx, jetstream.WithSubjectFilter(q.names.freshSubject("*", "*")))
	if err != nil {
		return Stats{}, fmt.Errorf("stats of %s: %w", q.names.out(), err)
	}
	late, err := q.late.Info(ctx, jetstream.WithSubjectFilter(q.names.dueSubject("*", "*")))
	if err != nil {
		return Stats{}, fmt.Errorf("stats of %s: %w", q.names.later(), err)
	}
	dead, err := q.dead.Info(ctx)
	if err != nil {
		return Stats{}, fmt.Errorf("stats of %s: %w", q.names.dead(), err)
	}
	due := s.count(out.State.Subjects, 0)
	due = s.count(late.State.Subjects, due) - due
	claimed, held, err := q.claimedItems(ctx)
	if err != nil {
		return Stats{}, err
	}
	s.Claimed = claimed
	s.Delayed = max(int(late.State.Msgs)-due, 0) + held
	s.Ready = max(int(out.State.Msgs)+due-s.Claimed-held, 0)
	s.Dead = int(dead.State.Msgs)
	if s.Oldest, err = q.oldest(ctx, out.State, due, int(late.State.Msgs)); err != nil {
		return Stats{}, err
	}
	return s, nil
}

// count adds subjects to what each lane and tenant has, and to a sum.
func (s *Stats) count(subjects map[string]uint64, sum int) int {
	for subject, n := range subjects {
		parts := strings.Split(subject, ".")
		if len(parts) != 4 {
			continue
		}
		s.PerLane[untoken(parts[2])] += int(n)
		s.PerTenant[untoken(parts[3])] += int(n)
		sum += int(n)
	}
	return sum
}

// claimedItems counts what is out with takers anywhere, and what only waits for a short retry.
func (q *Streamed) claimedItems(ctx context.Context) (claimed, held int, err error) {
	err = q.consumers(ctx, func(c *jetstream.ConsumerInfo) { claimed += c.NumAckPending })
	if err != nil {
		return 0, 0, fmt.Errorf("stats: %w", err)
	}
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lanes {
		waiting, due := l.back(now)
		claimed -= len(l.due.spare) + len(l.fresh.spare) + waiting + due // given out as the server sees it, but to no taker
		held += waiting
	}
	return max(claimed, 0), held, nil
}

// consumers looks at the consumers of all lanes, those of other processes too.
func (q *Streamed) consumers(ctx context.Context, look func(*jetstream.ConsumerInfo)) error {
	for _, s := range []jetstream.Stream{q.out, q.late} {
		list := s.ListConsumers(ctx)
		for c := range list.Info() {
			look(c)
		}
		if err := list.Err(); err != nil {
			return fmt.Errorf("consumers of %s: %w", s.CachedInfo().Config.Name, err)
		}
	}
	return nil
}

// oldest looks at the first item of each kind. Of the items that wait for a retry it knows the one that was given back
// first, which need not be the oldest.
func (q *Streamed) oldest(ctx context.Context, out jetstream.StreamState, due, later int) (time.Time, error) {
	var oldest time.Time
	if out.Msgs > 0 {
		oldest = out.FirstTime
	}
	var subjects []string
	if due > 0 {
		subjects = append(subjects, q.names.dueSubject("*", "*"))
	}
	if later > due {
		subjects = append(subjects, q.names.waitSubject(retried, "*", "*", "*"))
	}
	for _, subject := range subjects {
		m, err := q.late.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return time.Time{}, fmt.Errorf("oldest of %s: %w", subject, err)
		}
		e, _ := readEnvelope(m.Subject, m.Header, m.Sequence, m.Time)
		if since := instantOf(e.Since); oldest.IsZero() || since.Before(oldest) {
			oldest = since
		}
	}
	return oldest, nil
}

// Health tells what should not happen.
type Health struct {
	Orphaned   int // items in the streams that no consumer will deliver: lanes that nobody has taken from yet, or a fault
	Stalls     int // times a lane with items and takers delivered nothing for too long
	Recreated  int // consumers made anew because of it
	Reconnects int // times the connection was lost and came back
	Foreign    int // messages taken that the queue did not make
	Failures   int // errors that were got over
}

// Health asks the server for orphans and adds what was counted since the queue was opened.
func (q *Streamed) Health(ctx context.Context) (Health, error) {
	if q.isClosed() {
		return Health{}, ErrClosed
	}
	h := Health{
		Stalls:     int(q.events.stalls.Load()),
		Recreated:  int(q.events.recreated.Load()),
		Reconnects: int(q.events.reconnects.Load()),
		Foreign:    int(q.events.foreign.Load()),
		Failures:   int(q.events.failures.Load()),
	}
	out, err := q.out.Info(ctx)
	if err != nil {
		return Health{}, fmt.Errorf("health of %s: %w", q.names.out(), err)
	}
	late, err := q.late.Info(ctx, jetstream.WithSubjectFilter(q.names.dueSubject("*", "*")))
	if err != nil {
		return Health{}, fmt.Errorf("health of %s: %w", q.names.later(), err)
	}
	h.Orphaned = int(out.State.Msgs)
	for _, n := range late.State.Subjects {
		h.Orphaned += int(n)
	}
	err = q.consumers(ctx, func(c *jetstream.ConsumerInfo) { h.Orphaned -= int(c.NumPending) + c.NumAckPending })
	if err != nil {
		return Health{}, fmt.Errorf("health: %w", err)
	}
	h.Orphaned = max(h.Orphaned, 0)
	return h, nil
}
