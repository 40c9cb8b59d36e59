package sut_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/sut"
	"github.com/aftershock-dev/aftershock/sut/serve"
)

// bench is a sender on embedded JetStream with synced files, a Cloud API without latency, and a client.
type bench struct {
	b       *testing.B
	url     string
	client  *http.Client
	mu      sync.Mutex
	arrived map[string]time.Time // text → when the API had it
	copies  int
	slow    time.Duration
	next    atomic.Int64
}

// newBench starts a sender; settings are laid over hardened without simulated work and without limits on its pace.
func newBench(b *testing.B, settings string) *bench {
	t := &bench{b: b, arrived: map[string]time.Time{}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512}}}
	api := httptest.NewServer(http.HandlerFunc(t.accept))
	cfg, err := sut.ParseConfig("bench", []byte("preset: hardened\nsimulate: false\n"+settings))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- serve.Run(ctx, serve.Options{
			Config: cfg, Listen: "127.0.0.1:0", ListenDrafts: "127.0.0.1:0", API: api.URL + "/v24.0", Phone: "1", Token: "t",
			Queue: "jetstream", Data: b.TempDir(), Ready: func(w, _ net.Addr) { ready <- "http://" + w.String() },
		})
	}()
	select {
	case t.url = <-ready:
	case err := <-ended:
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		t.client.CloseIdleConnections()
		api.Close()
	})
	return t
}

const unlimited = "drafts: {rate_limit: 0/s, number: {rate: 0/s}, pair: {every: 0s}}\n"

func (t *bench) accept(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var m struct {
		Text struct{ Body string }
	}
	_ = json.Unmarshal(body, &m)
	now := time.Now()
	if t.slow > 0 {
		time.Sleep(t.slow)
	}
	t.mu.Lock()
	if _, again := t.arrived[m.Text.Body]; !again {
		t.arrived[m.Text.Body] = now
	}
	t.copies++
	t.mu.Unlock()
	_, _ = io.WriteString(w, `{"messages":[{"id":"wamid.1"}]}`)
}

// post sends one message and returns its text and whether it was taken.
func (t *bench) post() (text string, taken bool) {
	n := t.next.Add(1)
	text = "text-" + strconv.FormatInt(n, 10)
	body := fmt.Sprintf(`{"to":"+1555%07d","text":%q}`, n, text)
	resp, err := t.client.Post(t.url+"/v1/messages", "application/json", strings.NewReader(body))
	if err != nil {
		return text, false
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return text, resp.StatusCode == http.StatusAccepted
}

func (t *bench) accepted() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.arrived)
}

// until waits for the API to have n messages.
func (t *bench) until(n int) {
	for deadline := time.Now().Add(time.Minute); t.accepted() < n; {
		if time.Now().After(deadline) {
			t.b.Fatalf("the API has %d of %d messages", t.accepted(), n)
		}
		time.Sleep(time.Millisecond)
	}
}

// BenchmarkSender measures the sender end to end: from the client's request to the Cloud API, on embedded JetStream
// with synced files. make bench-sender runs it.
func BenchmarkSender(b *testing.B) {
	b.Run("throughput", func(b *testing.B) {
		t := newBench(b, unlimited)
		for b.Loop() {
			throughput(b, t, 10_000)
		}
	})
	b.Run("latency-200-a-second", func(b *testing.B) {
		t := newBench(b, unlimited)
		for b.Loop() {
			latency(b, t, 200, 10*time.Second)
		}
	})
	b.Run("overload-10x", func(b *testing.B) {
		t := newBench(b, strings.Replace(unlimited, "}}\n", "}, backlog: {max: 5000}, dispatch: {in_flight: 10, limit: {kind: fixed}}}\n", 1))
		t.slow = 100 * time.Millisecond // ten at a time: 100 a second
		for b.Loop() {
			overload(b, t, 1000, 20*time.Second)
		}
	})
}

