package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aftershock-dev/aftershock/harness/virtual"
	"github.com/aftershock-dev/aftershock/sut/drafts"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// life is one life of the sender's process, from its start to its death. Goroutines cannot be killed, so a dead process is
// one that nothing reaches any more: its calls fail, its callers see their connections break, the queue and the disk take
// nothing from it. What is left of it comes to its end unseen.
type life struct {
	ctx    context.Context
	end    context.CancelFunc
	dead   atomic.Bool
	ghosts sync.WaitGroup // handlers that may outlive their callers
	onEnd  func()         // called once, at the death

	mu     sync.Mutex
	claims []queue.Claim // of the queue, that it has not settled
}

func newLife() *life {
	l := &life{}
	l.ctx, l.end = context.WithCancel(context.Background())
	return l
}

// die ends the life at once.
func (l *life) die() {
	if l.dead.Swap(true) {
		return
	}
	if l.onEnd != nil {
		l.onEnd()
	}
	l.end()
}

// bound is a context that ends with the life, too.
func (l *life) bound(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// calls is the network as the process reaches it.
type calls struct {
	life *life
	net  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c calls) RoundTrip(r *http.Request) (*http.Response, error) {
	gone := func() error { return fmt.Errorf("call %s: %w", r.URL.Host, syscall.ECONNRESET) }
	if c.life.dead.Load() {
		if r.Body != nil {
			_ = r.Body.Close() // nobody will read it
		}
		return nil, gone()
	}
	ctx, release := c.life.bound(r.Context())
	resp, err := c.net.RoundTrip(r.WithContext(ctx)) // its answer is whole when it comes
	release()
	if c.life.dead.Load() {
		return nil, gone()
	}
	return resp, err
}

// door is a handler of the process: its callers see the connection break when the process dies.
func (l *life) door(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if l.dead.Load() || err != nil {
			panic(http.ErrAbortHandler)
		}
		in := r.WithContext(r.Context())
		in.Body = io.NopCloser(bytes.NewReader(body))
		out := &draftAnswer{header: http.Header{}, code: http.StatusOK}
		done := make(chan any, 1) // what it panicked with, if it did
		l.ghosts.Go(func() {
			var slip any = http.ErrAbortHandler
			defer func() {
				if p := recover(); p != nil {
					slip = p
				}
				done <- slip
			}()
			h.ServeHTTP(out, in)
			slip = nil
		})
		select {
		case slip := <-done:
			if l.dead.Load() {
				slip = http.ErrAbortHandler
			}
			if slip != nil {
				panic(slip) // as if the handler had been called here
			}
		case <-l.ctx.Done():
			panic(http.ErrAbortHandler)
		}
		out.send(w)
	})
}

// draftAnswer is an answer that has not left.
type draftAnswer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *draftAnswer) Header() http.Header         { return a.header }
func (a *draftAnswer) WriteHeader(code int)        { a.code = code }
func (a *draftAnswer) Write(b []byte) (int, error) { return a.body.Write(b) }

func (a *draftAnswer) send(w http.ResponseWriter) {
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.WriteHeader(a.code)
	_, _ = w.Write(a.body.Bytes()) // a caller that has gone is nothing new
}

// held keeps a claim until it is settled.
func (l *life) held(c queue.Claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.claims = append(l.claims, c)
}

func (l *life) settled(c queue.Claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.claims = slices.DeleteFunc(l.claims, func(other queue.Claim) bool { return other == c })
}

// free gives back what the process had claimed when it died, as a queue does that is opened anew.
func (l *life) free(ctx context.Context) error {
	l.mu.Lock()
	left := l.claims
	l.claims = nil
	l.mu.Unlock()
	for _, c := range left {
		if err := c.Retry(ctx, 0, nil); err != nil && !errors.Is(err, queue.ErrStale) && !errors.Is(err, queue.ErrSettled) {
			return fmt.Errorf("give back what the process had claimed: %w", err)
		}
	}
	return nil
}

// backlog is the queue as the process reaches it. The queue itself outlives the process.
type backlog struct {
	queue.Queue
	life *life
}

func (b backlog) Put(ctx context.Context, it queue.Item) error {
	if b.life.dead.Load() {
		return queue.ErrClosed
	}
	return b.Queue.Put(ctx, it)
}

func (b backlog) Take(ctx context.Context, lane string) (queue.Claim, error) {
	ctx, release := b.life.bound(ctx)
	defer release()
	if b.life.dead.Load() {
		return nil, queue.ErrClosed
	}
	c, err := b.Queue.Take(ctx, lane)
	switch {
	case c != nil:
		b.life.held(c)
		return claim{c, b.life}, nil
	case b.life.dead.Load():
		return nil, queue.ErrClosed
	}
	return nil, err
}

// Stored implements queue.Stored, as far as the queue does.
func (b backlog) Stored(ctx context.Context, each func(it *queue.Item, dead string)) error {
	if q, ok := b.Queue.(queue.Stored); ok {
		return q.Stored(ctx, each)
	}
	return nil
}

type claim struct {
	queue.Claim
	life *life
}

func (c claim) Ack(ctx context.Context) error {
	if c.life.dead.Load() {
		return queue.ErrClosed
	}
	c.life.settled(c.Claim)
	return c.Claim.Ack(ctx)
}

func (c claim) Retry(ctx context.Context, after time.Duration, body []byte) error {
	if c.life.dead.Load() {
		return queue.ErrClosed
	}
	c.life.settled(c.Claim)
	return c.Claim.Retry(ctx, after, body)
}

func (c claim) Dead(ctx context.Context, reason string) error {
	if c.life.dead.Load() {
		return queue.ErrClosed
	}
	c.life.settled(c.Claim)
	return c.Claim.Dead(ctx, reason)
}

func (c claim) Extend(ctx context.Context) error {
	if c.life.dead.Load() {
		return queue.ErrClosed
	}
	return c.Claim.Extend(ctx)
}

// disk is the disk as the process reaches it.
type disk struct {
	life *life
	*virtual.Disk
}

func (d disk) Append(name string) (drafts.File, error) {
	f, err := d.Disk.Append(name)
	if err != nil {
		return nil, err
	}
	return file{d.life, f}, nil
}

func (d disk) Rename(from, to string) error {
	if d.life.dead.Load() {
		return syscall.EIO
	}
	return d.Disk.Rename(from, to)
}

type file struct {
	life *life
	*virtual.DiskFile
}

func (f file) Write(b []byte) (int, error) {
	if f.life.dead.Load() {
		return 0, syscall.EIO
	}
	return f.DiskFile.Write(b)
}

func (f file) Truncate(size int64) error {
	if f.life.dead.Load() {
		return syscall.EIO
	}
	return f.DiskFile.Truncate(size)
}
