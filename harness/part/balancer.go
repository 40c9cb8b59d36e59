package part

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// Balancer is a transport that spreads requests over backends, in turn or to the one with the fewest. It stands for what
// is before replicas that run elsewhere: it never asks twice, except when a connection could not be made at all and
// nothing was sent.
type Balancer struct {
	next     http.RoundTripper
	backends atomic.Pointer[rotation]
	turn     atomic.Uint64
}

// NewBalancer returns a balancer without backends, which answers 503.
func NewBalancer(next http.RoundTripper) *Balancer {
	b := &Balancer{next: next}
	b.backends.Store(&rotation{})
	return b
}

// Backends are the replicas in rotation.
type Backends struct {
	URLs    []string `json:"urls"`    // such as http://127.0.0.1:7001
	Balance string   `json:"balance"` // rotate (default) | least
}

// rotation is Backends, taken apart.
type rotation struct {
	list  []*backend
	least bool
}

type backend struct {
	url  *url.URL
	held atomic.Int64 // requests on their way
}

// Set puts replicas in rotation, in place of those before.
func (b *Balancer) Set(in Backends) error {
	before := b.backends.Load()
	r := &rotation{least: in.Balance == "least"}
	for _, u := range in.URLs {
		parsed, err := url.Parse(u)
		if err != nil {
			return err
		}
		r.list = append(r.list, before.find(parsed))
	}
	b.backends.Store(r)
	return nil
}

// find keeps the count of a backend that was in rotation before.
func (r *rotation) find(u *url.URL) *backend {
	for _, b := range r.list {
		if *b.url == *u {
			return b
		}
	}
	return &backend{url: u}
}

// pick chooses a backend: the next in turn, or of those with the fewest requests the next in turn.
func (r *rotation) pick(turn uint64) *backend {
	n := uint64(len(r.list))
	best := r.list[turn%n]
	if r.least {
		for i := range n {
			if b := r.list[(turn+i)%n]; b.held.Load() < best.held.Load() {
				best = b
			}
		}
	}
	return best
}

// RoundTrip implements http.RoundTripper: whatever host the request names, a backend answers it.
func (b *Balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	in := b.backends.Load()
	body, err := again(r)
	if err != nil {
		return nil, err
	}
	runtime.Gosched() // a server finds out now whether its caller has hung up: what nobody waits for is not passed on
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	out, at := r.WithContext(r.Context()), *r.URL // the request itself stays as it is
	out.URL = &at
	for range in.list {
		to := in.pick(b.turn.Add(1) - 1)
		at.Scheme, at.Host = to.url.Scheme, to.url.Host
		if body != nil {
			out.Body = body()
		}
		to.held.Add(1)
		resp, err := b.next.RoundTrip(out)
		to.held.Add(-1)
		if err == nil || !neverSent(err) || r.Context().Err() != nil {
			return resp, err
		}
	}
	return nobody(r), nil
}

// nobody is the answer when no backend can be reached.
func nobody(r *http.Request) *http.Response {
	const says = "no replica is ready"
	return &http.Response{
		Status: "503 Service Unavailable", StatusCode: http.StatusServiceUnavailable, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Retry-After": {"1"}}, Body: io.NopCloser(strings.NewReader(says)), ContentLength: int64(len(says)), Request: r,
	}
}

// maxWhole is the longest body that the balancer reads whole.
const maxWhole = 1 << 20

// again returns what gives a request's body to one backend after another; nil without a body. A body that is in memory
// leaves in one write with the headers, and costs the backend one read.
func again(r *http.Request) (func() io.ReadCloser, error) {
	switch {
	case r.Body == nil, r.Body == http.NoBody:
		return nil, nil
	case r.ContentLength < 0 || r.ContentLength > maxWhole:
		body := r.Body
		return func() io.ReadCloser { return io.NopCloser(body) }, nil // a transport closes it even when it has read nothing
	}
	whole := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, whole)
	_ = r.Body.Close() // it has been read
	return func() io.ReadCloser { return io.NopCloser(bytes.NewReader(whole)) }, err
}

// neverSent tells that the connection could not be made.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// NewTransport is how parts are reached: many kept connections, no proxy from the environment.
func NewTransport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 1024, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
	}
}
