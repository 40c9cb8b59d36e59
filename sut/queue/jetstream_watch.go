package queue

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// watch puts right what goes wrong without anybody's call: requests the server forgot, consumers that are gone or
// stuck, items nobody took after all, pauses that end.
func (q *Streamed) watch(ctx context.Context) {
	for {
		t := time.NewTimer(q.clock.After(time.Now(), q.untilWatch()))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		case <-q.kick:
			t.Stop()
			if q.pauseFor(ctx, tryAgain) != nil {
				return
			}
		}
		q.tend(ctx)
	}
}

// wake lets watch look at once, or nearly.
func (q *Streamed) wake() {
	select {
	case q.kick <- struct{}{}:
	default:
	}
}

// untilWatch is when watch looks next: every few seconds, and when a pause ends.
func (q *Streamed) untilWatch() time.Duration {
	now := time.Now()
	d := watchEvery
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lanes {
		if l.paused && !l.until.IsZero() {
			d = min(d, max(l.until.Sub(now), 0))
		}
	}
	return d
}

func (q *Streamed) tend(ctx context.Context) {
	if q.own == nil || q.later.Load() > 0 { // others may have put or taken items
		q.note(q.recount(ctx))
	}
	for _, l := range q.opened() {
		for _, s := range []*source{&l.due, &l.fresh} {
			q.mend(ctx, l, s)
		}
		for _, c := range q.tidy(l) {
			if q.own == nil {
				q.giveBack(c)
			} else {
				q.keep(c)
			}
		}
		q.unstall(ctx, l)
		q.ask(l)
	}
}

func (q *Streamed) note(err error) {
	if err != nil && !errors.Is(err, ErrClosed) {
		q.events.failures.Add(1)
	}
}

// opened lists the lanes whose consumers were made.
func (q *Streamed) opened() []*streamLane {
	q.mu.Lock()
	defer q.mu.Unlock()
	var open []*streamLane
	for _, l := range q.lanes {
		select {
		case <-l.open:
			if l.failed == nil {
				open = append(open, l)
			}
		default:
		}
	}
	return open
}

// mend makes a consumer anew that the server says is not there.
func (q *Streamed) mend(ctx context.Context, l *streamLane, s *source) {
	q.mu.Lock()
	broken := s.broken
	q.mu.Unlock()
	if !broken {
		return
	}
	try, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	if err := q.ensure(try, s); err != nil {
		q.note(err)
		q.wake()
		return
	}
	q.mu.Lock()
	s.broken = false
	l.unpull(s, anyPull)
	q.mu.Unlock()
}

// tidy ends pauses, forgets requests that have had no answer, and finds items that have waited too long for a taker.
// They go back when other processes may want them; otherwise they stay, so that their first delivery is their first.
func (q *Streamed) tidy(l *streamLane) (unused []*streamClaim) {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if l.paused && !l.until.IsZero() && !l.until.After(now) {
		l.paused, l.until = false, time.Time{}
		l.moved = now
		q.serve(l)
	}
	for c := range l.held {
		if !now.Before(c.end) {
			delete(l.held, c)
		}
	}
	for _, s := range []*source{&l.due, &l.fresh} {
		l.unpull(s, func(p pull) bool { return !now.Before(p.end) })
		if q.own == nil { // somebody else may have taken what is due
			maps.DeleteFunc(s.back, func(_ uint64, at time.Time) bool { return now.Sub(at) > 2*watchEvery })
		}
		s.spare = slices.DeleteFunc(s.spare, func(c *streamClaim) bool {
			old := now.Sub(c.end.Add(-q.lease)) >= min(q.lease/2, 2*watchEvery)
			if old {
				unused = append(unused, c)
				c.end = now.Add(q.lease)
			}
			return old && q.own == nil
		})
	}
	return unused
}

// unstall looks after a lane that has takers and gets nothing: first it asks anew, then it makes the consumers anew,
// which hands claimed items out again.
func (q *Streamed) unstall(ctx context.Context, l *streamLane) {
	now := time.Now()
	q.mu.Lock()
	waiting := l.wait > 0 && !l.paused && now.Sub(l.moved) >= q.opts.StallAfter
	if waiting {
		l.moved = now
	}
	q.mu.Unlock()
	if !waiting {
		return
	}
	for _, s := range []*source{&l.due, &l.fresh} {
		stuck, err := q.stuck(ctx, s)
		q.note(err)
		if !stuck {
			continue
		}
		q.events.stalls.Add(1)
		q.mu.Lock()
		l.unpull(s, anyPull)
		l.stalls++
		again := l.stalls > 1
		q.mu.Unlock()
		if !again {
			continue
		}
		err = q.js.DeleteConsumer(ctx, s.stream, s.consumer)
		if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			q.note(err)
			continue
		}
		if err := q.ensure(ctx, s); err != nil {
			q.note(err)
			continue
		}
		q.events.recreated.Add(1)
	}
}

// stuck says whether a consumer could deliver and does not.
func (q *Streamed) stuck(ctx context.Context, s *source) (bool, error) {
	try, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	c, err := q.js.Consumer(try, s.stream, s.consumer)
	if err != nil {
		return false, err
	}
	i := c.CachedInfo()
	full := i.Config.MaxAckPending > 0 && i.NumAckPending >= i.Config.MaxAckPending
	return i.NumPending > 0 && !full && !i.Paused, nil
}

// Pause implements Pauser. The pause holds for every process that takes from the lane, and outlasts them.
func (q *Streamed) Pause(ctx context.Context, lane string, until time.Time) error {
	l, err := q.laneOf(ctx, lane)
	if err != nil {
		return err
	}
	q.mu.Lock()
	l.paused, l.until = true, until
	q.mu.Unlock()
	q.wake() // to know when it ends
	end := until
	if end.IsZero() {
		end = time.Now().AddDate(100, 0, 0)
	}
	for _, s := range []*source{&l.due, &l.fresh} {
		if err := q.persist(ctx, func(ctx context.Context) error {
			_, err := q.js.PauseConsumer(ctx, s.stream, s.consumer, end)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// Resume implements Pauser.
func (q *Streamed) Resume(ctx context.Context, lane string) error {
	l, err := q.laneOf(ctx, lane)
	if err != nil {
		return err
	}
	for _, s := range []*source{&l.due, &l.fresh} {
		if err := q.persist(ctx, func(ctx context.Context) error {
			_, err := q.js.ResumeConsumer(ctx, s.stream, s.consumer)
			return err
		}); err != nil {
			return err
		}
	}
	q.mu.Lock()
	l.paused, l.until = false, time.Time{}
	l.moved = time.Now()
	q.serve(l)
	q.mu.Unlock()
	q.ask(l)
	return nil
}
