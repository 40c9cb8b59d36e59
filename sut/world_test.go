package sut

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/sut/drafts"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// network hands requests to the handler of their host, each on its own goroutine, and honours the caller's context.
type network struct {
	hosts map[string]http.Handler
	going sync.WaitGroup
}

type recorder struct {
	head   http.Header
	status int
	body   bytes.Buffer
	broken bool
}

func (r *recorder) Header() http.Header         { return r.head }
func (r *recorder) WriteHeader(s int)           { r.status = s }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	h := n.hosts[r.URL.Host]
	if h == nil {
		return nil, fmt.Errorf("dial %s: %w", r.URL.Host, syscall.ECONNREFUSED)
	}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	ctx, cancel := context.WithCancel(context.Background())
	in := r.WithContext(ctx)
	in.Body = io.NopCloser(bytes.NewReader(body))
	done := make(chan *recorder, 1)
	n.going.Go(func() {
		w := &recorder{head: http.Header{}, status: 200}
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				w.broken = true
			}
			done <- w
			cancel()
		}()
		h.ServeHTTP(w, in)
	})
	answer := func(w *recorder) (*http.Response, error) {
		if w.broken {
			return nil, fmt.Errorf("read %s: %w", r.URL.Host, syscall.ECONNRESET)
		}
		return &http.Response{StatusCode: w.status, Header: w.head, Body: io.NopCloser(&w.body), Request: r}, nil
	}
	select {
	case w := <-done:
		return answer(w)
	case <-r.Context().Done():
	}
	select {
	case w := <-done:
		return answer(w)
	default:
		cancel()
		return nil, r.Context().Err()
	}
}

