package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/harness/virtual"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// handed is a message as a front door is handed it.
type handed struct {
	Key  string `json:"key"`
	To   string `json:"to"`
	Text string `json:"text"`
}

// door is a sender by hand: it says how a message is answered, and sends what it means to send.
type door func(n int64, m handed, send func(handed)) (status int)

// door answers behind the front door of a system whose fake it sends to.
func (d door) through(inner http.RoundTripper) http.RoundTripper {
	return &byHand{inner: inner, door: d}
}

type byHand struct {
	inner http.RoundTripper
	door  door
	n     atomic.Int64
	sends sync.WaitGroup
}

// RoundTrip implements http.RoundTripper.
func (b *byHand) RoundTrip(r *http.Request) (*http.Response, error) {
	var body bytes.Buffer
	if _, err := body.ReadFrom(r.Body); err != nil {
		return nil, err
	}
	var m handed
	if err := json.Unmarshal(body.Bytes(), &m); err != nil {
		return nil, fmt.Errorf("%s: %w", body.String(), err)
	}
	status := b.door(b.n.Add(1), m, func(m handed) { b.sends.Go(func() { b.send(m) }) })
	if status == 0 { // to the sender behind
		r = r.Clone(r.Context())
		r.Body = http.NoBody
		if body.Len() > 0 {
			r.Body = &once{bytes.NewReader(body.Bytes())}
		}
		return b.inner.RoundTrip(r)
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

type once struct{ *bytes.Reader }

func (*once) Close() error { return nil }

// send sends a text as a program would that knows the Cloud API from its documentation.
func (b *byHand) send(m handed) {
	body, err := json.Marshal(map[string]any{"messaging_product": "whatsapp", "to": m.To, "type": "text", "text": map[string]string{"body": m.Text}})
	if err != nil {
		return
	}
	r, err := http.NewRequest(http.MethodPost, "http://graph.fake/v24.0/106540352242922/messages", bytes.NewReader(body))
	if err != nil {
		return
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer EAAaftershock")
	if a, err := b.inner.RoundTrip(r); err == nil {
		a.Body.Close()
	}
}

// run replays a scenario with a door in front of the reference sender.
func (d door) run(t *testing.T, s *scenarios.Scenario) *reports.Report {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	info := record.Info{Clock: "virtual", Environment: "embedded", Scenario: record.ScenarioInfo{Name: s.Name, Seed: s.Seed, Purpose: s.Purpose, SHA256: s.SHA256()}}
	w, err := record.Create(dir, info, s.YAML())
	if err != nil {
		t.Fatal(err)
	}
	virtual.Run(s.Start, func() {
		var sys *local.System
		if sys, err = local.Build(context.Background(), local.Options{Scenario: s, Dir: dir, Clock: "virtual", Environment: "embedded", Queue: "memory"}); err != nil {
			return
		}
		front := d.through(sys.Transport).(*byHand)
		sys.System.Transport = front
		r := &harness.Runner{Scenario: s, System: sys.System, Writer: w, Info: info, MediaBase: "http://media.store", Virtual: true}
		info, err = r.Run(context.Background())
		front.sends.Wait()
		if e := sys.Close(); err == nil {
			err = e
		}
	})
	if e := w.Close(info); err == nil {
		err = e
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := reports.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// plain is a scenario that judges little: what a hurried team would write.
const plain = `
schema: aftershock/scenario/v1
name: plain
load: {arrivals: even, phases: [{name: steady, for: 5m, rate: 120/min}]}
messages: {recipients: 100}
sender: {preset: hardened}
thresholds:
  - {id: once, metric: duplicates.copies, is: "== 0"}
  - {id: quick, metric: response_time.p99, is: "<= 1s"}
  - {id: prompt, metric: delivery_time.p99, is: "<= 30s"}
`

func TestGateSenders(t *testing.T) {
	s, err := scenarios.Read("plain.yaml", []byte(plain), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		door door
		want reports.Verdict
		says string
	}{
		"one that does its work":                     {func(_ int64, m handed, send func(handed)) int { send(m); return 202 }, reports.Met, ""},
		"one that takes everything and does nothing": {func(int64, handed, func(handed)) int { return 202 }, reports.Missed, "599 messages (100%) ended as lost"},
		"one that drops one message in a hundred": {func(n int64, m handed, send func(handed)) int {
			if n%101 != 0 {
				send(m)
			}
			return 202
		}, reports.Invalid, "5 messages (0.835%) ended as lost"},
		"one that drops one message in four hundred": {func(n int64, m handed, send func(handed)) int {
			if n%400 != 0 {
				send(m)
			}
			return 202
		}, reports.Invalid, "1 message (0.167%) ended as lost"},
		"one that refuses half at once": {func(n int64, m handed, send func(handed)) int {
			if n%2 == 0 {
				return 503
			}
			send(m)
			return 202
		}, reports.Missed, "ended as shed"},
		"one that sends all to one number": {func(_ int64, m handed, send func(handed)) int {
			m.To = "4915112345678"
			send(m)
			return 202
		}, reports.Missed, "ended as misdelivered"},
		"one that mixes two recipients up": {func(n int64, m handed, send func(handed)) int {
			if n == 77 {
				m.To = "15559999999"
			}
			send(m)
			return 202
		}, reports.Invalid, "ended as misdelivered"},
		"one that cuts the text but for its marker": {func(_ int64, m handed, send func(handed)) int {
			m.Text = m.Text[strings.Index(m.Text, "[ref:"):]
			send(m)
			return 202
		}, reports.Missed, "ended as misdelivered"},
		"one that sends a second copy with another text": {func(n int64, m handed, send func(handed)) int {
			send(m)
			if n%50 == 0 {
				m.Text = "Reminder: " + m.Text
				send(m)
			}
			return 202
		}, reports.Missed, "once"},
		"one that sends a stranger a copy": {func(n int64, m handed, send func(handed)) int {
			send(m)
			if n%50 == 0 {
				m.To = "15559999999"
				send(m)
			}
			return 202
		}, reports.Missed, ""},
		"one that sends what nobody asked for": {func(n int64, m handed, send func(handed)) int {
			send(m)
			if n%50 == 0 {
				send(handed{To: m.To, Text: "Our summer sale has begun!"})
			}
			return 202
		}, reports.Invalid, "sends that nobody asked for, 11 of them"},
		"one that writes to a stranger what nobody asked for": {func(n int64, m handed, send func(handed)) int {
			send(m)
			if n == 300 {
				send(handed{To: "15559999999", Text: "Our summer sale has begun!"})
			}
			return 202
		}, reports.Invalid, "sends that nobody asked for, 1 of them"},
		"one that sends half of them twice and the others never": {func(n int64, m handed, send func(handed)) int {
			if n%2 == 0 {
				send(m)
				send(m)
			}
			return 202
		}, reports.Missed, "ended as lost"},
		"one that gives each the text of the one before": {func() door {
			var before handed
			var mu sync.Mutex
			return func(_ int64, m handed, send func(handed)) int {
				mu.Lock()
				defer mu.Unlock()
				text := before.Text
				before = m
				if text != "" {
					send(handed{To: m.To, Text: text})
				}
				return 202
			}
		}(), reports.Missed, "ended as misdelivered"},
		"one that loses the last minute": {func(n int64, m handed, send func(handed)) int {
			if n < 590 {
				send(m)
			}
			return 202
		}, reports.Missed, "ended as lost"},
		"one that sends twice": {func(_ int64, m handed, send func(handed)) int { send(m); send(m); return 202 }, reports.Missed, "duplicates"},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.door.run(t, s)
			if said := text(t, r); r.Verdict != c.want || !strings.Contains(said, c.says) {
				t.Errorf("%s, want %s saying %q: %s", r.Verdict, c.want, c.says, said)
			}
		})
	}
}

// A sender that refuses half of what it is handed keeps no scenario of the catalog, and each says that it is for that.
func TestGateCatalog(t *testing.T) {
	for _, name := range scenarios.Names() {
		t.Run(name, func(t *testing.T) {
			s, err := open(name, map[string]string{"client.retries": "0"})
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range s.Load.Phases { // a tenth of the load is enough
				for _, rate := range []*quantity.Rate{&p.Rate, &p.From, &p.To} {
					rate.Count /= 10
				}
				s.Load.Phases[i] = p
			}
			half := door(func(n int64, _ handed, _ func(handed)) int {
				if n%2 == 0 {
					return http.StatusServiceUnavailable
				}
				return 0
			})
			r := half.run(t, s)
			if r.ExitCode == reports.ExitMet {
				t.Fatalf("met: %s", text(t, r))
			}
			for _, th := range r.Thresholds {
				if th.Verdict == reports.Missed && strings.HasPrefix(th.Metric, "messages.delivered") {
					return
				}
			}
			if said := text(t, r); !strings.Contains(said, "ended as shed") {
				t.Errorf("it does not tell of what was refused: %s", said)
			}
		})
	}
}
