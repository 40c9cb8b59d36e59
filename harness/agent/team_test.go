package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/sut/queue/natsnode"
)

// volley is a load of even arrivals that go straight to a fake Cloud API.
type volley struct {
	order   Order
	every   time.Duration
	total   uint64
	retries int
	client  *http.Client
}

func (v *volley) Hits() int {
	n := 0
	for i := uint64(1); i <= v.total; i++ {
		if v.order.Mine(i) {
			n++
		}
	}
	return n
}

func (v *volley) Send(ctx context.Context, start time.Time, report func(harness.Hit, time.Duration)) error {
	var all sync.WaitGroup
	defer all.Wait()
	for n := uint64(1); n <= v.total; n++ {
		if !v.order.Mine(n) {
			continue
		}
		at := time.Duration(n) * v.every
		timer := time.NewTimer(time.Until(start.Add(at)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		all.Go(func() { report(v.send(ctx, n, start), at) })
	}
	return nil
}

func (v *volley) send(ctx context.Context, n uint64, start time.Time) harness.Hit {
	r := harness.Hit{Number: n}
	for range v.retries + 1 {
		a := harness.Try{At: time.Since(start)}
		status, err := v.post(ctx, n)
		a.Done, a.Status = time.Since(start), status
		if err != nil {
			a.Error = "reset"
		}
		r.Tries = append(r.Tries, a)
		if r.Taken = status == http.StatusOK; r.Taken {
			break
		}
	}
	return r
}

func (v *volley) post(ctx context.Context, n uint64) (int, error) {
	body := fmt.Sprintf(`{"messaging_product":"whatsapp","to":"1555%07d","type":"text","text":{"body":"[ref:m%06d]"}}`, n%1000, n)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.order.URL+"/v24.0/106540352242922/messages", bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer EAAtest")
	req.Header.Set("Content-Type", "application/json")
	resp, err := v.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

// field is a NATS server, a fake and some agents.
type field struct {
	t      *testing.T
	node   *natsnode.Node
	fake   *fakewa.Server
	url    string
	every  time.Duration
	total  uint64
	agents sync.WaitGroup
}

func newField(t *testing.T, total uint64, every time.Duration) *field {
	t.Helper()
	node, err := natsnode.Start(natsnode.Config{Listen: "127.0.0.1:0", Unsynced: true})
	if err != nil {
		t.Fatal(err)
	}
	fake, err := fakewa.NewServer(fakewa.Config{}, fakewa.Wiring{Seed: 1, SpillDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(fake)
	f := &field{t: t, node: node, fake: fake, url: srv.URL, total: total, every: every}
	t.Cleanup(func() {
		f.agents.Wait()
		srv.Close()
		if err := errors.Join(fake.Close(), node.Stop()); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *field) connect() *nats.Conn {
	f.t.Helper()
	conn, err := nats.Connect(f.node.URL())
	if err != nil {
		f.t.Fatal(err)
	}
	return conn
}

// agent runs one agent until the test ends, or its connection is closed.
func (f *field) agent(id, version string) *nats.Conn {
	conn := f.connect()
	w := &Worker{ID: id, Version: version, Conn: conn, Load: func(_ context.Context, o Order) (Load, error) {
		if o.URL == "" {
			return nil, errors.New("no target")
		}
		return &volley{order: o, every: f.every, total: f.total, retries: 5, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	f.agents.Go(func() {
		if err := w.Run(ctx); err != nil {
			f.t.Error(err)
		}
		conn.Close()
	})
	f.t.Cleanup(cancel)
	return conn
}

func (f *field) order() Order { return Order{Run: "run-1", Aim: harness.Aim{URL: f.url}} }

func TestThreeAgentsAddUpExactly(t *testing.T) {
	f := newField(t, 1500, time.Millisecond)
	for i, fault := range []string{
		"{kind: error, where: messages, code: 131000, share: 10%}", "{kind: reply-lost, where: messages, how: reset, share: 5%}",
	} {
		if err := f.fake.Apply(fmt.Sprintf("f%d", i), []byte(fault)); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"a", "b", "c"} {
		f.agent(id, "v1")
	}
	f.agent("old", "v0") // of another version: not asked
	conn := f.connect()
	defer conn.Close()
	team, err := Gather(t.Context(), conn, Options{Version: "v1", Agents: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := team.Prepare(t.Context(), f.order(), int(f.total)); err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]int{}
	attempts, taken := int64(0), 0
	statuses := map[int]int{}
	result, err := team.Fire(t.Context(), time.Now().Add(300*time.Millisecond), func(r harness.Hit) {
		seen[r.Number]++
		attempts += int64(len(r.Tries))
		if r.Taken {
			taken++
		}
		for _, a := range r.Tries {
			statuses[a.Status]++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]int{}
	entries, messages := int64(0), map[string]bool{}
	for _, e := range f.fake.After(0, 1<<20) {
		if e.Status == "" {
			entries++
			want[e.Answered]++
			messages[e.Message] = true
		}
	}
	if len(seen) != int(f.total) || len(messages) != int(f.total) || result.Rows != int(f.total) {
		t.Errorf("told of %d messages in %d rows, the fake saw %d, want %d", len(seen), result.Rows, len(messages), f.total)
	}
	if attempts != entries || fmt.Sprint(statuses) != fmt.Sprint(want) {
		t.Errorf("the agents tell of %d attempts %v, the fake's ledger of %d %v", attempts, statuses, entries, want)
	}
	if n := result.Service.TotalCount(); n != entries {
		t.Errorf("the merged histogram counts %d attempts, the ledger %d", n, entries)
	}
	if n := result.Response.TotalCount(); n != int64(f.total) || result.Lateness.TotalCount() != n {
		t.Errorf("the merged histogram counts %d messages, want %d", n, f.total)
	}
	for n, times := range seen {
		if times != 1 {
			t.Errorf("message %d was told of %d times", n, times)
		}
	}
	t.Logf("%d messages, %d attempts, %d taken, statuses %v, starts within %v, lateness p99 %v µs", result.Rows, attempts,
		taken, statuses, result.Skew, result.Lateness.ValueAtQuantile(99))
}

func TestAgentThatDiesMakesTheRunInvalid(t *testing.T) {
	f := newField(t, 60_000, time.Millisecond) // a minute, were it not for the end
	f.agent("a", "v1")
	dying := f.agent("b", "v1")
	conn := f.connect()
	defer conn.Close()
	team, err := Gather(t.Context(), conn, Options{Version: "v1", Agents: 2, Silence: 4 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := team.Prepare(t.Context(), f.order(), int(f.total)); err != nil {
		t.Fatal(err)
	}
	rows := 0
	result, err := team.Fire(t.Context(), time.Now().Add(100*time.Millisecond), func(harness.Hit) {
		if rows++; rows == 200 {
			dying.Close()
		}
	})
	if !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "agent b has been silent") {
		t.Errorf("one of two agents died: %v", err)
	}
	if result.Rows != rows || rows >= int(f.total) {
		t.Errorf("%d rows, %d reported", result.Rows, rows)
	}
}

func TestTeamThatCannotBeTrusted(t *testing.T) {
	f := newField(t, 100, time.Millisecond)
	conn := f.connect()
	defer conn.Close()
	_, err := Gather(t.Context(), conn, Options{Version: "v1", Agents: 1, Within: 10 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "0 of 1 agents") {
		t.Errorf("without agents: %v", err)
	}
	f.agent("a", "v1")
	f.agent("b", "v0")
	_, err = Gather(t.Context(), conn, Options{Version: "v1", Agents: 2, Within: 700 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "version v0") {
		t.Errorf("with an agent of another version: %v", err)
	}
	team, err := Gather(t.Context(), conn, Options{Version: "v1", Agents: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := team.Prepare(t.Context(), Order{Run: "r"}, 100); err == nil || !strings.Contains(err.Error(), "no target") {
		t.Errorf("an order that an agent cannot carry out: %v", err)
	}
	if err := team.Prepare(t.Context(), f.order(), 101); err == nil || !strings.Contains(err.Error(), "hold 100 messages") {
		t.Errorf("shares that do not add up: %v", err)
	}
	if _, err := team.Fire(t.Context(), time.Now().Add(-time.Second), func(harness.Hit) {}); err == nil || !strings.Contains(err.Error(), "ago") {
		t.Errorf("a start in the past: %v", err)
	}
	f.agent("a", "v1") // a second one of that name
	if _, err = Gather(t.Context(), conn, Options{Version: "v1", Agents: 2, Within: time.Second}); err == nil || !strings.Contains(err.Error(), "call themselves") {
		t.Errorf("two agents of one name: %v", err)
	}
}
