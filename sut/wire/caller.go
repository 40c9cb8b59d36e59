package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"syscall"
)

// Caller makes the HTTP calls of a service through one transport.
type Caller struct {
	transport http.RoundTripper
	buffers   sync.Pool
	blank     *http.Request // what every request begins as
}

// NewCaller returns a caller; a nil transport is a transport of its own.
func NewCaller(t http.RoundTripper) *Caller {
	if t == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.MaxIdleConnsPerHost = 512
		t = own
	}
	return &Caller{transport: t, blank: &http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}}
}

// content is a body that net/http knows to be in memory: it then leaves in one write with the headers.
func content(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }

// Transport is what the calls go through.
func (c *Caller) Transport() http.RoundTripper { return c.transport }

// Close lets go of idle connections.
func (c *Caller) Close() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// Answer is a response whose body has been read. Release hands its buffer back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	buf    *bytes.Buffer
	owner  *Caller
}

// Release hands the body's buffer back; Body must not be used afterwards.
func (a *Answer) Release() {
	if a.buf != nil {
		a.owner.buffers.Put(a.buf)
		a.buf, a.Body = nil, nil
	}
}

// maxAnswer bounds the body of an answer to a JSON call.
const maxAnswer = 1 << 20

// Post sends a body and reads the answer whole. The body is not kept after Post returns with an answer; after an error
// the callee may still be reading it, so it must not be changed.
func (c *Caller) Post(ctx context.Context, to *url.URL, header http.Header, body []byte) (Answer, error) {
	return c.Do(ctx, http.MethodPost, to, header, body, maxAnswer)
}

// Do makes one call and reads up to limit bytes of its answer.
func (c *Caller) Do(ctx context.Context, method string, to *url.URL, header http.Header, body []byte, limit int64) (Answer, error) {
	if header == nil {
		header = http.Header{}
	}
	req := c.blank.WithContext(ctx) // a copy: one allocation, not two
	req.Method, req.URL, req.Host, req.Header = method, to, to.Host, header
	if body != nil {
		req.Body = content(body)
		req.GetBody = func() (io.ReadCloser, error) { return content(body), nil }
		req.ContentLength = int64(len(body))
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	buf, _ := c.buffers.Get().(*bytes.Buffer)
	if buf == nil {
		buf = new(bytes.Buffer)
	}
	buf.Reset()
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("answer longer than %d bytes", limit)
	}
	if err != nil {
		c.buffers.Put(buf)
		return Answer{Status: resp.StatusCode, Header: resp.Header}, err
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: buf.Bytes(), buf: buf, owner: c}, nil
}

// The names of what can go wrong with a call.
const (
	ErrTimeout = "timeout"
	ErrRefused = "refused"
	ErrReset   = "reset"
	ErrOther   = "error"
)

// ErrorName says in one word how a call failed; "" for nil.
func ErrorName(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case err == nil:
		return ""
	case NotSent(err):
		return ErrRefused
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrReset
	}
	return ErrOther
}

// NotSent reports whether an error proves that the callee never saw the request: the connection was not made.
func NotSent(err error) bool {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return true
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	_, dns := errors.AsType[*net.DNSError](err)
	return dns
}

// ReadBody reads a request's body whole, up to one byte more than limit, so that its caller can tell that it was more.
func ReadBody(r *http.Request, limit int) ([]byte, error) {
	if n := r.ContentLength; n >= 0 && n <= int64(limit) {
		b := make([]byte, n)
		if _, err := io.ReadFull(r.Body, b); err != nil {
			return nil, err
		}
		return b, nil
	}
	return io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
}
