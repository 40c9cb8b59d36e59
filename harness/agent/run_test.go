package agent

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// The fake as a Runner sees it.
type fakeLedger struct{ fake *fakewa.Server }

func (l fakeLedger) After(_ context.Context, seq int64, limit int) ([]harness.Entry, error) {
	var out []harness.Entry
	for _, e := range l.fake.After(seq, limit) {
		out = append(out, harness.Entry{Seq: e.Seq, Status: e.Status, Message: e.Message, At: e.At, Done: e.Done, Accepted: e.Accepted, Answered: e.Answered, Code: e.Code})
	}
	return out, nil
}

type fakeFaults struct{ fake *fakewa.Server }

func (f fakeFaults) Apply(_ context.Context, id string, x scenarios.Fault) error {
	return f.fake.Apply(id, x.Raw)
}
func (f fakeFaults) Clear(_ context.Context, id string) error { return f.fake.Clear(id) }

// worker is an agent as the command runs it.
func (f *field) worker(id string) {
	conn := f.connect()
	w := &Worker{ID: id, Version: "v1", Conn: conn, Once: true, Allow: Allow{Loopback: true}}
	ctx, cancel := context.WithCancel(context.Background())
	f.agents.Go(func() {
		if err := w.Run(ctx); err != nil {
			f.t.Error(err)
		}
		conn.Close()
	})
	f.t.Cleanup(cancel)
}

// A run whose load three agents send has the record of a run that sent it itself: every message once, and as many
// attempts with every status as the fake's ledger holds.
func TestRunOfThreeAgents(t *testing.T) {
	text, err := os.ReadFile("../../docs/examples/fake-alone.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Read("fake-alone.yaml", text, scenarios.Options{Set: map[string]string{"drain": "8s", "client.timeout": "2m"}})
	if err != nil {
		t.Fatal(err)
	}
	const compress = 4
	f := newField(t, 0, 0)
	if err := f.fake.Set(sc.Squeeze(compress).WhatsApp); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c"} {
		f.worker(id)
	}
	conn := f.connect()
	defer conn.Close()
	team, err := Gather(t.Context(), conn, Options{Version: "v1", Agents: 3})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w, err := record.Create(dir, record.Info{}, sc.YAML())
	if err != nil {
		t.Fatal(err)
	}
	r := &harness.Runner{
		Scenario: sc.Squeeze(compress), Writer: w, Every: time.Second, Lateness: time.Minute, Busy: 9, Team: team.For("run-1", sc, compress),
		System: harness.System{
			Name: "external", FakeURL: f.url, Transport: http.DefaultTransport, Ledger: fakeLedger{f.fake}, Faults: fakeFaults{f.fake},
		},
	}
	info, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(info); err != nil {
		t.Fatal(err)
	}
	run, err := record.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Harness.Invalid) > 0 || len(run.Messages) < 2900 {
		t.Errorf("%d messages, invalid %v", len(run.Messages), info.Harness.Invalid)
	}
	sent, ledger := map[int]int{}, map[int]int{}
	total := 0
	for _, m := range run.Messages {
		if total += m.Tries; m.Tries != m.API {
			t.Errorf("%s: %d attempts, %d in the ledger", m.ID, m.Tries, m.API)
		}
	}
	for a, err := range record.Attempts(dir) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Hop == "front_door" {
			sent[a.Status]++
		} else {
			ledger[a.Status]++
		}
	}
	if fmt.Sprint(sent) != fmt.Sprint(ledger) || len(sent) < 3 || total == len(run.Messages) {
		t.Errorf("the agents tell of attempts by status %v, the fake's ledger of %v", sent, ledger)
	}
	t.Logf("%d messages, %d attempts by status %v", len(run.Messages), total, sent)
}

func TestShareOfAnotherSchedule(t *testing.T) {
	sc := steady(t, 10, time.Second)
	w := &Worker{Allow: Allow{Loopback: true, Hosts: []string{"graph.facebook.com"}}}
	_, err := w.share(t.Context(), Order{Run: "r", Shards: 1, Scenario: sc.YAML(), Compress: 1, Aim: harness.Aim{URL: "http://127.0.0.1:1", Hits: 9, Sum: 1}})
	if err == nil || !strings.Contains(err.Error(), "is another than the run's (9)") {
		t.Errorf("a schedule that is not the run's: %v", err)
	}
	_, err = w.share(t.Context(), Order{Run: "r", Shards: 1, Scenario: sc.YAML(), Compress: 1, Aim: harness.Aim{URL: "https://graph.facebook.com/"}})
	if err == nil || !strings.Contains(err.Error(), "Meta") {
		t.Errorf("an order to send load to Meta: %v", err)
	}
}
