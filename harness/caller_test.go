package harness

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// answers is a sender that gives these answers one after the other: a status, with Retry-After behind a slash, or silence.
type answers []string

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	next := (*a)[0]
	*a = (*a)[1:]
	if next == "silence" {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	code, after, _ := strings.Cut(next, "/")
	resp := &http.Response{Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}
	fmt.Sscan(code, &resp.StatusCode)
	if after != "" {
		resp.Header.Set("Retry-After", after)
	}
	return resp, nil
}

// TestTheCallerDoesAsItsClientWould: when it asks, how long it waits for an answer, and when it gives up.
func TestTheCallerDoesAsItsClientWould(t *testing.T) {
	client := scenarios.Client{Timeout: 3 * time.Second, Retries: 2, Backoff: time.Second}
	for _, c := range []struct{ name, answers, want string }{
		{"taken", "202", "0s-0s 202"},
		{"a refusal for good is an answer", "400", "0s-0s 400"},
		{"silence lasts as long as the timeout, and every retry is made", "silence silence silence", "0s-3s timeout, 4s-7s timeout, 8s-11s timeout"},
		{"503 is tried again after the backoff", "503 503 202", "0s-0s 503, 1s-1s 503, 2s-2s 202"},
		{"429 is tried again", "429 202", "0s-0s 429, 1s-1s 202"},
		{"Retry-After above the backoff is obeyed", "429/7 503/5 202", "0s-0s 429, 7s-7s 503, 12s-12s 202"},
		{"Retry-After below the backoff is not", "503/0 202", "0s-0s 503, 1s-1s 202"},
		{"Retry-After is bounded", "429/9999 202", "0s-0s 429, 5m0s-5m0s 202"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				script := answers(strings.Fields(c.answers))
				kept := &tries{}
				call := &caller{
					ctx: t.Context(), next: &script, client: client, form: reference{blank: &http.Request{}}, start: time.Now(), told: kept, stop: 5 * time.Minute,
				}
				call.deliver(message{number: 1})
				var got []string
				for _, try := range kept.all {
					end := try.Error
					if end == "" {
						end = fmt.Sprint(try.Status)
					}
					got = append(got, fmt.Sprintf("%v-%v %s", try.At, try.Done, end))
				}
				if all := strings.Join(got, ", "); all != c.want || len(script) > 0 {
					t.Errorf("%s, want %s; %d answers were not asked for", all, c.want, len(script))
				}
			})
		})
	}
}

// slow is a sender that takes its time.
type slow struct {
	restless
	mu            sync.Mutex
	inFlight, top int
}

func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.inFlight++
	s.top = max(s.top, s.inFlight)
	s.mu.Unlock()
	time.Sleep(5 * time.Second)
	s.mu.Lock()
	s.inFlight--
	s.mu.Unlock()
	return s.restless.RoundTrip(r)
}

// TestSlowAnswersHoldNoHitBack: the loop is open, however many answers are still awaited.
func TestSlowAnswersHoldNoHitBack(t *testing.T) {
	sc, err := scenarios.Read("t.yaml", []byte(`
schema: aftershock/scenario/v1
name: t
load: {arrivals: even, phases: [{name: a, for: 2s, rate: 100/s}]}
drain: 1s
thresholds: [{id: a, metric: messages.lost, is: "== 0"}]
`), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w, err := record.Create(t.TempDir(), record.Info{}, sc.YAML())
		if err != nil {
			t.Fatal(err)
		}
		s := &slow{}
		r := &Runner{Scenario: sc, System: System{URL: "http://sender", Transport: s, Ledger: &s.restless, Books: &s.restless}, Writer: w, Virtual: true}
		info, err := r.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(info); err != nil {
			t.Fatal(err)
		}
		if s.top < 199 {
			t.Errorf("at most %d hits were in flight at once, want all 200 of them", s.top)
		}
	})
}