// throughput sends n messages from 128 clients and waits for the last one.
func throughput(b *testing.B, t *bench, n int) {
	before := t.accepted()
	began := time.Now()
	var clients sync.WaitGroup
	var taken atomic.Int64
	for range 128 {
		clients.Go(func() {
			for range n / 128 {
				if _, ok := t.post(); ok {
					taken.Add(1)
				}
			}
		})
	}
	clients.Wait()
	answered := time.Since(began)
	t.until(before + int(taken.Load()))
	b.ReportMetric(float64(taken.Load())/time.Since(began).Seconds(), "messages/s")
	b.ReportMetric(float64(taken.Load())/answered.Seconds(), "answers/s")
	b.ReportMetric(0, "ns/op")
	b.Logf("%d messages from 128 clients: answers until the last was taken, messages until the API had the last; a synced write took %v beside it", n, syncTime(b))
}

// syncTime is what the disk takes for one synced write, at this moment.
func syncTime(b *testing.B) time.Duration {
	f, err := os.CreateTemp(b.TempDir(), "sync")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	const n = 200
	began := time.Now()
	for range n {
		if _, err := f.Write(make([]byte, 512)); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return (time.Since(began) / n).Round(10 * time.Microsecond)
}

// latency sends at an even rate and measures what the sender adds: until its answer, and until the API has the message.
func latency(b *testing.B, t *bench, rate int, span time.Duration) {
	var mu sync.Mutex
	sent := map[string]time.Time{}
	var answers []time.Duration
	var clients sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	before := t.accepted()
	for range int(span.Seconds()) * rate {
		<-tick.C
		clients.Go(func() {
			at := time.Now()
			text, ok := t.post()
			mu.Lock()
			defer mu.Unlock()
			if ok {
				sent[text] = at
				answers = append(answers, time.Since(at))
			}
		})
	}
	clients.Wait()
	t.until(before + len(sent))
	var ends []time.Duration
	t.mu.Lock()
	for text, at := range sent {
		ends = append(ends, t.arrived[text].Sub(at))
	}
	t.mu.Unlock()
	slices.Sort(answers)
	slices.Sort(ends)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(answers[len(answers)/2]), "answer-p50-ms")
	b.ReportMetric(ms(answers[len(answers)*99/100]), "answer-p99-ms")
	b.ReportMetric(ms(ends[len(ends)/2]), "added-p50-ms")
	b.ReportMetric(ms(ends[len(ends)*99/100]), "added-p99-ms")
	b.ReportMetric(0, "ns/op")
	b.Logf("%d messages a second for %v: answer is until the client is told, added until the API has the message; a synced write took %v beside it", rate, span, syncTime(b))
}

// overload sends ten times what the sender can pass on, and measures how its memory grows meanwhile.
func overload(b *testing.B, t *bench, rate int, span time.Duration) {
	var m runtime.MemStats
	heap := func() float64 {
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapInuse) / (1 << 20)
	}
	start := heap()
	peak, half := start, 0.0
	var clients sync.WaitGroup
	var taken, refused atomic.Int64
	room := make(chan struct{}, 256)
	for i := range int(span.Seconds()) {
		for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			for range rate / 100 {
				select {
				case room <- struct{}{}:
				default:
					continue
				}
				clients.Go(func() {
					defer func() { <-room }()
					if _, ok := t.post(); ok {
						taken.Add(1)
					} else {
						refused.Add(1)
					}
				})
			}
		}
		peak = max(peak, heap())
		if i == int(span.Seconds())/2 {
			half = peak
		}
	}
	clients.Wait()
	b.ReportMetric(float64(taken.Load()), "taken")
	b.ReportMetric(float64(refused.Load()), "refused")
	b.ReportMetric(start, "heap-start-MiB")
	b.ReportMetric(half, "heap-half-MiB")
	b.ReportMetric(peak, "heap-peak-MiB")
	b.ReportMetric(0, "ns/op")
	b.Logf("%d messages a second for %v, ten times what goes out, and room for 5000: what does not fit is refused, and the heap stops growing", rate, span)
}
