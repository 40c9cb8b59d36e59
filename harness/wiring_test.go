package harness

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/internal/golden"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// TestHealth: late hits and hits that were not sent make a run invalid, and nothing else does.
func TestHealth(t *testing.T) {
	row100 := func(change func(i int, r *row)) *table {
		tab := newTable(time.Now(), make([]time.Duration, 100))
		for i := range tab.rows {
			tab.rows[i].fired, tab.rows[i].sent = true, tab.rows[i].scheduled+time.Millisecond
			change(i, &tab.rows[i])
		}
		return tab
	}
	for _, c := range []struct {
		name  string
		table *table
		want  string
	}{
		{"on time", row100(func(int, *row) {}), ""},
		{"two in a hundred are late", row100(func(i int, r *row) {
			if i < 2 {
				r.sent += time.Second
			}
		}), "hits started late"},
		{"one was not sent", row100(func(i int, r *row) { r.fired = i != 7 }), "hits that could not be sent: 1"},
	} {
		r := &Runner{Lateness: 100 * time.Millisecond}
		r.health(c.table)
		if got := strings.Join(r.Info.Harness.Invalid, "; "); (got != "") != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
		if got := r.Info.Harness; !slices.Equal(got.Invalid, got.Machine) { // the machine's doing, and so worth another attempt
			t.Errorf("%s: of %q the machine did %q", c.name, got.Invalid, got.Machine)
		}
	}
}

// recorder is a system that prints what it is told, and when.
type recorder struct {
	mu    sync.Mutex
	start time.Time
	lines []string
}

func (p *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusAccepted, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func (p *recorder) say(format string, args ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, fmt.Sprintf("%-6v ", time.Since(p.start).Round(10*time.Millisecond))+fmt.Sprintf(format, args...))
	return nil
}
func (p *recorder) Apply(_ context.Context, id string, f scenarios.Fault) error {
	return p.say("apply %s %s", id, strings.Join(strings.Fields(string(f.Raw)), " "))
}
func (p *recorder) Clear(_ context.Context, id string) error { return p.say("clear %s", id) }
func (p *recorder) Set(_ context.Context, values map[string]any) error {
	return p.say("set %s", setText(values))
}
func (p *recorder) Act(_ context.Context, a scenarios.Action) error {
	return p.say("%s", actionText(a))
}

// TestTimelineCompressed: every step of a timeline reaches the system at its instant, and what has a length ends. Compressed, all of
// it comes sooner, and a fault's own durations shrink with it.
func TestTimelineCompressed(t *testing.T) {
	text := `schema: aftershock/scenario/v1
name: t
load: {arrivals: even, phases: [{name: a, for: 10m, rate: 1/min}]}
drain: 2m
timeline:
  - {at: 1m, set: {sender.drafts.rate_limit: 300/min}}
  - {at: 2m, for: 30s, fault: {kind: latency, add: 20s, ramp: 10s}}
  - {at: 3m, fault: {kind: error, code: 131000, burst: {for: 10s, every: 1m}}}
  - {at: 4m, kill: whatsapp/1}
  - {at: 4m30s, for: 1m, kill: whatsapp/2}
  - {at: 5m, for: 20s, pause: drafts/1}
  - {at: 6m, for: 10s, partition: whatsapp/1}
  - {at: 7m, restart: fake}
  - {at: 8m, scale: {whatsapp: 5}}
  - {at: 9m, note: nothing happens}
`
	var out strings.Builder
	for _, compress := range []float64{1, 10} {
		synctest.Test(t, func(t *testing.T) {
			sc, err := scenarios.Read("t.yaml", []byte(text), scenarios.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if compress > 1 {
				sc = sc.Squeeze(compress)
			}
			w, err := record.Create(t.TempDir(), record.Info{}, sc.YAML())
			if err != nil {
				t.Fatal(err)
			}
			p := &recorder{start: time.Now()}
			r := &Runner{Scenario: sc, System: System{Name: "test", URL: "http://sender", Transport: p, Faults: p, Settings: p, Replicas: p}, Writer: w}
			info, err := r.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Close(info); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "compressed %gx\n%s\n\n", compress, strings.Join(p.lines, "\n"))
		})
	}
	golden.Check(t, "testdata/timeline.golden", []byte(out.String()))
}

// TestDigestSeesEverything: two runs differ in their digest when a message ended otherwise, was sent more often, or at
// another time.
func TestDigestSeesEverything(t *testing.T) {
	base := []record.Message{{ID: "m000001", Outcome: record.Delivered, Copies: 1, API: 1, Tries: 1, Accepted: 1, Delivered: 2}}
	for name, change := range map[string]func(*record.Message){
		"outcome":   func(m *record.Message) { m.Outcome = record.Lost },
		"copies":    func(m *record.Message) { m.Copies = 2 },
		"causes":    func(m *record.Message) { m.Causes = []string{record.SendRetry} },
		"attempts":  func(m *record.Message) { m.API = 2 },
		"hits":      func(m *record.Message) { m.Tries = 2 },
		"accepted":  func(m *record.Message) { m.Accepted = 3 },
		"delivered": func(m *record.Message) { m.Delivered = 3 },
		"id":        func(m *record.Message) { m.ID = "m000002" },
	} {
		other := slices.Clone(base)
		change(&other[0])
		if record.Digest(other) == record.Digest(base) {
			t.Errorf("the digest does not see another %s", name)
		}
	}
}
