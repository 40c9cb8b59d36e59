package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func (q *Streamed) storage() jetstream.StorageType {
	if q.opts.Storage == StorageMemory {
		return jetstream.MemoryStorage
	}
	return jetstream.FileStorage
}

// outConfig is the stream of fresh items: it refuses what is above its bounds and remembers IDs for the dedupe window.
// Subjects are lane and tenant, never the draft, because the server keeps memory for each subject.
func (q *Streamed) outConfig() jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name:        q.names.out(),
		Description: "drafts waiting to be dispatched",
		Subjects:    []string{q.names.freshSubject("*", "*")},
		Retention:   jetstream.WorkQueuePolicy,
		Discard:     jetstream.DiscardNew,
		Storage:     q.storage(),
		Replicas:    q.opts.Replicas,
		AllowDirect: true,
		MaxMsgs:     -1,
		Duplicates:  DefaultDedupeWindow,
	}
	if w := q.cfg.dedupeWindow(); w > 0 {
		c.Duplicates = w
	}
	if q.cfg.MaxItems > 0 {
		c.MaxMsgs = int64(q.cfg.MaxItems)
	}
	if q.cfg.MaxPerTenant > 0 {
		c.MaxMsgsPerSubject = int64(q.cfg.MaxPerTenant)
		c.DiscardNewPerSubject = true
	}
	return c
}

// laterConfig is the stream of items that wait: schedules that the server turns into due items. A schedule has a
// subject of its own, which is gone when it fires.
func (q *Streamed) laterConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        q.names.later(),
		Description: "drafts waiting for their time, and those whose time has come",
		Subjects: []string{
			q.names.waitSubject(planned, "*", "*", "*"),
			q.names.waitSubject(retried, "*", "*", "*"),
			q.names.dueSubject("*", "*"),
		},
		Retention:         jetstream.WorkQueuePolicy,
		Storage:           q.storage(),
		Replicas:          q.opts.Replicas,
		AllowDirect:       true,
		AllowRollup:       true,
		AllowMsgSchedules: true,
		Duplicates:        max(DefaultDedupeWindow, q.cfg.dedupeWindow()),
	}
}

// deadConfig is the stream of dead letters.
func (q *Streamed) deadConfig() jetstream.StreamConfig {
	keep := q.opts.KeepDead
	if q.cfg.Lanes.On {
		keep = 0 // the server takes the age of stored messages from the wall clock, and would drop them all
	}
	return jetstream.StreamConfig{
		Name:        q.names.dead(),
		Description: "drafts given up",
		Subjects:    []string{q.names.deadSubject("*", "*")},
		Retention:   jetstream.LimitsPolicy,
		Storage:     q.storage(),
		Replicas:    q.opts.Replicas,
		AllowDirect: true,
		MaxAge:      keep,
		Duplicates:  min(DefaultDedupeWindow, q.opts.KeepDead),
	}
}

// consumerConfig is how one lane of a stream is taken. Deliveries are counted, never limited: a message that JetStream
// gave up on would stay in a work queue, unseen.
func (q *Streamed) consumerConfig(s *source) jetstream.ConsumerConfig {
	c := jetstream.ConsumerConfig{
		Durable:       s.consumer,
		FilterSubject: s.filter,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       q.lease,
		MaxDeliver:    -1,
		MaxAckPending: -1,
		MaxWaiting:    4096,
	}
	if q.cfg.MaxClaims > 0 && s.stream == q.names.out() { // due items wait for nothing but their takers
		c.MaxAckPending = q.cfg.MaxClaims
	}
	return c
}

// ensure makes a lane's consumer if it is not there, and brings its settings up to date. A pause stays.
func (q *Streamed) ensure(ctx context.Context, s *source) error {
	want := q.consumerConfig(s)
	err := q.persist(ctx, func(ctx context.Context) error {
		have, err := q.js.Consumer(ctx, s.stream, s.consumer)
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			_, err = q.js.CreateConsumer(ctx, s.stream, want)
			switch api, refused := errors.AsType[*jetstream.APIError](err); {
			case errors.Is(err, jetstream.ErrConsumerExists):
				return nil // somebody else was faster
			case refused && api.ErrorCode == codeConsumerFailed && q.own != nil: // what there is of its files cannot be read
				return errors.Join(err, q.own.Forget(s.stream, s.consumer))
			}
			return err
		}
		if err != nil {
			return err
		}
		info := have.CachedInfo()
		if info.Config.AckWait == want.AckWait && info.Config.MaxAckPending == want.MaxAckPending {
			return nil
		}
		if info.Paused {
			until := time.Now().Add(info.PauseRemaining)
			want.PauseUntil = &until
		}
		_, err = q.js.UpdateConsumer(ctx, s.stream, want)
		return err
	})
	if err != nil {
		return fmt.Errorf("consumer %s of %s: %w", s.consumer, s.stream, err)
	}
	return nil
}

// recount asks the server how many items there are.
func (q *Streamed) recount(ctx context.Context) error {
	out, err := q.out.Info(ctx)
	if err != nil {
		return fmt.Errorf("count items: %w", err)
	}
	late, err := q.late.Info(ctx)
	if err != nil {
		return fmt.Errorf("count delayed items: %w", err)
	}
	q.later.Store(int64(late.State.Msgs))
	q.total.Store(int64(out.State.Msgs + late.State.Msgs))
	return nil
}

func isFull(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	if !ok {
		return false
	}
	switch api.ErrorCode {
	case codeStoreFailed:
		return api.Description == "maximum messages exceeded" || api.Description == tenantFull || api.Description == "maximum bytes exceeded"
	case codeNoStorage, codeNoMemory, codeNoResources:
		return true
	}
	return false
}

// What the server answers when something does not fit.
const (
	codeStoreFailed jetstream.ErrorCode = 10077
	codeNoStorage   jetstream.ErrorCode = 10047
	codeNoMemory    jetstream.ErrorCode = 10028
	codeNoResources jetstream.ErrorCode = 10023
	tenantFull                          = "maximum messages per subject exceeded"

	codeConsumerFailed jetstream.ErrorCode = 10012
)
