package replay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
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
	if said := strings.Join(strings.Fields(r.String()), " "); !strings.Contains(said, fmt.Sprintf("the sender's handler panicked %d times", r.Offered())) {
		t.Errorf("nobody is told of the panics:\n%s", r)
	}
}

// What a sender does wrong is an error that says what to do, and the process lives on.
func TestSlipsOfTheSender(t *testing.T) {
	taken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	for want, sender := range map[string]func(replay.Surroundings) (replay.Sender, error){
		"no Handler": func(replay.Surroundings) (replay.Sender, error) {
			return replay.Sender{Handler: http.HandlerFunc(nil)}, nil
		},
		"Options.Sender panicked: a slip": func(replay.Surroundings) (replay.Sender, error) { panic("a slip") },
		"Options.Sender ended its goroutine": func(replay.Surroundings) (replay.Sender, error) {
			runtime.Goexit()
			return replay.Sender{}, nil
		},
		"Run panicked: a slip": func(replay.Surroundings) (replay.Sender, error) {
			return replay.Sender{Handler: taken, Run: func(context.Context) error { panic("a slip") }}, nil
		},
		"no database": func(replay.Surroundings) (replay.Sender, error) {
			return replay.Sender{Handler: taken, Run: func(context.Context) error { return errors.New("no database") }}, nil
		},
		"the sender goes on 5m0s after its context ended": func(replay.Surroundings) (replay.Sender, error) {
			return replay.Sender{Handler: taken, Run: func(context.Context) error {
				for {
					time.Sleep(time.Second)
				}
			}}, nil
		},
		"left behind": func(replay.Surroundings) (replay.Sender, error) {
			go func() {
				for range time.Tick(time.Second) {
				}
			}()
			return replay.Sender{Handler: taken}, nil
		},
	} {
		r, err := replay.Run(context.Background(), replay.Options{YAML: quiet, Sender: sender})
		if r != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// The report says nothing of what nobody measured, and points to no folder that will be gone.
func TestReport(t *testing.T) {
	trouble := strings.Replace(strings.Replace(quiet, "for: 1m", "for: 12m", 1), "thresholds:", "timeline: [{at: 1m, for: 1m, fault: {kind: latency, add: 1s}}]\nthresholds:", 1)
	r := run(t, replay.Options{YAML: trouble, Sender: func(s replay.Surroundings) (replay.Sender, error) {
		client := &http.Client{Transport: s.Transport}
		return replay.Sender{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handed, _ := io.ReadAll(r.Body)
			to, text, _ := strings.Cut(string(handed), " ")
			body := fmt.Sprintf(`{"messaging_product": "whatsapp", "to": %q, "type": "text", "text": {"body": %q}}`, to, text)
			req, _ := http.NewRequestWithContext(r.Context(), "POST", s.API+"/"+s.Phone+"/messages", strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer "+s.Token)
			req.Header.Set("Content-Type", "application/json")
			res, err := client.Do(req)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			_ = res.Body.Close()
			w.WriteHeader(http.StatusAccepted)
		})}, nil
	}})
	if r.Delivered() != r.Offered() || !r.Met() {
		t.Errorf("%d of %d delivered", r.Delivered(), r.Offered())
	}
	for _, wrong := range []string{"never drained", "report.html", "aftershock watch"} {
		if strings.Contains(r.String(), wrong) {
			t.Errorf("%q in\n%s", wrong, r)
		}
	}
	if !strings.Contains(r.String(), "load back at") {
		t.Errorf("the trouble is missing in\n%s", r)
	}
	if tale, err := r.Explain("m000001"); err != nil || !strings.Contains(tale, "m000001") {
		t.Errorf("%v\n%s", err, tale)
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