// api is a Cloud API that is just good enough: it accepts after a while, and tells of delivery by webhook.
type api struct {
	t       testing.TB
	net     *network
	lanes   instant.Lanes
	latency quantity.Dist
	hook    string
	secret  string
	life    time.Duration // of uploaded media
	decide  func(n uint64, callback string) (status int, body string, drop bool)
	header  http.Header // of every answer

	mu       sync.Mutex
	n        uint64
	accepted map[string][]time.Time // by marker
	calls    []string               // callbacks in order of acceptance
	media    map[string]time.Time
	hooks    sync.WaitGroup
	statuses bool
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if strings.HasSuffix(r.URL.Path, "/media") {
		a.mu.Lock()
		a.n++
		n := a.n
		id := strconv.FormatUint(n, 10)
		a.media[id] = time.Now().Add(a.life)
		a.mu.Unlock()
		a.lanes.Of(instant.Reply, n).Sleep(50 * time.Millisecond)
		fmt.Fprintf(w, `{"id":%q}`, id)
		return
	}
	var m struct {
		To       string
		Text     struct{ Body string }
		Type     string
		Image    struct{ ID, Caption string }
		Callback string `json:"biz_opaque_callback_data"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		a.t.Errorf("the API was sent %q: %v", body, err)
	}
	a.mu.Lock()
	a.n++
	n := a.n
	a.mu.Unlock()
	a.lanes.Of(instant.Reply, n).Sleep(a.latency.Sample(chance.New(7).Float(n)))
	status, answer, drop := 200, "", false
	if a.decide != nil {
		status, answer, drop = a.decide(n, m.Callback)
	}
	marker := m.Text.Body + m.Image.Caption
	a.mu.Lock()
	if m.Image.ID != "" && time.Now().After(a.media[m.Image.ID]) {
		status, answer = 400, `{"error":{"code":100,"message":"(#100) Param image['id'] is not a valid whatsapp business account media attachment ID"}}`
	}
	if status == 200 {
		a.accepted[marker] = append(a.accepted[marker], time.Now())
		a.calls = append(a.calls, m.Callback)
	}
	a.mu.Unlock()
	if status == 200 && a.statuses {
		a.hooks.Go(func() { a.notify(n, m.Callback) })
	}
	if drop {
		panic(http.ErrAbortHandler)
	}
	if answer == "" {
		answer = fmt.Sprintf(`{"messages":[{"id":"wamid.%d"}]}`, n)
	}
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

func (a *api) notify(n uint64, callback string) {
	a.lanes.Of(instant.Webhook, n).Sleep(2 * time.Second)
	a.tell(n, callback, "delivered", a.secret)
}

// tell posts one status, signed with a secret, and returns what it was answered.
func (a *api) tell(n uint64, callback, status, secret string) int {
	body := fmt.Sprintf(`{"entry":[{"changes":[{"field":"messages","value":{"statuses":[{"id":"wamid.%d","status":%q,"timestamp":"1","biz_opaque_callback_data":%q}]}}]}]}`, n, status, callback)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	req, _ := http.NewRequest("POST", a.hook, strings.NewReader(body))
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := a.net.RoundTrip(req)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// world is a sender, an API and a network.
type world struct {
	t      testing.TB
	net    *network
	api    *api
	sender *Sender
	queue  queue.Queue
	stop   context.CancelFunc
	ended  chan error
}

func newWorld(t testing.TB, cfg Config) *world { return wiredWorld(t, cfg, func(*Wiring) {}) }

// wiredWorld is a world whose sender is wired a little differently.
func wiredWorld(t testing.TB, cfg Config, change func(*Wiring)) *world {
	lanes := instant.Lanes{On: true}
	n := &network{hosts: map[string]http.Handler{}}
	w := &world{t: t, net: n, queue: queue.NewMemory(queue.Config{Lanes: lanes, Lease: 90 * time.Second}), ended: make(chan error, 1)}
	w.api = &api{
		t: t, net: n, lanes: lanes, latency: quantity.Constant(300 * time.Millisecond), hook: "http://whatsapp/webhooks/whatsapp",
		secret: "s", life: time.Hour, accepted: map[string][]time.Time{}, media: map[string]time.Time{}, statuses: true,
	}
	var err error
	wiring := Wiring{
		Transport: n, WhatsAppURL: "http://whatsapp", DraftsURL: "http://drafts", APIBase: "http://api/v24.0", Token: "t",
		Phone: "1", AppSecret: "s", VerifyToken: "v", Queue: w.queue, Seed: 606, Lanes: lanes, Observe: observe,
	}
	wiring.Step = func(s drafts.Step) {
		if !s.Legal {
			panic(fmt.Sprintf("draft %s was to go from %s to %s", s.Draft, s.From, s.To))
		}
	}
	change(&wiring)
	w.sender, err = New(cfg, wiring)
	if err != nil {
		t.Fatal(err)
	}
	n.hosts["whatsapp"], n.hosts["drafts"], n.hosts["api"] = w.sender.WhatsApp(), w.sender.Drafts(), w.api
	n.hosts["files"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write(make([]byte, 1024))
	})
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	go func() { w.ended <- w.sender.Run(ctx) }()
	return w
}

func (w *world) close() {
	w.stop()
	if err := <-w.ended; err != nil {
		w.t.Errorf("Run: %v", err)
	}
	w.api.hooks.Wait()
	w.net.going.Wait()
	if n := w.sender.Stats().Illegal; n > 0 {
		w.t.Errorf("%d steps that the state machine does not allow", n)
	}
	if err := w.queue.Close(context.Background()); err != nil {
		w.t.Errorf("close the queue: %v", err)
	}
}

// post sends one message; image adds media.
func (w *world) post(ctx context.Context, id string, attempt int, body string) (int, string) {
	req, _ := http.NewRequestWithContext(ctx, "POST", "http://whatsapp/v1/messages", strings.NewReader(body))
	req.Header.Set("X-Request-Id", id+"."+strconv.Itoa(attempt))
	resp, err := w.net.RoundTrip(req)
	if err != nil {
		return 0, err.Error()
	}
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

// recipient gives each marker a phone number of its own.
func recipient(marker string) string { return "+1555" + strings.TrimLeft(marker, "m") }

func text(marker string) string {
	return fmt.Sprintf(`{"to":%q,"type":"text","text":%q}`, recipient(marker), marker)
}

func image(marker string) string {
	return fmt.Sprintf(`{"to":%q,"type":"image","text":%q,"media":{"link":"http://files/%s.jpg"}}`, recipient(marker), marker, marker)
}

func preset(t testing.TB, name string) Config {
	c, err := Preset(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func inBubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

var observe func(Attempt)

// settle lets d pass and waits until nothing moves any more, so that a test may look at what others wrote.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
