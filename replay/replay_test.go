package replay_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/replay"
)

const quiet = `
schema: aftershock/scenario/v1
name: quiet
load: {arrivals: even, phases: [{name: steady, for: 1m, rate: 60/min}]}
client: {timeout: 5s, retries: 0}
target: {url: http://sender.test/messages, body: '{{.To}} {{.Text}}'}
thresholds: [{id: taken, metric: messages.shed.rate, is: "< 50%"}]
`

func run(t *testing.T, o replay.Options) *replay.Result {
	t.Helper()
	r, err := replay.Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// A handler that panics breaks its connection, as behind net/http, and not the process.
func TestPanicsBreakTheConnection(t *testing.T) {
	r := run(t, replay.Options{YAML: quiet, Sender: func(replay.Surroundings) (replay.Sender, error) {
		return replay.Sender{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a slip") })}, nil
	}})
	if r.Delivered() != 0 || r.Refused() != r.Offered() || r.Met() {
		t.Errorf("%d of %d refused:\n%s", r.Refused(), r.Offered(), r)
	}
}

// A library that dials for itself finds what listens in memory.
func TestConnectionsInMemory(t *testing.T) {
	var stored int
	r := run(t, replay.Options{YAML: quiet, Sender: func(s replay.Surroundings) (replay.Sender, error) {
		l, err := s.Listen("store:1")
		if err != nil {
			return replay.Sender{}, err
		}
		store := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { stored++; time.Sleep(time.Millisecond) })}
		dial := &http.Client{Transport: &http.Transport{DialContext: s.DialContext, MaxIdleConnsPerHost: 1}}
		return replay.Sender{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				res, err := dial.Get("http://store:1/")
				if err != nil {
					http.Error(w, err.Error(), http.StatusServiceUnavailable)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				w.WriteHeader(http.StatusAccepted)
			}),
			Run: func(ctx context.Context) error {
				go func() { <-ctx.Done(); dial.CloseIdleConnections(); _ = store.Close() }()
				if err := store.Serve(l); err != http.ErrServerClosed && err != net.ErrClosed {
					return err
				}
				return nil
			},
		}, nil
	}})
	if stored != r.Offered() || r.Lost() != r.Offered() {
		t.Errorf("%d of %d came through:\n%s", stored, r.Offered(), r)
	}
}

// Mistakes are told at once, by name.
func TestMistakes(t *testing.T) {
	make := func(replay.Surroundings) (replay.Sender, error) { return replay.Sender{}, nil }
	for want, o := range map[string]replay.Options{
		"Options.Sender is missing":  {YAML: quiet},
		"no Handler":                 {YAML: quiet, Sender: make},
		"Scenario or YAML, not both": {YAML: quiet, Scenario: "smoke", Sender: make},
		"no scenario of this name":   {Scenario: "nothing", Sender: make},
		"did you mean phases?":       {YAML: strings.Replace(quiet, "phases:", "phasse:", 1), Sender: make},
	} {
		if _, err := replay.Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
