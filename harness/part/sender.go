package part

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/aftershock-dev/aftershock/sut"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// runDrafts is the Drafts service: the queue, the dispatcher and the books.
func runDrafts(ctx context.Context, s Spec) error {
	q, err := openQueue(ctx, s)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), finishWithin)
		defer cancel()
		_ = q.Close(closing) // what it stored is stored
	}()
	sender, trail, err := newSender(s, q)
	if err != nil {
		return err
	}
	d, err := open(s, map[string]http.Handler{HTTP: ready(sender.Drafts()), Control: guarded(s.Key, senderControl(sender, trail))}, nil)
	if err != nil {
		return err
	}
	// The dispatcher stops first: its last drafts need the door that takes their statuses.
	work, stop := context.WithCancel(context.Background())
	defer stop()
	var running sync.WaitGroup
	var runErr error
	running.Go(func() { runErr = sender.Run(work) })
	err = d.wait(ctx)
	stop()
	running.Wait()
	return errors.Join(err, runErr, d.close())
}

// runWhatsApp is one replica of the WhatsApp service.
func runWhatsApp(ctx context.Context, s Spec) error {
	idle := queue.NewMemory(queue.Config{}) // drafts are another part's business
	defer func() { _ = idle.Close(context.Background()) }()
	sender, trail, err := newSender(s, idle)
	if err != nil {
		return err
	}
	d, err := open(s, map[string]http.Handler{HTTP: ready(sender.WhatsApp()), Control: guarded(s.Key, senderControl(sender, trail))}, nil)
	if err != nil {
		return err
	}
	// Requests finish first: they need what Run does.
	work, stop := context.WithCancel(context.Background())
	defer stop()
	var running sync.WaitGroup
	var runErr error
	running.Go(func() { runErr = sender.Run(work) })
	err = d.wait(ctx)
	err = errors.Join(err, d.close())
	stop()
	running.Wait()
	return errors.Join(err, runErr)
}

func newSender(s Spec, q queue.Queue) (*sut.Sender, *trail, error) {
	cfg, err := sut.ParseConfig("sender", []byte(s.Config))
	if err != nil {
		return nil, nil, err
	}
	t := &trail{replica: s.Name}
	books := ""
	if s.Kind == Drafts && s.Queue == "jetstream" { // a queue that outlives the process needs books that do
		books = filepath.Join(s.Dir, "books")
	}
	sender, err := sut.New(cfg, sut.Wiring{
		DataDir:     books,
		WhatsAppURL: s.WhatsApp, DraftsURL: s.Drafts, APIBase: s.API, Token: Token, Phone: Phone, AppSecret: AppSecret,
		VerifyToken: VerifyToken, Queue: q, Seed: s.Seed, Observe: t.observe,
	})
	return sender, t, err
}

// openQueue opens the engine that was asked for. The lease is for a Drafts service that dies: what it held is then
// taken by the next.
func openQueue(ctx context.Context, s Spec) (queue.Queue, error) {
	cfg, err := sut.ParseConfig("sender", []byte(s.Config))
	if err != nil {
		return nil, err
	}
	settings := cfg.Drafts.Queue()
	if s.Queue != "jetstream" {
		return queue.NewMemory(settings), nil
	}
	js := queue.JetStream{URL: s.URL, Prefix: s.Prefix, Replicas: s.Replicas}
	if s.URL == "" {
		js.Dir = filepath.Join(s.Dir, "jetstream")
	}
	q, err := queue.OpenJetStream(ctx, settings, js)
	if err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	return q, nil
}

// Standing is what a sender says of one message.
type Standing struct {
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
	Final  bool   `json:"final,omitempty"`
	Known  bool   `json:"known,omitempty"`
}

// maxStandings bounds how many messages one question may be about.
const maxStandings = 10_000

// senderControl is how the harness reads and drives a service.
func senderControl(sender *sut.Sender, t *trail) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(sender.Stats()) })
	mux.HandleFunc("POST /trail", func(w http.ResponseWriter, _ *http.Request) { _ = gob.NewEncoder(w).Encode(t.drain()) })
	mux.HandleFunc("PATCH /settings", patch(sender.Apply))
	mux.HandleFunc("GET /settings", effective(sender.Effective))
	mux.HandleFunc("GET /messages", func(w http.ResponseWriter, r *http.Request) {
		from, err1 := strconv.ParseUint(r.FormValue("from"), 10, 64)
		count, err2 := strconv.ParseUint(r.FormValue("count"), 10, 64)
		if err1 != nil || err2 != nil || count > maxStandings {
			answer(w, fmt.Errorf("ask from a number on, for %d messages at most", maxStandings))
			return
		}
		out := make([]Standing, count)
		for i := range out {
			var s Standing
			s.State, s.Reason, s.Final, s.Known = sender.State(MessageID(from + uint64(i)))
			out[i] = s
		}
		_ = json.NewEncoder(w).Encode(out)
	})
	return mux
}

// MessageID is how the harness names message n: m000001.
func MessageID(n uint64) string { return fmt.Sprintf("m%06d", n) }

// MessageNumber inverts MessageID; ok is false for anything else.
func MessageNumber(id string) (n uint64, ok bool) {
	if len(id) < 7 || id[0] != 'm' {
		return 0, false
	}
	n, err := strconv.ParseUint(id[1:], 10, 64)
	return n, err == nil && n > 0
}
