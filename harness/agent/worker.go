package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/aftershock-dev/aftershock/harness"
)

// Load is a share of the arrivals, ready to be sent.
type Load interface {
	// Hits is how many messages the share holds.
	Hits() int
	// Send sends them, the first at start plus its offset, and returns when every one has its last answer, or ctx ended.
	// It calls report once for each message that it is done with, from any goroutine.
	Send(ctx context.Context, start time.Time, report func(h harness.Hit, scheduled time.Duration)) error
}

// Worker is one agent. Fill the fields, call Run.
type Worker struct {
	ID      string                                           // unique within the group
	Group   string                                           // default DefaultGroup
	Version string                                           // of the program: a team is of one version
	Conn    *nats.Conn                                       // closed by its owner
	Once    bool                                             // end after one run
	Allow   Allow                                            // what orders may ask of this machine
	Key     string                                           // that orders have to be signed with; "": none
	Load    func(ctx context.Context, o Order) (Load, error) // default: a share of the scenario, as far as Allow goes
	Say     func(what string)                                // tells the owner what happens; default: nobody

	subjects subjects
	mu       sync.Mutex
	job      *job
	nonce    string // told with hello, and part of what the next order is signed with: each signs one
	ordered  string // the nonce of the order that was obeyed, which start and stop are signed with
	jobs     sync.WaitGroup
	done     context.CancelFunc
}

// Run takes orders until ctx ends, and returns when the load it was sending has stopped.
func (w *Worker) Run(ctx context.Context) error {
	w.Group = cmp.Or(w.Group, DefaultGroup)
	if w.Load == nil {
		w.Load = w.share
	}
	if w.Say == nil {
		w.Say = func(string) {}
	}
	if err := errors.Join(checkToken("agent", w.ID), checkToken("group", w.Group)); err != nil {
		return err
	}
	w.subjects, w.nonce = subjects{w.Group}, rand.Text()
	ctx, w.done = context.WithCancel(ctx)
	defer w.done()
	doors := map[string]nats.MsgHandler{
		w.subjects.call():               func(m *nats.Msg) { w.answer(m, w.hello()) },
		w.subjects.agent(w.ID, "clock"): func(m *nats.Msg) { w.answer(m, clockReading{time.Now().UnixNano()}) },
		w.subjects.agent(w.ID, "order"): func(m *nats.Msg) {
			if !w.signed(m, "order") {
				w.Say("refused: " + errUnsigned.Error())
				w.answer(m, prepared{Error: errUnsigned.Error()})
				return
			}
			w.answer(m, w.order(ctx, m.Data))
		},
		w.subjects.agent(w.ID, "start"): func(m *nats.Msg) { w.answer(m, w.obey(m, "start", func() receipt { return w.start(m.Data) })) },
		w.subjects.agent(w.ID, "stop"):  func(m *nats.Msg) { w.answer(m, w.obey(m, "stop", w.stop)) },
	}
	var subs []*nats.Subscription
	for subject, handle := range doors {
		sub, err := w.Conn.Subscribe(subject, handle)
		if err != nil {
			return fmt.Errorf("agent %s: listen for orders: %w", w.ID, err)
		}
		subs = append(subs, sub)
	}
	if err := w.Conn.Flush(); err != nil {
		return fmt.Errorf("agent %s: listen for orders: %w", w.ID, err)
	}
	<-ctx.Done()
	for _, s := range subs {
		_ = s.Unsubscribe() // the connection may be gone already
	}
	w.stop()
	w.jobs.Wait()
	return nil
}

func (w *Worker) answer(m *nats.Msg, v any) { _ = m.Respond(encode(v)) } // nobody to tell: the asker asks again

// obey does what a request asks, if it is signed.
func (w *Worker) obey(m *nats.Msg, door string, do func() receipt) receipt {
	if !w.signed(m, door) {
		return receipt{Error: errUnsigned.Error()}
	}
	return do()
}

func (w *Worker) hello() hello {
	w.mu.Lock()
	defer w.mu.Unlock()
	return hello{ID: w.ID, Version: w.Version, Busy: w.job != nil && w.job.started, Nonce: w.nonce}
}

// order prepares a share. A new order takes the place of one that was never started.
func (w *Worker) order(ctx context.Context, data []byte) prepared {
	o, err := decode[Order](data)
	if err == nil && (o.Shards < 1 || o.Shard < 0 || o.Shard >= o.Shards) {
		err = fmt.Errorf("share %d of %d", o.Shard, o.Shards)
	}
	if err == nil {
		err = checkToken("run", o.Run)
	}
	if err != nil {
		return prepared{Error: "unreadable order: " + err.Error()}
	}
	l, err := w.Load(ctx, o)
	if err != nil {
		w.Say("run " + o.Run + ": " + err.Error())
		return prepared{Error: err.Error()}
	}
	w.Say(fmt.Sprintf("run %s: ready to send %d messages, share %d of %d", o.Run, l.Hits(), o.Shard+1, o.Shards))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.job != nil && w.job.started {
		return prepared{Error: "busy with run " + w.job.order.Run}
	}
	if w.job != nil {
		w.job.cancel()
	}
	j := &job{worker: w, order: o, load: l, hist: NewHistograms(), wake: make(chan struct{}, 1)}
	j.ctx, j.cancel = context.WithCancel(ctx)
	w.ordered, w.nonce = w.nonce, rand.Text()
	w.job = j
	return prepared{Hits: l.Hits()}
}

// start lets the prepared share go.
func (w *Worker) start(data []byte) receipt {
	b, err := decode[begin](data)
	if err != nil {
		return receipt{Error: err.Error()}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := time.Now().Add(time.Until(time.Unix(0, b.At))) // with a monotonic reading: later steps of the clock do not matter
	switch {
	case w.job == nil:
		return receipt{Error: "nothing has been ordered"}
	case w.job.started:
		return receipt{} // asked again
	case time.Until(at) <= 0:
		return receipt{Error: fmt.Sprintf("the start was %v ago", -time.Until(at))}
	}
	j := w.job
	j.started = true
	w.jobs.Go(func() {
		w.Say(fmt.Sprintf("run %s: %s", j.order.Run, j.run(at)))
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.job == j {
			w.job = nil
		}
		if w.Once {
			w.done()
		}
	})
	return receipt{}
}

// stop ends what is being sent, or forgets what was prepared.
func (w *Worker) stop() receipt {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.job != nil {
		w.job.cancel()
		if !w.job.started {
			w.job = nil
		}
	}
	return receipt{}
}
