package replay_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
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
			var body strings.Builder
			_, _ = fmt.Fprint(&body, read(r))
			for range 3 {
				req, _ := http.NewRequest("POST", s.API+"/"+s.Phone+"/messages", strings.NewReader(body.String()))
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

func read(r *http.Request) string {
	b := make([]byte, 4096)
	n := 0
	for n < len(b) {
		k, err := r.Body.Read(b[n:])
		if n += k; err != nil {
			break
		}
	}
	return string(b[:n])
}
