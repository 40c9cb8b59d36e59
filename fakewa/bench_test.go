package fakewa

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The bodies of one send and its answer, the same bytes for both handlers.
const benchText = `{"messaging_product":"whatsapp","recipient_type":"individual","to":"16505551234","type":"text","text":{"preview_url":false,"body":"Your order 123456 has left our house and will be with you tomorrow. [ref:m0000001]"},"biz_opaque_callback_data":"d0000001.1"}`

// bare reads a request and answers the same bytes as the fake does: what net/http alone can do.
type bare struct{ answer []byte }

func (b bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("Facebook-Api-Version", "v24.0")
	h.Set("Cache-Control", "private, no-cache, no-store, must-revalidate")
	h.Set("Access-Control-Allow-Origin", "*")
	w.Write(b.answer)
}

// wire is a handler behind a loopback socket and clients that keep it busy.
type wire struct {
	url    string
	client *http.Client
	sent   atomic.Int64
}

func newWire(b *testing.B, h http.Handler) *wire {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: h}
	go srv.Serve(ln)
	b.Cleanup(func() { srv.Close() })
	return &wire{url: "http://" + ln.Addr().String() + "/v24.0/106540352242922/messages", client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

// send sends one message of its own.
func (w *wire) send() error {
	body := bytes.Replace([]byte(benchText), []byte("0000001"), []byte(strconv.FormatInt(1e6+w.sent.Add(1), 10)), 2)
	req, err := http.NewRequest("POST", w.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer EAAbench")
	req.Header.Set("Content-Type", "application/json")
	res, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != 200 {
		return fmt.Errorf("status %d: %w", res.StatusCode, err)
	}
	return nil
}

// round sends n messages over sixteen connections and returns how long that took.
func (w *wire) round(b *testing.B, n int) time.Duration {
	start := time.Now()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range n / 16 {
				if err := w.send(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

func overWire(b *testing.B, h http.Handler) {
	w := newWire(b, h)
	b.ReportAllocs()
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := w.send(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

func benchServer(b *testing.B) *Server {
	b.Helper()
	s, err := NewServer(Config{}, Wiring{SpillDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-done; s.Close() })
	return s
}

func benchAnswer() []byte {
	d := Decision{WAMID: "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA", Accepted: true}
	return d.appendSent(nil, &Request{Message: Message{To: "16505551234", WAID: "16505551234"}}, "templates")
}

func BenchmarkBare(b *testing.B)   { overWire(b, bare{benchAnswer()}) }
func BenchmarkFakewa(b *testing.B) { overWire(b, benchServer(b)) }

// BenchmarkHandler is a send without a network.
func BenchmarkHandler(b *testing.B) {
	s := benchServer(b)
	r, _ := http.NewRequest("POST", "http://x/v24.0/106540352242922/messages", nil)
	r.Header.Set("Authorization", "Bearer EAAbench")
	r.Header.Set("Content-Type", "application/json")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		body := bytes.Replace([]byte(benchText), []byte("0000001"), []byte(strconv.Itoa(1e6+i)), 2)
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.ServeHTTP(nullWriter{h: http.Header{}}, r)
	}
}

type nullWriter struct{ h http.Header }

func (w nullWriter) Header() http.Header         { return w.h }
func (w nullWriter) Write(b []byte) (int, error) { return len(b), nil }
func (w nullWriter) WriteHeader(int)             {}
