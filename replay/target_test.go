package replay_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/replay"
)

// handOn is a sender that wants a login first, passes on what it is handed, and counts the statuses that it is told.
type handOn struct {
	replay.Surroundings
	statuses int
}

func (s *handOn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/login":
		_, _ = io.WriteString(w, `{"session": "s1"}`)
	case "/statuses":
		s.statuses++
	default:
		if r.Header.Get("Session") != "s1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, s.API+"/"+s.Phone+"/messages", r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		req.Header.Set("Authorization", "Bearer "+s.Token)
		req.Header.Set("Content-Type", "application/json")
		res, err := s.Transport.RoundTrip(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_ = res.Body.Close()
		w.WriteHeader(res.StatusCode)
	}
}

// session is a scenario that says its sender's host in full, as one that is driven over HTTP does.
const session = `
schema: aftershock/scenario/v1
name: session
load: {arrivals: even, phases: [{name: steady, for: 1m, rate: 60/min}]}
client: {timeout: 5s, retries: 0}
target:
  url: https://sender.acme.internal/messages
  webhook: https://sender.acme.internal/statuses
  headers: {Session: '{{.Taken.session}}'}
  body: '{"messaging_product": "whatsapp", "to": {{json .To}}, "type": "text", "text": {"body": {{json .Text}}}}'
  steps:
    - {name: log in, once: true, url: 'https://sender.acme.internal/login', take: {session: $.session}}
thresholds: [{id: all, metric: messages.delivered.rate, is: "== 100%"}]
`

// Hosts in the target's block are names for the sender, whatever they are: its own steps and its webhook reach it too, and
// nothing is looked up. A look-up would end the process at the second run, so there are two.
func TestHostsStandForTheSender(t *testing.T) {
	for range 2 {
		s := &handOn{}
		r := run(t, replay.Options{YAML: session, Sender: func(around replay.Surroundings) (replay.Sender, error) {
			s.Surroundings = around
			return replay.Sender{Handler: s}, nil
		}})
		if !r.Met() || s.statuses < r.Offered() {
			t.Fatalf("%d statuses for %d messages:\n%s", s.statuses, r.Offered(), r)
		}
	}
}

// Another host is not there: the network in memory is all that a run reaches.
func TestOtherHostsAreNotThere(t *testing.T) {
	elsewhere := strings.Replace(session, "https://sender.acme.internal/login", "https://login.acme.internal/", 1)
	for range 2 {
		r := run(t, replay.Options{YAML: elsewhere, Sender: func(around replay.Surroundings) (replay.Sender, error) {
			return replay.Sender{Handler: &handOn{Surroundings: around}}, nil
		}})
		if verdict, _ := r.Verdict(); verdict != "invalid" || r.Delivered() != 0 {
			t.Errorf("%s, %d delivered:\n%s", verdict, r.Delivered(), r)
		}
	}
}

// A Webhook that is no path would be told nothing, silently.
func TestWebhookIsAPath(t *testing.T) {
	_, err := replay.Run(context.Background(), replay.Options{YAML: session, Sender: func(around replay.Surroundings) (replay.Sender, error) {
		return replay.Sender{Handler: &handOn{Surroundings: around}, Webhook: "statuses"}, nil
	}})
	if err == nil || !strings.Contains(err.Error(), `Webhook is "statuses": say the path`) {
		t.Errorf("%v", err)
	}
}

// Steps that need replicas are refused before anything runs, and the error says what to do.
func TestStepsThatNeedReplicas(t *testing.T) {
	for _, step := range []string{"kill: target/1", "scale: {target: 3}", "pause: target/1, for: 10s"} {
		yaml := strings.Replace(session, "thresholds:", "timeline: [{at: 10s, "+step+"}]\nthresholds:", 1)
		_, err := replay.Run(context.Background(), replay.Options{YAML: yaml, Sender: func(around replay.Surroundings) (replay.Sender, error) {
			return replay.Sender{Handler: &handOn{Surroundings: around}}, nil
		}})
		if err == nil || !strings.Contains(err.Error(), "timeline at 10s: needs replicas") || !strings.Contains(err.Error(), "hint: a sender in this process has no replicas") {
			t.Errorf("%s: %v", step, err)
		}
	}
}

// figures is a sender with one worker, which tells how many messages wait.
type figures struct {
	*handOn
	waiting chan []byte
}

func (f *figures) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/metrics" {
		if r.Header.Get("Authorization") != "Bearer open" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, "waiting %d\nage_s 0.5\n", len(f.waiting))
		return
	}
	b, _ := io.ReadAll(r.Body)
	f.waiting <- b
	w.WriteHeader(http.StatusAccepted)
}

func (f *figures) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case b := <-f.waiting:
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/messages", bytes.NewReader(b))
			r.Header.Set("Session", "s1")
			f.handOn.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
}

const judged = `
schema: aftershock/scenario/v1
name: figures
load: {arrivals: even, phases: [{name: steady, for: 1m, rate: 300/min}]}
drain: 10m
client: {timeout: 5s, retries: 0}
whatsapp: {latency: 1s}
target:
  url: http://localhost:9000/messages
  body: '{"messaging_product": "whatsapp", "to": {{json .To}}, "type": "text", "text": {"body": {{json .Text}}}}'
  metrics:
    path: http://localhost:9000/metrics
    headers: {Authorization: Bearer open}
    gauges: {backlog: waiting, age_s: age_s, more: more}
thresholds:
  - {id: all, metric: messages.delivered.rate, is: "== 100%"}
  - {id: queue, metric: backlog.max, is: between 200 and 300}
  - {id: age, metric: gauge.age_s.max, is: "== 500ms"}
`

// A sender's own figures are read in virtual time too: thresholds judge them, and the run waits for its backlog.
func TestFiguresOfTheSender(t *testing.T) {
	var first string
	for range 2 {
		r := run(t, replay.Options{YAML: judged, Sender: func(around replay.Surroundings) (replay.Sender, error) {
			f := &figures{&handOn{Surroundings: around}, make(chan []byte, 1000)}
			return replay.Sender{Handler: f, Run: f.Run}, nil
		}})
		said := strings.Join(strings.Fields(r.String()), " ")
		if !r.Met() || !strings.Contains(said, "backlog up to 2") || !strings.Contains(said, "never told of more: more") {
			t.Fatal(r)
		}
		if first != "" && r.Digest() != first {
			t.Errorf("%s, then %s", first, r.Digest())
		}
		first = r.Digest()
	}
}
