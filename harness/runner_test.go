package harness

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// restless is a sender that still works while its books are read: asking for a message is when it gets accepted.
type restless struct {
	mu      sync.Mutex
	entries []Entry
}

func (s *restless) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusAccepted, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

func (s *restless) After(_ context.Context, seq int64, _ int) ([]Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Entry(nil), s.entries[min(int(seq), len(s.entries)):]...), nil
}

func (s *restless) State(_ context.Context, message string) (state, reason string, final, known bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = append(s.entries, Entry{Seq: int64(len(s.entries) + 1), Message: message, At: time.Now(), Done: time.Now(), Accepted: true, Answered: 200})
	return "sent", "", true, true, nil
}

// A message that is accepted between two looks, one at the ledger and one at the books, is not lost.
func TestBooksAreAskedBeforeTheLedger(t *testing.T) {
	sc, err := scenarios.Read("t.yaml", []byte(`
schema: aftershock/scenario/v1
name: t
load: {arrivals: even, phases: [{name: a, for: 100ms, rate: 100/s}]}
drain: 20ms
thresholds: [{id: a, metric: messages.lost, is: "== 0"}]
`), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w, err := record.Create(dir, record.Info{}, sc.YAML())
	if err != nil {
		t.Fatal(err)
	}
	s := &restless{}
	r := &Runner{Scenario: sc, System: System{URL: "http://sender", Transport: s, Ledger: s, Books: s}, Writer: w, Every: 5 * time.Millisecond, Lateness: time.Hour}
	info, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(info); err != nil {
		t.Fatal(err)
	}
	run, err := record.Load(dir)
	if err != nil || len(run.Messages) == 0 {
		t.Fatalf("%d messages, %v", len(run.Messages), err)
	}
	for _, m := range run.Messages {
		if m.Outcome != record.Pending || m.Copies != 1 {
			t.Errorf("%s: %s (%s)", m.ID, m.Outcome, m.Reason)
		}
	}
}
