package admit

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// Bytes bounds what requests hold in memory while their bodies come in. A body that says how long it is counts whole
// from the start, for it is read into as much; one that does not counts as it comes.
type Bytes struct {
	Most int64 // held by all
	Each int64 // of one body, at most: its handler reads no more
	held atomic.Int64
}

// ErrFull is what reading a body comes to when others hold all that may be held.
var ErrFull = errors.New("too many bodies are being read at once")

// Handler answers by refuse, before anything is read, whom there is no room for.
func (b *Bytes) Handler(h http.Handler, refuse func(http.ResponseWriter)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 || r.Body == nil {
			h.ServeHTTP(w, r)
			return
		}
		body := &counted{from: r.Body, all: b}
		defer func() { b.held.Add(-body.held) }()
		if declared := r.ContentLength; declared > 0 {
			body.declared = true
			if body.take(min(declared, b.Each)) != nil {
				refuse(w)
				return
			}
		}
		q := *r
		q.Body = body
		answer := &told{ResponseWriter: w}
		h.ServeHTTP(answer, &q)
		if body.full && !answer.yet {
			refuse(w)
		}
	})
}

// counted is a body whose bytes are held.
type counted struct {
	from           io.ReadCloser
	all            *Bytes
	held           int64
	declared, full bool
}

func (c *counted) take(n int64) error {
	c.held += n
	if c.all.held.Add(n) > c.all.Most {
		c.full = true
		return ErrFull
	}
	return nil
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	if c.full {
		return 0, ErrFull
	}
	n, err := c.from.Read(p)
	if !c.declared && c.take(int64(n)) != nil {
		return 0, ErrFull
	}
	return n, err
}

// Close implements io.Closer.
func (c *counted) Close() error { return c.from.Close() }

// told knows whether an answer has begun.
type told struct {
	http.ResponseWriter
	yet bool
}

// WriteHeader implements http.ResponseWriter.
func (t *told) WriteHeader(status int) {
	t.yet = true
	t.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (t *told) Write(b []byte) (int, error) {
	t.yet = true
	return t.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (t *told) Unwrap() http.ResponseWriter { return t.ResponseWriter }
