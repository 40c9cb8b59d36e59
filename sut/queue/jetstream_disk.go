package queue

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"
)

// A server that could not write a stream's files, as when the disk is full, takes nothing more for that stream until it is
// started anew. A queue that has its server to itself does that when there is room again.

// ErrUnwell is returned by Put while the queue's files cannot be written. The item was not taken.
var ErrUnwell = errors.New("the queue's files cannot be written")

// Ailing is a queue that says what is wrong with it. Streamed is.
type Ailing interface {
	// Trouble says why nothing can be put; "" when nothing is wrong.
	Trouble() string
}

var _ Ailing = (*Streamed)(nil)

// Trouble implements Ailing.
func (q *Streamed) Trouble() string {
	if q.health.broken() {
		return ErrUnwell.Error()
	}
	return ""
}

// health is whether the own server's files can be written. Its zero value is always well.
type health struct {
	well atomic.Pointer[context.Context] // ends when they cannot; nil: nobody looks
	end  context.CancelCauseFunc         // for whoever looks
}

func (h *health) broken() bool {
	well := h.well.Load()
	return well != nil && (*well).Err() != nil
}

// recovers says that the files can be written, fails that they cannot.
func (h *health) recovers() {
	if h.well.Load() == nil || h.broken() {
		well, end := context.WithCancelCause(context.Background())
		h.well.Store(&well)
		h.end = end
	}
}

func (h *health) fails() { h.end(ErrUnwell) }

// watch returns a context that ends when the files cannot be written.
func (h *health) watch(ctx context.Context) (context.Context, context.CancelFunc) {
	well := h.well.Load()
	if well == nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(*well, func() { cancel(ErrUnwell) })
	return ctx, func() { stop(); cancel(nil) }
}

// The pace at which the server is asked how it is, and what is written to find out whether there is room.
const (
	lookEvery  = time.Second
	lookAtMost = time.Minute // between two restarts that did not help
	probeSize  = 1 << 20
)

// nurse looks after the queue's own server until ctx ends.
func (q *Streamed) nurse(ctx context.Context) {
	defer q.health.recovers()
	pause := lookEvery
	for q.pauseFor(ctx, pause) == nil {
		if q.own.Broken() == nil {
			q.health.recovers()
			pause = lookEvery
			continue
		}
		q.health.fails()
		if q.room() != nil {
			continue
		}
		pause = min(2*pause, lookAtMost)
		if err := q.own.Restart(); err != nil {
			q.events.failures.Add(1)
			continue
		}
		q.events.restarts.Add(1)
	}
}

// room finds out whether something can be written beside the server's files.
func (q *Streamed) room() error {
	f, err := os.CreateTemp(q.own.Dir(), "room-")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeSize))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}
