package remote

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Balancer spreads requests over backends, strictly in turn. It is what stands before replicas that run elsewhere: it
// never asks twice, except when a connection could not be made at all and nothing was sent.
type Balancer struct {
	proxy    *httputil.ReverseProxy
	backends atomic.Pointer[[]*url.URL]
	turn     atomic.Uint64
	refused  atomic.Int64
}

// NewBalancer returns a balancer without backends: it answers 503.
func NewBalancer() *Balancer {
	b := &Balancer{}
	b.backends.Store(&[]*url.URL{})
	b.proxy = &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.Out.Header["X-Forwarded-For"] = nil },
		Transport:  roundRobin{b, newTransport()},
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

// Set puts these backends in rotation, such as http://127.0.0.1:7001.
func (b *Balancer) Set(urls []string) error {
	list := make([]*url.URL, 0, len(urls))
	for _, u := range urls {
		parsed, err := url.Parse(u)
		if err != nil {
			return err
		}
		list = append(list, parsed)
	}
	b.backends.Store(&list)
	return nil
}

// Refused is how many requests found no backend.
func (b *Balancer) Refused() int64 { return b.refused.Load() }

// ServeHTTP implements http.Handler.
func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.proxy.ServeHTTP(w, r) }

var errNoBackend = errors.New("no replica is ready")

// roundRobin picks the backend of each request.
type roundRobin struct {
	balancer *Balancer
	next     http.RoundTripper
}

func (t roundRobin) RoundTrip(r *http.Request) (*http.Response, error) {
	list := *t.balancer.backends.Load()
	body := r.Body
	if body != nil {
		defer body.Close()
	}
	err := errNoBackend
	for range list {
		to := list[int(t.balancer.turn.Add(1)-1)%len(list)]
		r.URL.Scheme, r.URL.Host = to.Scheme, to.Host
		if body != nil {
			r.Body = io.NopCloser(body) // a transport closes it even when it has read nothing
		}
		var resp *http.Response
		if resp, err = t.next.RoundTrip(r); err == nil || !neverSent(err) || r.Context().Err() != nil {
			return resp, err
		}
	}
	t.balancer.refused.Add(1)
	return nil, errors.Join(errNoBackend, err)
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
