package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// What a queue that was stored finds when it is opened again.

// Stored is a queue that tells what it holds since an earlier process, or an earlier service. Both engines are.
type Stored interface {
	// Stored tells of every unfinished item, claimed ones too, and of dead letters, which have a reason. What is put, taken
	// and settled meanwhile may be told of or not.
	Stored(ctx context.Context, each func(it *Item, dead string)) error
}

var _ Stored = (*Streamed)(nil)

// Stored implements the interface of this name.
func (q *Streamed) Stored(ctx context.Context, each func(it *Item, dead string)) error {
	for _, s := range []jetstream.Stream{q.out, q.late, q.dead} {
		err := stored(ctx, s, func(m *jetstream.RawStreamMsg) {
			e, _ := readEnvelope(m.Subject, m.Header, m.Sequence, m.Time)
			it := e.item(m.Data)
			each(&it, e.Reason)
		})
		if err != nil {
			return fmt.Errorf("read %s: %w", s.CachedInfo().Config.Name, err)
		}
	}
	return nil
}

// stored reads a stream from its first message to the last that it has now.
func stored(ctx context.Context, s jetstream.Stream, each func(*jetstream.RawStreamMsg)) error {
	info, err := s.Info(ctx)
	if err != nil {
		return err
	}
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq && info.State.Msgs > 0; {
		m, err := s.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		each(m)
		seq = m.Sequence + 1
	}
	return nil
}

// freeing is how long a consumer's leases are while those of a dead process run out.
const freeing = time.Millisecond

// free lets the claims of a process that ended run out at once, with their count of deliveries. Only a queue that has its
// server to itself may: whoever had them is gone, since nobody but this process can have opened the server's files.
func (q *Streamed) free(ctx context.Context, s *source) error {
	if q.own == nil {
		return nil
	}
	c, err := q.js.Consumer(ctx, s.stream, s.consumer)
	if err != nil {
		return fmt.Errorf("consumer %s of %s: %w", s.consumer, s.stream, err)
	}
	info := c.CachedInfo()
	if info.NumAckPending == 0 {
		return nil
	}
	for _, wait := range []time.Duration{freeing, q.lease} {
		cfg := q.consumerConfig(s)
		cfg.AckWait = wait
		if info.Paused {
			until := time.Now().Add(info.PauseRemaining)
			cfg.PauseUntil = &until
		}
		if _, err := q.js.UpdateConsumer(ctx, s.stream, cfg); err != nil {
			return fmt.Errorf("consumer %s of %s: %w", s.consumer, s.stream, err)
		}
		if wait == freeing {
			if err := q.pauseFor(ctx, 2*tryAgain); err != nil { // the server looks within 100 ms
				return err
			}
		}
	}
	return nil
}
