package sut_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/sut"
	"github.com/aftershock-dev/aftershock/sut/drafts"
	"github.com/aftershock-dev/aftershock/sut/serve"
)

// childEnv makes the test binary a sender that is killed.
const childEnv = "AFTERSHOCK_CRASH_CHILD"

func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		child(spec)
		return
	}
	os.Exit(m.Run())
}

// childSpec is what a child is told.
type childSpec struct {
	API, Data, Listen string
	Point             drafts.Point // where it kills itself …
	Pass              int          // … at this pass; 0 never
	Settings          string       // besides childSettings, unless they are whole
	Synced            bool
}

const childSettings = `preset: hardened
simulate: false
whatsapp:
  api: {timeout: 2s}
  webhooks: {flush: 100ms}
drafts:
  dispatch: {lease: 4s}
  send: {timeout: 4s, backoff: 100ms}
  classes: {transactional: {hold: 5s}}
`

// child is a sender in a process of its own, on embedded JetStream, that ends by SIGKILL at a point.
func child(spec string) {
	var c childSpec
	if err := json.Unmarshal([]byte(spec), &c); err != nil {
		panic(err)
	}
	if !strings.HasPrefix(c.Settings, "preset:") {
		c.Settings = childSettings + c.Settings
	}
	cfg, err := sut.ParseConfig("child", []byte(c.Settings))
	if err != nil {
		panic(err)
	}
	var passes atomic.Int64
	err = serve.Run(context.Background(), serve.Options{
		Config: cfg, Listen: c.Listen, ListenDrafts: "127.0.0.1:0", API: c.API, Phone: "1", Token: "t", Queue: "jetstream", Data: c.Data,
		Unsynced: !c.Synced, // a killed process leaves what it has written
		At: func(p drafts.Point) {
			if p == c.Point && c.Pass > 0 && passes.Add(1) == int64(c.Pass) {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		},
	})
	if err != nil {
		panic(err)
	}
}

// witness is a Cloud API that remembers everything it accepted, and whether the answer was taken.
type witness struct {
	address  string // of the sender
	hook     string
	mu       sync.Mutex
	copies   map[string][]string // text → callbacks of accepted copies
	unsure   map[string]int      // text → accepted copies whose answer nobody took
	number   int
	slow     string                 // the text whose first request is answered too late
	mute     func(text string) bool // of which texts no status ever comes; nil: of none
	told     map[string]bool        // texts of which a status was taken
	known    map[string]bool        // of those, the ones that were accepted once more afterwards
	hooks    sync.WaitGroup
	giveUp   chan struct{}
	unheard  atomic.Int64
	lateOnce sync.Once
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var m struct {
		Text     struct{ Body string }
		Callback string `json:"biz_opaque_callback_data"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		http.Error(rw, "bad", http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	w.number++
	id := "wamid." + strconv.Itoa(w.number)
	w.copies[m.Text.Body] = append(w.copies[m.Text.Body], m.Callback)
	w.known[m.Text.Body] = w.known[m.Text.Body] || w.told[m.Text.Body]
	w.mu.Unlock()
	after := 300 * time.Millisecond
	if m.Text.Body == w.slow { // longer than the sender waits for the answer, shorter than it holds
		after = 3500 * time.Millisecond
	}
	if w.mute == nil || !w.mute(m.Text.Body) {
		w.hooks.Go(func() { w.notify(id, m.Text.Body, m.Callback, after) })
	}
	if m.Text.Body == w.slow {
		w.lateOnce.Do(func() { time.Sleep(3 * time.Second) })
	}
	time.Sleep(5 * time.Millisecond)
	if r.Context().Err() != nil {
		w.mu.Lock()
		w.unsure[m.Text.Body]++
		w.mu.Unlock()
	}
	fmt.Fprintf(rw, `{"messages":[{"id":%q}]}`, id)
}

// notify sends the status until it is acknowledged, as the Cloud API does.
func (w *witness) notify(id, text, callback string, after time.Duration) {
	body := fmt.Sprintf(`{"entry":[{"changes":[{"value":{"statuses":[{"id":%q,"status":"delivered","timestamp":"1","biz_opaque_callback_data":%q}]}}]}]}`, id, callback)
	for wait := after; ; wait = 200 * time.Millisecond {
		select {
		case <-w.giveUp:
			w.unheard.Add(1)
			return
		case <-time.After(wait):
		}
		resp, err := http.Post(w.hook, "application/json", strings.NewReader(body))
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			w.mu.Lock()
			w.told[text] = true
			w.mu.Unlock()
			return
		}
	}
}

// TestCrash kills a sender at every point of a draft's way. After a restart nothing that it acknowledged is lost, and
// nothing is sent twice but what the witness proves to have been ambiguous.
func TestCrash(t *testing.T) {
	slots := make(chan struct{}, 4) // a sender with its queue is not small
	points := drafts.Points()
	found := make([]aftermath, len(points))
	t.Run("at", func(t *testing.T) {
		for i, point := range points {
			t.Run(string(point), func(t *testing.T) {
				t.Parallel()
				slots <- struct{}{}
				defer func() { <-slots }()
				found[i] = crashAt(t, point)
			})
		}
	})
	var b strings.Builder
	var all aftermath
	for i, a := range found {
		fmt.Fprintf(&b, "\n%-10s %12d %6d %12d %11d", points[i], a.acked, a.lost, a.twice, a.explained)
		all.acked, all.lost, all.twice, all.explained = all.acked+a.acked, all.lost+a.lost, all.twice+a.twice, all.explained+a.explained
	}
	t.Logf("a sender killed (SIGKILL) at every point of a draft's way, started again, and waited for:\n%-10s %12s %6s %12s %11s%s\n%-10s %12d %6d %12d %11d",
		"killed at", "acknowledged", "lost", "accepted 2x", "explained*", &b, "all", all.acked, all.lost, all.twice, all.explained)
	t.Log("* the API had accepted it and its answer was lost: nobody could know")
}

// aftermath is what became of the messages of one crash.
type aftermath struct{ acked, lost, twice, explained int }

const crashMessages = 30

func crashAt(t *testing.T, point drafts.Point) (found aftermath) {
	w := newWitness(t)
	w.slow = "text-3"
	address := w.address
	api := httptest.NewServer(w)
	defer api.Close()
	spec := childSpec{API: api.URL + "/v24.0", Data: t.TempDir(), Listen: address, Point: point, Pass: 4}
	if point == drafts.PointHeld {
		spec.Pass = 1
	}
	first := start(t, spec)
	died := make(chan struct{})
	go func() { _ = first.Wait(); close(died) }()

	var clients sync.WaitGroup
	acked := make([]atomic.Bool, crashMessages)
	for i := range crashMessages {
		clients.Go(func() { acked[i].Store(send(address, i)) })
	}
	select {
	case <-died:
	case <-time.After(30 * time.Second):
		t.Fatalf("the sender did not come to %s", point)
	}
	spec.Pass = 0
	second := start(t, spec)
	defer func() {
		_ = second.Process.Signal(syscall.SIGTERM)
		_ = second.Wait()
	}()
	clients.Wait()
	drained := wait(address)
	close(w.giveUp)
	w.hooks.Wait()

	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range crashMessages {
		text := "text-" + strconv.Itoa(i)
		if acked[i].Load() {
			found.acked++
		}
		switch n := len(w.copies[text]); {
		case n == 0 && acked[i].Load():
			found.lost++
			t.Errorf("%s was acknowledged and never accepted", text)
		case n > 1 && w.unsure[text] > 0:
			found.twice++
			found.explained++
		case n > 1:
			found.twice++
			t.Errorf("%s was accepted %d times as %v, and no answer was lost", text, n, w.copies[text])
		}
	}
	if !drained {
		t.Errorf("the backlog did not drain")
	}
	return found
}

func start(t *testing.T, spec childSpec) *exec.Cmd {
	b, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(b))
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		if t.Failed() && out.Len() > 0 {
			t.Logf("the sender said: %s", out.String())
		}
	})
	return cmd
}

// send posts one message until it is taken, with one key, as a good client does.
func send(address string, i int) bool {
	body := fmt.Sprintf(`{"to":"+1555000%04d","text":"text-%d"}`, i, i)
	for range 150 {
		req, _ := http.NewRequest(http.MethodPost, "http://"+address+"/v1/messages", strings.NewReader(body))
		req.Header.Set("Idempotency-Key", "key-"+strconv.Itoa(i))
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusAccepted {
				return true
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
	return false
}

// wait returns when nothing is held any more.
func wait(address string) bool {
	quiet := 0
	for range 300 {
		time.Sleep(200 * time.Millisecond)
		resp, err := http.Get("http://" + address + "/metrics")
		if err != nil {
			continue
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if strings.Contains(string(b), "aftershock_sender_backlog 0\n") {
			quiet++
		} else {
			quiet = 0
		}
		if quiet >= 25 { // longer than the lease: what a dead process held has come back by now
			return true
		}
	}
	return false
}
