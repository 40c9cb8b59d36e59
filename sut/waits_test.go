package sut

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// TestEveryWaitIsKept: a draft that goes back to the queue comes again after the wait that its answer asks for, and not
// before. Most of these waits are no settings.
func TestEveryWaitIsKept(t *testing.T) {
	steady := plain + "drafts.send.jitter=none; drafts.budget.cap=0; drafts.breaker.open=0s; drafts.provider.open=0s; "
	for _, c := range []struct {
		name         string
		settings     string
		status, code int
		after        string // Retry-After
		i            int    // between which two calls
		want         int    // seconds
	}{
		{"retryable", steady, 400, 131057, "", 0, 1},
		{"retryable, the fourth time", steady, 400, 131057, "", 3, 8},
		{"retryable, with a hint", steady, 400, 131057, "20", 0, 20},
		{"retryable, with a hint that is shorter", steady + "drafts.send.backoff=5s", 400, 131057, "2", 0, 5},
		{"the provider's failure", steady, 500, 131016, "", 0, 1},
		{"throttled, the number", steady, 429, 130429, "", 0, 1},
		{"throttled, the number, with a hint", steady, 429, 130429, "45", 0, 45},
		{"throttled, the pair", steady, 400, 131056, "", 0, 4},
		{"throttled, the pair again", steady, 400, 131056, "", 1, 16},
		{"throttled, the quality", steady, 400, 131048, "", 0, 600},
		{"throttled, the app", steady, 400, 4, "", 0, 30},
		{"throttled, without a code", steady, 429, 0, "", 0, 1},
		{"stopped", steady, 403, 131031, "", 0, 1},
		{"held", steady, 504, 0, "", 0, 120},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWorld(t, laid(t, c.settings))
				defer w.close()
				if c.after != "" {
					w.api.header = http.Header{"Retry-After": {c.after}}
				}
				calls := w.answers(c.status, c.code, -1)
				w.posts(1)
				settle(time.Hour)
				if got := calls.gap(c.i); got != c.want {
					t.Errorf("%d s, want %d", got, c.want)
				}
			})
		})
	}
}

// TestSendersOwnWaitsAreKept: what has to wait for reasons of the sender's own, a refused connection, a callee that is
// busy, a pause, a turn, a pace, is asked for every now and then and not all the time.
func TestSendersOwnWaitsAreKept(t *testing.T) {
	paused := func(order string, more string) func(w *world) {
		return func(w *world) { w.call("POST", "/v1/pause", order); w.posts(1, more) }
	}
	for _, c := range []struct {
		name     string
		settings string
		do       func(w *world)
		least    int64 // times that the draft is taken from the queue in ten minutes
		most     int64
	}{
		{"connections are refused", "drafts.provider.open=0s; drafts.budget.cap=0; drafts.send.backoff=10s; drafts.send.backoff_max=0s; drafts.send.jitter=none", func(w *world) {
			delete(w.net.hosts, "api")
			w.posts(1)
		}, 50, 60},
		{"the provider is out", "drafts.provider.after=1", func(w *world) { w.answers(500, 131016, -1); w.posts(1) }, 10, 40},
		{"no replica takes it", "drafts.budget.cap=0; drafts.send.attempts=1; drafts.send.backoff=5s; drafts.send.backoff_max=0s; drafts.send.jitter=none; drafts.throttle.k=0", func(w *world) {
			w.refuses("whatsapp", "/v1/send", func(int64) bool { return true })
			w.posts(1)
		}, 100, 120},
		{"a tenant is paused", "", paused(`{"scope":"tenant","name":"acme"}`, `,"tenant":"acme"`), 15, 21},
		{"a number is paused", "", paused(`{"scope":"number","name":"7"}`, `,"number":"7"`), 15, 21},
		{"it is not its turn, and there is no place beside the queue", "drafts.order.park=0", func(w *world) {
			w.answers(400, 4, -1)
			for _, id := range []string{"m1", "m2"} {
				w.post(w.t.Context(), id, 1, `{"to":"+15551234567","text":"`+id+`"}`)
			}
		}, 100, 145},
		{"the pace of a number is far ahead", "drafts.number.rate=1/min; drafts.number.burst=1; drafts.number.adapt.cut=0%", func(w *world) { w.posts(3) }, 10, 60},
		{"the pace of a pair is far ahead", "drafts.pair.every=2m; drafts.pair.burst=1; drafts.order.conversation=off", func(w *world) {
			for _, id := range []string{"m1", "m2", "m3"} {
				w.post(w.t.Context(), id, 1, `{"to":"+15551234567","text":"`+id+`"}`)
			}
		}, 4, 8},
		{"the budget is used up", "drafts.budget.cap=1; drafts.budget.floor=0.001; drafts.send.attempts=100; drafts.send.backoff=1s; drafts.send.backoff_max=0s; drafts.send.jitter=none", func(w *world) {
			w.answers(400, 131057, -1)
			w.posts(1)
		}, 9, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				lanes := instant.Lanes{On: true}
				q := &counted{Queue: queue.NewMemory(queue.Config{Lanes: lanes, Lease: 90 * time.Second})}
				w := wiredWorld(t, laid(t, "simulate=false", c.settings), func(w *Wiring) { w.Queue = q })
				w.queue = q
				defer w.close()
				c.do(w)
				settle(10 * time.Minute)
				if n := q.taken.Load(); n < c.least || n > c.most {
					t.Errorf("taken %d times, want %d to %d", n, c.least, c.most)
				}
			})
		})
	}
}

// counted counts how often items are taken from a queue.
type counted struct {
	queue.Queue
	taken atomic.Int64
}

func (q *counted) Take(ctx context.Context, lane string) (queue.Claim, error) {
	c, err := q.Queue.Take(ctx, lane)
	if err == nil {
		q.taken.Add(1)
	}
	return c, err
}
