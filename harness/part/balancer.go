package part

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Balancer spreads requests over backends, in turn or to the one with the fewest. It is what stands before replicas that
// run elsewhere: it never asks twice, except when a connection could not be made at all and nothing was sent.
type Balancer struct {
	proxy    *httputil.ReverseProxy
	backends atomic.Pointer[rotation]
	turn     atomic.Uint64
	refused  atomic.Int64
}

// NewBalancer returns a balancer without backends: it answers 503.
func NewBalancer() *Balancer {
	b := &Balancer{}
	b.backends.Store(&rotation{})
	b.proxy = &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.Out.Header["X-Forwarded-For"] = nil },
		Transport:  picking{b, newTransport()},
		BufferPool: &buffers{},
		ErrorLog:   log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if errors.Is(err, errNoBackend) {
				w.Header().Set("Retry-After", "1")
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			panic(http.ErrAbortHandler) // the replica broke the connection: so does its balancer
		},
	}
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

// Refused is how many requests found no backend.
func (b *Balancer) Refused() int64 { return b.refused.Load() }

// ServeHTTP implements http.Handler.
func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.proxy.ServeHTTP(w, r) }

var errNoBackend = errors.New("no replica is ready")

// picking picks the backend of each request.
type picking struct {
	balancer *Balancer
	next     http.RoundTripper
}

func (t picking) RoundTrip(r *http.Request) (*http.Response, error) {
	in := t.balancer.backends.Load()
	body, err := again(r)
	if err != nil {
		return nil, err
	}
	runtime.Gosched() // the server finds out now whether the caller has hung up: what nobody waits for is not passed on
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	err = errNoBackend
	for range in.list {
		to := in.pick(t.balancer.turn.Add(1) - 1)
		r.URL.Scheme, r.URL.Host = to.url.Scheme, to.url.Host
		if body != nil {
			r.Body = body()
		}
		to.held.Add(1)
		var resp *http.Response
		resp, err = t.next.RoundTrip(r)
		to.held.Add(-1)
		if err == nil || !neverSent(err) || r.Context().Err() != nil {
			return resp, err
		}
	}
	t.balancer.refused.Add(1)
	return nil, errors.Join(errNoBackend, err)
}

// maxWhole is the longest body that the balancer reads whole.
const maxWhole = 1 << 20

// again returns what gives a request's body to one backend after another; nil without a body. A body that is in memory
// leaves in one write with the headers, and costs the backend one read.
func again(r *http.Request) (func() io.ReadCloser, error) {
	switch {
	case r.Body == nil:
		return nil, nil
	case r.ContentLength < 0 || r.ContentLength > maxWhole:
		body := r.Body
		return func() io.ReadCloser { return io.NopCloser(body) }, nil // a transport closes it even when it has read nothing
	}
	whole := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, whole)
	return func() io.ReadCloser { return io.NopCloser(bytes.NewReader(whole)) }, err
}

// neverSent tells that the connection could not be made.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// newTransport is how parts are reached: many kept connections, no proxy from the environment.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 1024, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
	}
}

// buffers lends the proxy its copy buffers.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if v, ok := b.pool.Get().(*[]byte); ok {
		return *v
	}
	return make([]byte, 16<<10)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
