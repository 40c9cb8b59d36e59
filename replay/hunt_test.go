package replay_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/replay"
)

// passing is a sender without a queue: it passes each message on while its caller waits, and sends again what was not
// answered in time when it is told to.
func passing(again bool) func(s replay.Surroundings) (replay.Sender, error) {
	return func(s replay.Surroundings) (replay.Sender, error) {
		client := &http.Client{Transport: s.Transport, Timeout: 3 * time.Second}
		var mu sync.Mutex
		taken := map[string]int{} // what became of a text, for callers that ask again
		send := func(ctx context.Context, to, text string) int {
			body := `{"messaging_product":"whatsapp","to":"` + to + `","type":"text","text":{"body":"` + text + `"}}`
			req, err := http.NewRequestWithContext(ctx, "POST", s.API+"/"+s.Phone+"/messages", strings.NewReader(body))
			if err != nil {
				return 500
			}
			req.Header.Set("Authorization", "Bearer "+s.Token)
			req.Header.Set("Content-Type", "application/json")
			res, err := client.Do(req)
			if err != nil {
				return 504
			}
			res.Body.Close()
			return res.StatusCode
		}
		return replay.Sender{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			to, text := r.FormValue("to"), r.FormValue("text")
			mu.Lock()
			_, before := taken[text]
			taken[text] = 1
			mu.Unlock()
			if before && !again { // nobody knows whether it arrived, and nobody sends it twice
				w.WriteHeader(http.StatusConflict)
				return
			}
			code := send(r.Context(), to, text)
			if code == 504 && again {
				code = send(r.Context(), to, text)
			}
			w.WriteHeader(code)
		})}, nil
	}
}

const mine = `
schema: aftershock/scenario/v1
name: mine
load: {phases: [{name: a, for: 1m, rate: 60/min}]}
client: {timeout: 20s, retries: 1, backoff: 1s}
target: {url: http://sender.test/messages, form: {to: '{{.To}}', text: '{{.Text}}'}}
thresholds: [{id: taken, metric: messages.shed.rate, is: "< 50%"}]
`

// TestHunt: a sender that passes everything on keeps its promises; a hunt says what it tried, and needs something to try.
func TestHunt(t *testing.T) {
	h, err := replay.Hunt(context.Background(), replay.Options{YAML: mine, Sender: passing(false)}, 25)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range h.Findings {
		t.Errorf("seed %d: %s\n%s", f.Seed, f.Says, f.YAML)
	}
	if !strings.Contains(h.String(), "tried       25 seeds") {
		t.Error(h)
	}
	if _, err := replay.Hunt(context.Background(), replay.Options{YAML: mine, Sender: passing(false)}, 0); err == nil || !strings.Contains(err.Error(), "no seed was tried") {
		t.Error(err)
	}
	if _, err := replay.Hunt(context.Background(), replay.Options{YAML: mine}, 1); err == nil || !strings.Contains(err.Error(), "Options.Sender") {
		t.Error(err)
	}
}

// TestHuntFindsWhatIsForgotten: a sender that acknowledges and forgets is found, and what was found shows it again.
func TestHuntFindsWhatIsForgotten(t *testing.T) {
	forgetful := func(s replay.Surroundings) (replay.Sender, error) {
		inner, err := passing(false)(s)
		n := 0
		var mu sync.Mutex
		return replay.Sender{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			n++
			forget := n%7 == 0
			mu.Unlock()
			if !forget {
				inner.Handler.ServeHTTP(w, r)
			}
		})}, err
	}
	h, err := replay.Hunt(context.Background(), replay.Options{YAML: mine, Sender: forgetful}, 20)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Findings) != 1 || h.Findings[0].Steps > 0 || !strings.Contains(h.Findings[0].Says, "acknowledged") {
		t.Fatal(h)
	}
	r, err := replay.Run(context.Background(), replay.Options{YAML: h.Findings[0].YAML, Sender: forgetful})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Lost() == 0 || r.Digest() != h.Findings[0].Digest {
		t.Errorf("%d lost, digest %s, found with %s\n%s", r.Lost(), r.Digest(), h.Findings[0].Digest, r)
	}
}
