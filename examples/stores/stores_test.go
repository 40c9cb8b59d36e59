package stores_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/replay"
)

// surge is half an hour with six minutes in which the API answers slowly.
const surge = `
schema: aftershock/scenario/v1
name: stores
seed: 7
load:
  arrivals: poisson
  phases: [{name: steady, for: 30m, rate: 120/min}]
drain: 5m
client: {timeout: 5s, retries: 0}
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

// twice replays a sender two times, demands the same of both, and returns the second.
func twice(t *testing.T, sender func(replay.Surroundings) (replay.Sender, error)) *replay.Result {
	t.Helper()
	var first string
	for {
		r, err := replay.Run(context.Background(), replay.Options{YAML: surge, Sender: sender})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		if first == "" {
			first = r.Digest()
			continue
		}
		if r.Digest() != first {
			t.Errorf("the same replay gave %s, then %s", first, r.Digest())
		}
		return r
	}
}

// api sends a message that was queued as {"to": …, "text": …}.
type api struct {
	replay.Surroundings
	client *http.Client
}

func newAPI(s replay.Surroundings) api {
	return api{s, &http.Client{Transport: s.Transport, Timeout: 20 * time.Second}}
}

func (a api) send(ctx context.Context, queued []byte) error {
	var m struct{ To, Text string }
	if err := json.Unmarshal(queued, &m); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"messaging_product": "whatsapp", "to": m.To, "type": "text", "text": map[string]string{"body": m.Text}})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.API+"/"+a.Phone+"/messages", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.Token)
	req.Header.Set("Content-Type", "application/json")
	res, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the API answers %s", res.Status)
	}
	return nil
}

// frontDoor queues what it is handed.
func frontDoor(push func(ctx context.Context, message []byte) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		message, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err == nil {
			err = push(r.Context(), message)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}
