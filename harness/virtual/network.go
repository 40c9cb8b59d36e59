package virtual

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"syscall"
)

// Network is an http.RoundTripper that hands each request to the handler of its host, on a goroutine of its own. A
// caller that gives up gets its error at once while the handler goes on, with its context cancelled, exactly as a
// handler behind net/http does: abandoned work is what overload is made of. The handler reads the caller's own body, also
// after the caller has given up: a caller that wants the bytes back waits for the body to be closed, as net/http says.
type Network struct {
	mu      sync.Mutex // guards the rest
	hosts   map[string]http.Handler
	idle    []*worker // the last to have served is the next to serve
	closing bool      // workers end instead of idling
	panics  int       // of handlers
	first   string    // of them
	workers sync.WaitGroup
}

// worker is one goroutine that serves requests. Those that have served stay for the next one: their stacks have grown
// to what a handler needs, and growing them anew for each request would cost a tenth of a run.
type worker struct{ jobs chan *exchange }

// maxIdle bounds the workers that are kept for the next request.
const maxIdle = 256

// NewNetwork returns a network without hosts.
func NewNetwork() *Network { return &Network{hosts: map[string]http.Handler{}} }

// Handle puts a handler behind a host name; nil takes the host away, and connections to it are refused.
func (n *Network) Handle(host string, h http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[host] = h
}

// Wait returns when every handler that was ever called has ended. The network can be used again afterwards.
func (n *Network) Wait() {
	n.mu.Lock()
	n.closing = true
	for _, w := range n.idle {
		close(w.jobs)
	}
	n.idle = nil
	n.mu.Unlock()
	n.workers.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closing = false
}

// start hands an exchange to an idle worker, or to a new one.
func (n *Network) start(x *exchange) {
	n.mu.Lock()
	var w *worker
	if last := len(n.idle) - 1; last >= 0 {
		w, n.idle = n.idle[last], n.idle[:last]
	}
	n.mu.Unlock()
	if w == nil {
		w = &worker{jobs: make(chan *exchange, 1)}
		n.workers.Go(func() { n.work(w) })
	}
	w.jobs <- x
}

// work serves until nobody wants to keep the worker.
func (n *Network) work(w *worker) {
	for x := range w.jobs {
		body := x.request.Body // a handler may put another in its place
		x.aborted = n.serve(x.handler, x, x.request)
		_ = body.Close()
		x.done <- struct{}{}
		x.cancel()
		if !n.keep(w) {
			return
		}
	}
}

func (n *Network) keep(w *worker) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closing || len(n.idle) >= maxIdle {
		return false
	}
	n.idle = append(n.idle, w)
	return true
}

// panicked counts a handler's panic, and logs the first of a network. As behind net/http the connection breaks, and the process
// lives on.
func (n *Network) panicked(r *http.Request, p any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.panics++; n.panics == 1 {
		n.first = fmt.Sprintf("%s %s: %v", r.Method, r.URL.Redacted(), p)
		slog.Error("a handler panicked", "url", r.URL.Redacted(), "panic", p, "stack", string(debug.Stack()))
	}
}

// Panics is how many handlers panicked, and what the first of them said.
func (n *Network) Panics() (count int, first string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.panics, n.first
}

// RoundTrip implements http.RoundTripper.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	h := n.hosts[r.URL.Host]
	n.mu.Unlock()
	err := r.Context().Err()
	if h == nil || refuses(h) {
		err = fmt.Errorf("dial %s: %w", r.URL.Host, syscall.ECONNREFUSED)
	}
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	x := newExchange(h, r)
	n.start(x)
	select {
	case <-x.done:
		return x.result(r)
	case <-r.Context().Done():
	}
	select {
	case <-x.done: // it was answered at this very instant
		return x.result(r)
	default:
		x.cancel()
		return nil, r.Context().Err()
	}
}

// refuser is a handler whose host may refuse connections for a while.
type refuser interface{ Refuses() bool }

func refuses(h http.Handler) bool {
	r, ok := h.(refuser)
	return ok && r.Refuses()
}

// serve calls the handler and reports whether it broke the connection on purpose.
func (n *Network) serve(h http.Handler, w http.ResponseWriter, r *http.Request) (aborted bool) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				aborted = true
				return
			}
			n.panicked(r, p)
			aborted = true
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

// exchange is one request on its way through a handler, and its answer: the http.ResponseWriter that the handler
// writes to, and the body that its caller reads.
type exchange struct {
	handler http.Handler
	request *http.Request
	cancel  context.CancelFunc
	done    chan struct{}

	header  http.Header
	code    int
	wrote   bool
	body    []byte
	aborted bool
	answer  http.Response
}

// newExchange makes of a client's request what a server would have read from its connection.
func newExchange(h http.Handler, r *http.Request) *exchange {
	ctx, cancel := context.WithCancel(context.Background())
	req := r.WithContext(ctx)
	switch {
	case r.Body == nil:
		req.Body = http.NoBody
	case r.ContentLength == 0 && r.Body != http.NoBody:
		req.ContentLength = -1 // a client says nothing of a length that it does not know
	}
	req.RequestURI, req.RemoteAddr = r.URL.RequestURI(), "192.0.2.1:1"
	if req.Host == "" {
		req.Host = r.URL.Host
	}
	return &exchange{
		handler: h, request: req, cancel: cancel, done: make(chan struct{}, 1), header: http.Header{}, code: http.StatusOK,
	}
}

// Header implements http.ResponseWriter.
func (x *exchange) Header() http.Header { return x.header }

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(code int) {
	if !x.wrote && code >= 200 {
		x.wrote, x.code = true, code
	}
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(b []byte) (int, error) {
	x.wrote = true
	x.body = append(x.body, b...)
	return len(b), nil
}

// Flush is there for handlers that flush; the caller sees the answer when the handler has ended.
func (x *exchange) Flush() { x.wrote = true }

// result is what the caller gets.
func (x *exchange) result(r *http.Request) (*http.Response, error) {
	if x.aborted && len(x.body) == 0 {
		return nil, fmt.Errorf("read %s: %w", r.URL.Host, syscall.ECONNRESET)
	}
	x.answer = http.Response{
		Status: http.StatusText(x.code), StatusCode: x.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: x.header, Body: (*answer)(x), ContentLength: int64(len(x.body)), Request: r,
	}
	return &x.answer, nil
}

// answer is an exchange as its caller reads it.
type answer exchange

// Read implements io.Reader.
func (a *answer) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n := copy(b, a.body)
	a.body = a.body[n:]
	switch {
	case n > 0:
		return n, nil
	case a.aborted: // the connection was cut
		return 0, io.ErrUnexpectedEOF
	}
	return 0, io.EOF
}

// Close implements io.Closer.
func (*answer) Close() error { return nil }
