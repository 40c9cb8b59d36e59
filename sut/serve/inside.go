package serve

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

// The names by which the two services of one process reach each other.
const (
	insideWhatsApp = "whatsapp.inside"
	insideDrafts   = "drafts.inside"
)

// inside is a transport that hands calls between the services of one process straight to their handlers, each on a
// goroutine of its own, and everything else to the network.
type inside struct {
	hosts    map[string]http.Handler
	outside  *http.Transport
	handlers sync.WaitGroup
}

// RoundTrip implements http.RoundTripper.
func (t *inside) RoundTrip(r *http.Request) (*http.Response, error) {
	h := t.hosts[r.URL.Host]
	if h == nil {
		return t.outside.RoundTrip(r)
	}
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		_ = r.Body.Close() // it has been read
		if err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	in := r.WithContext(ctx)
	in.Body, in.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	in.RemoteAddr, in.RequestURI = "127.0.0.1:1", r.URL.RequestURI()
	done := make(chan *answer, 1)
	t.handlers.Go(func() {
		defer cancel()
		w := &answer{header: http.Header{}, status: http.StatusOK}
		defer func() { done <- w }()
		w.serve(h, in)
	})
	select {
	case w := <-done:
		return w.response(r)
	case <-r.Context().Done():
		cancel()
		return nil, r.Context().Err()
	}
}

// CloseIdleConnections lets go of the network's connections.
func (t *inside) CloseIdleConnections() { t.outside.CloseIdleConnections() }

// answer is what a handler answers.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	broken bool
}

func (w *answer) Header() http.Header         { return w.header }
func (w *answer) WriteHeader(status int)      { w.status = status }
func (w *answer) Write(b []byte) (int, error) { return w.body.Write(b) }

// serve calls the handler; breaking the connection is what a panic with http.ErrAbortHandler means.
func (w *answer) serve(h http.Handler, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			w.broken = true
		}
	}()
	h.ServeHTTP(w, r)
}

func (w *answer) response(r *http.Request) (*http.Response, error) {
	if w.broken {
		return nil, fmt.Errorf("read %s: %w", r.URL.Host, syscall.ECONNRESET)
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}
