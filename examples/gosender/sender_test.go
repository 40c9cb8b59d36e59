package gosender_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/examples/gosender"
	"github.com/aftershock-dev/aftershock/replay"
)

// surge is half an hour: traffic, a burst, and ten minutes in which the API answers slowly.
const surge = `
schema: aftershock/scenario/v1
name: go-sender
seed: 7
load:
  arrivals: poisson
  phases:
    - {name: calm, for: 10m, rate: 300/min}
    - {name: surge, for: 10m, rate: 700/min}
    - {name: after, for: 10m, rate: 300/min}
drain: 10m
messages: {recipients: 5000}
client: {timeout: 5s, retries: 2, backoff: 1s}
target:
  url: http://sender.test/messages
  headers: {Content-Type: application/json}
  body: '{"to": {{json .To}}, "text": {{json .Text}}}'
timeline:
  - {at: 12m, for: 6m, fault: {kind: latency, add: lognormal(p50=500ms, p99=4s)}}
thresholds:
  - {id: all, says: "999 of 1,000 messages are delivered", metric: messages.delivered.rate, is: ">= 99.9%"}
  - {id: once, says: "nobody gets a message twice", metric: duplicates.copies, is: "== 0"}
`

func replayed(t *testing.T, careful bool) *replay.Result {
	t.Helper()
	r, err := replay.Run(context.Background(), replay.Options{YAML: surge, Sender: func(s replay.Surroundings) (replay.Sender, error) {
		mine := &gosender.Sender{API: s.API, Phone: s.Phone, Token: s.Token, Client: &http.Client{Transport: s.Transport}, Workers: 64, Careful: careful}
		return replay.Sender{Handler: mine, Run: mine.Run}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// The sender sends again what was not answered in time, and the replay finds it out and says why.
func TestSendsAgainWhatWasAccepted(t *testing.T) {
	t.Parallel()
	r := replayed(t, false)
	if verdict, _ := r.Verdict(); verdict != "missed" || r.Duplicates() < 100 {
		t.Fatalf("%d copies, %s:\n%s", r.Duplicates(), verdict, r)
	}
	why, err := r.Explain("duplicates")
	if err != nil || !strings.Contains(why, "accepted by the API, answer lost") {
		t.Errorf("%v\n%s", err, why)
	}
	if again := replayed(t, false); again.Digest() != r.Digest() {
		t.Errorf("the same replay gave %s, then %s", r.Digest(), again.Digest())
	}
	t.Logf("%d messages, %d copies too many\n%s", r.Offered(), r.Duplicates(), why)
}

// Mended, it is met.
func TestCareful(t *testing.T) {
	t.Parallel()
	if r := replayed(t, true); !r.Met() {
		t.Fatal(r)
	}
}
