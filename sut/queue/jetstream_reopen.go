package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
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
		err := q.stored(ctx, s, func(m *nats.Msg, seq uint64) {
			at, err := time.Parse(time.RFC3339Nano, m.Header.Get(jetstream.TimeStampHeaer))
			if err != nil {
				at = time.Now()
			}
			e, _ := readEnvelope(m.Header.Get(jetstream.SubjectHeader), m.Header, seq, at)
			it := e.item(m.Data)
			each(&it, e.Reason)
		})
		if err != nil {
			return fmt.Errorf("read %s: %w", s.CachedInfo().Config.Name, err)
		}
	}
	return nil
}

// atOnce is how many messages the server is asked for at a time.
const atOnce = 1000

// stored reads a stream from its first message to its end: an item whose time comes meanwhile moves there.
func (q *Streamed) stored(ctx context.Context, s jetstream.Stream, each func(m *nats.Msg, seq uint64)) error {
	info, err := s.Info(ctx)
	if err != nil || info.State.Msgs == 0 {
		return err
	}
	inbox, err := q.nc.SubscribeSync(q.nc.NewInbox())
	if err != nil {
		return err
	}
	defer func() { _ = inbox.Unsubscribe() }() // without a connection there is nothing to end
	for next, more := info.State.FirstSeq, true; more; {
		ask := fmt.Sprintf(`{"seq":%d,"batch":%d,"next_by_subj":">"}`, next, atOnce)
		if err := q.nc.PublishRequest("$JS.API.DIRECT.GET."+info.Config.Name, inbox.Subject, []byte(ask)); err != nil {
			return err
		}
		if next, more, err = batch(ctx, inbox, next, each); err != nil {
			return err
		}
	}
	return nil
}

// batch reads what one request is answered with: messages, and then word that these were all for now. next follows the
// last of them; more says that there may be others.
func batch(ctx context.Context, inbox *nats.Subscription, from uint64, each func(m *nats.Msg, seq uint64)) (next uint64, more bool, err error) {
	next = from
	for {
		try, cancel := context.WithTimeout(ctx, tryFor)
		m, err := inbox.NextMsgWithContext(try)
		cancel()
		if err != nil {
			return next, false, err
		}
		switch status := m.Header.Get("Status"); status {
		case "":
		case "204": // the end of this batch
			return next, next > from, nil
		case "404": // there are no more
			return next, false, nil
		default:
			return next, false, fmt.Errorf("the server says %s %s", status, m.Header.Get("Description"))
		}
		seq, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64)
		if err != nil {
			return next, false, fmt.Errorf("a message without its number: %w", err)
		}
		each(m, seq)
		next = seq + 1
	}
}

// freeing is how long a consumer's leases are while those of a dead process run out.
const freeing = time.Millisecond

// free lets the claims of a process that ended run out at once, with their count of deliveries. Only a queue that has its
// server to itself may: whoever had them is gone, since nobody but this process can have opened the server's files.
func (q *Streamed) free(ctx context.Context, s *source) error {
	if q.own == nil {
		return nil
	}
	stored, err := q.storedFor(ctx, s)
	if err != nil {
		return err
	}
	c, err := q.js.Consumer(ctx, s.stream, s.consumer)
	if err != nil {
		return fmt.Errorf("consumer %s of %s: %w", s.consumer, s.stream, err)
	}
	info := c.CachedInfo()
	if stored > info.NumPending+uint64(info.NumAckPending) {
		return q.anew(ctx, s)
	}
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

// storedFor counts the items that a consumer is there for.
func (q *Streamed) storedFor(ctx context.Context, s *source) (n uint64, err error) {
	stream := q.out
	if s.stream == q.names.later() {
		stream = q.late
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(s.filter))
	if err != nil {
		return 0, fmt.Errorf("count items of %s: %w", s.stream, err)
	}
	for _, each := range info.State.Subjects {
		n += each
	}
	return n, nil
}

// anew makes a consumer anew whose file was lost or damaged: it takes items for delivered that are not, and nobody would
// ever get them.
func (q *Streamed) anew(ctx context.Context, s *source) error {
	err := q.js.DeleteConsumer(ctx, s.stream, s.consumer)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("consumer %s of %s: %w", s.consumer, s.stream, err)
	}
	q.events.recreated.Add(1)
	return q.ensure(ctx, s)
}
