package replay_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aftershock-dev/aftershock/replay"
)

// A sender that hands every message on at once, against an API that answers nothing for a minute: it asks again, and some
// arrive twice.
func Example() {
	const scenario = `
schema: aftershock/scenario/v1
name: lost-answers
load: {arrivals: even, phases: [{name: steady, for: 5m, rate: 60/min}]}
client: {timeout: 20s, retries: 0}
target:
  url: http://sender.test/messages
  body: '{"messaging_product": "whatsapp", "to": {{json .To}}, "type": "text", "text": {"body": {{json .Text}}}}'
timeline:
  - {at: 1m, for: 1m, fault: {kind: reply-lost, first: 1}}
thresholds:
  - {id: all, metric: messages.delivered.rate, is: ">= 99.9%"}
  - {id: once, metric: duplicates.copies, is: "== 0"}
`
	r, err := replay.Run(context.Background(), replay.Options{YAML: scenario, Sender: func(s replay.Surroundings) (replay.Sender, error) {
		client := &http.Client{Transport: s.Transport, Timeout: 5 * time.Second}
		return replay.Sender{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			for range 3 {
				req, _ := http.NewRequest("POST", s.API+"/"+s.Phone+"/messages", bytes.NewReader(body))
				req.Header.Set("Authorization", "Bearer "+s.Token)
				req.Header.Set("Content-Type", "application/json")
				if res, err := client.Do(req); err == nil {
					_ = res.Body.Close()
					w.WriteHeader(http.StatusAccepted)
					return
				}
			}
			http.Error(w, "not now", http.StatusServiceUnavailable)
		})}, nil
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	verdict, _ := r.Verdict()
	fmt.Println(verdict, r.Offered(), "offered,", r.Delivered(), "delivered,", r.Duplicates(), "copies too many")
	// Output: missed 299 offered, 299 delivered, 59 copies too many
}
