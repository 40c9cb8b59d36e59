package agent

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// TestAgentsDoWhatTheyAllow: an order names hosts, environment variables and files of the agent's machine, and gets none
// that the agent's owner did not name.
func TestAgentsDoWhatTheyAllow(t *testing.T) {
	const load = "schema: aftershock/scenario/v1\nname: x\nload: {phases: [{name: a, for: 1m, rate: 60/min}]}\n"
	const secret = load + "target: {url: 'http://sender.example/m', body: '{{.Secret.a}} {{.Text}}', secrets: {a: {env: AWS_SECRET_ACCESS_KEY}}}\n"
	const file = load + "target: {url: 'http://sender.example/m', body: '{{.Secret.a}} {{.Text}}', secrets: {a: {file: /etc/shadow}}}\n"
	sender := []string{"sender.example"}
	for _, c := range []struct {
		name, scenario, url, trace string
		allow                      Allow
		want                       string
	}{
		{"nothing is allowed", load, "http://127.0.0.1:1", "", Allow{}, "--allow-host 127.0.0.1"},
		{"this machine", load, "http://127.0.0.1:1", "", Allow{Loopback: true}, ""},
		{"another host", load, "http://evil.example", "", Allow{Loopback: true, Hosts: sender}, "--allow-host evil.example"},
		{"a host by its domain", load, "http://a.load.example", "", Allow{Hosts: []string{"*.load.example"}}, ""},
		{"a domain's namesake", load, "http://load.example", "", Allow{Hosts: []string{"*.load.example"}}, "--allow-host"},
		{"a user in front of the host", load, "http://sender.example@evil.example", "", Allow{Hosts: sender}, "--allow-host evil.example"},
		{"the target's own host", secret, "", "", Allow{Secrets: []string{"AWS_SECRET_ACCESS_KEY"}}, "--allow-host sender.example"},
		{"an environment variable", secret, "", "", Allow{Hosts: sender}, "--allow-secret AWS_SECRET_ACCESS_KEY"},
		{"one that is allowed", secret, "", "", Allow{Hosts: sender, Secrets: []string{"AWS_SECRET_ACCESS_KEY"}}, ""},
		{"a file", file, "", "", Allow{Hosts: sender}, "--allow-secret /etc/shadow"},
		{"a trace", load, "http://sender.example", "/etc/shadow", Allow{Hosts: sender}, "--allow-trace /etc"},
		{"a trace out of its folder", load, "http://sender.example", "/traces/../etc/shadow", Allow{Hosts: sender, Traces: []string{"/traces"}}, "--allow-trace"},
		{"a trace that is allowed", load, "http://sender.example", "/traces/a/b.csv", Allow{Hosts: sender, Traces: []string{"/traces"}}, ""},
	} {
		sc, err := scenarios.Read("x.yaml", []byte(c.scenario), scenarios.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = c.allow.check(Order{Trace: c.trace, Aim: harness.Aim{URL: c.url}}, sc)
		if got := err != nil; got != (c.want != "") || got && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestFence: what a template makes of a URL goes to allowed hosts alone.
func TestFence(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	ask := func(a Allow) error {
		r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := fence{a, http.DefaultTransport}.RoundTrip(r)
		if err == nil {
			res.Body.Close()
		}
		return err
	}
	if err := ask(Allow{}); err == nil {
		t.Error("a host that is not allowed was reached")
	}
	if err := ask(Allow{Loopback: true}); err != nil {
		t.Error(err)
	}
}

// TestOrdersAreSigned: an agent with a key obeys those who know it, once.
func TestOrdersAreSigned(t *testing.T) {
	f := newField(t, 3, time.Millisecond)
	conn := f.connect()
	w := &Worker{ID: "a", Version: "v1", Key: "k1", Conn: f.connect(), Load: func(_ context.Context, o Order) (Load, error) {
		return &volley{order: o, every: f.every, total: f.total, client: http.DefaultClient}, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	f.agents.Go(func() {
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
		w.Conn.Close()
	})
	t.Cleanup(cancel)
	defer conn.Close()
	ear, err := conn.SubscribeSync("aftershock.agents.agent.a.order")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"": "not signed", "k2": "not signed"} {
		team, err := Gather(t.Context(), conn, Options{Version: "v1", Agents: 1, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if err := team.Prepare(t.Context(), f.order(), 3); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("with the key %q: %v", key, err)
		}
	}
	team, err := Gather(t.Context(), conn, Options{Version: "v1", Agents: 1, Key: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := team.Prepare(t.Context(), f.order(), 3); err != nil {
		t.Fatal(err)
	}
	if _, err := team.Fire(t.Context(), time.Now().Add(100*time.Millisecond), func(harness.Hit) {}); err != nil {
		t.Fatal(err)
	}
	var overheard *nats.Msg
	for range 3 { // the third order was the good one
		if overheard, err = ear.NextMsg(time.Second); err != nil {
			t.Fatalf("nothing was overheard: %v", err)
		}
	}
	answer, err := conn.RequestMsg(&nats.Msg{Subject: overheard.Subject, Data: overheard.Data, Header: overheard.Header}, time.Second)
	if err != nil || !strings.Contains(string(answer.Data), "not signed") {
		t.Errorf("an order that was overheard is obeyed: %s %v", answer.Data, err)
	}
}
