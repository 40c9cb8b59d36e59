package virtual

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"syscall"
)

// Network is an http.RoundTripper that hands each request to the handler of its host, on a goroutine of its own. A
// caller that gives up gets its error at once while the handler goes on, with its context cancelled, exactly as a
// handler behind net/http does: abandoned work is what overload is made of. The handler reads the caller's own body, also
// after the caller has given up: a caller that wants the bytes back waits for the body to be closed, as net/http says.
type Network struct {
	mu    sync.RWMutex
	hosts map[string]http.Handler

	// Goroutines that have served stay for the next request: their stacks have grown to what a handler needs, and
	// growing them anew for each request would cost a tenth of a run.
	idle     chan *worker
	handlers sync.WaitGroup // busy handlers
	workers  sync.WaitGroup // all goroutines, idle ones included
}

// worker is one goroutine that serves requests.
type worker struct{ jobs chan job }

// job is one request on its way through a handler.
type job struct {
	handler http.Handler
	request *http.Request
	cancel  context.CancelFunc
	done    chan<- *response
}

// maxIdle bounds the goroutines that are kept for the next request.
const maxIdle = 256

// NewNetwork returns a network without hosts.
func NewNetwork() *Network {
	return &Network{hosts: map[string]http.Handler{}, idle: make(chan *worker, maxIdle)}
}

// Handle puts a handler behind a host name; nil takes the host away, and connections to it are refused.
func (n *Network) Handle(host string, h http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[host] = h
}

// Wait returns when every handler that was ever called has ended. The network can be used again afterwards.
func (n *Network) Wait() {
	n.handlers.Wait()
	for {
		select {
		case w := <-n.idle:
			close(w.jobs)
		default:
			n.workers.Wait()
			return
		}
	}
}

// start hands a job to an idle worker, or to a new one.
func (n *Network) start(j job) {
	n.handlers.Add(1)
	select {
	case w := <-n.idle:
		w.jobs <- j
		return
	default:
	}
	w := &worker{jobs: make(chan job, 1)}
	n.workers.Go(func() { n.work(w) })
	w.jobs <- j
}

// work serves until the worker is told to end, or nobody has room to keep it.
func (n *Network) work(w *worker) {
	for j := range w.jobs {
		resp := &response{header: http.Header{}, code: http.StatusOK}
		body := j.request.Body // a handler may put another in its place
		resp.aborted = serve(j.handler, resp, j.request)
		_ = body.Close()
		j.done <- resp
		j.cancel()
		kept := true
		select {
		case n.idle <- w:
		default:
			kept = false
		}
		n.handlers.Done()
		if !kept {
			return
		}
	}
}

// RoundTrip implements http.RoundTripper.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.RLock()
	h := n.hosts[r.URL.Host]
	n.mu.RUnlock()
	err := r.Context().Err()
	if h == nil {
		err = fmt.Errorf("dial %s: %w", r.URL.Host, syscall.ECONNREFUSED)
	}
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
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
	done := make(chan *response, 1)
	n.start(job{handler: h, request: req, cancel: cancel, done: done})
	select {
	case w := <-done:
		return w.result(r)
	case <-r.Context().Done():
	}
	select {
	case w := <-done: // it was answered at this very instant
		return w.result(r)
	default:
		cancel()
		return nil, r.Context().Err()
	}
}

// serve calls the handler and reports whether it broke the connection on purpose.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (aborted bool) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				aborted = true
				return
			}
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

// response is the http.ResponseWriter of one handler.
type response struct {
	header  http.Header
	code    int
	wrote   bool
	body    bytes.Buffer
	aborted bool
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(code int) {
	if !w.wrote && code >= 200 {
		w.wrote, w.code = true, code
	}
}

func (w *response) Write(b []byte) (int, error) {
	w.wrote = true
	return w.body.Write(b)
}

// Flush is there for handlers that flush; the caller sees the answer when the handler has ended.
func (w *response) Flush() { w.wrote = true }

func (w *response) result(r *http.Request) (*http.Response, error) {
	if w.aborted && w.body.Len() == 0 {
		return nil, fmt.Errorf("read %s: %w", r.URL.Host, syscall.ECONNRESET)
	}
	var body io.Reader = &w.body
	if w.aborted {
		body = io.MultiReader(&w.body, broken{})
	}
	return &http.Response{
		Status: http.StatusText(w.code), StatusCode: w.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// broken is the end of a body whose connection was cut.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
