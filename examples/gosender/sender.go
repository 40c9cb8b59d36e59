// Package gosender is a small WhatsApp sender in Go, as a team might write it in a week: a front door that queues, and
// workers that send. It is here to be replayed; see docs/go-sender.md.
package gosender

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Sender takes messages at POST /messages and hands them to the Cloud API.
type Sender struct {
	API, Phone, Token string
	Client            *http.Client
	Workers           int           // default 8
	Patience          time.Duration // for an answer of the API; default 2 s

	// Careful leaves a message alone whose send was not answered in time: it may have been accepted. Without it the message
	// is sent again, as most senders do.
	Careful bool

	once  sync.Once
	queue chan message
}

type message struct {
	To   string `json:"to"`
	Text string `json:"text"`
}

// maxQueue bounds what waits; beyond it the front door answers 503.
const maxQueue = 50_000

func (s *Sender) init() {
	s.once.Do(func() {
		s.queue = make(chan message, maxQueue)
		if s.Workers == 0 {
			s.Workers = 8
		}
		if s.Patience == 0 {
			s.Patience = 2 * time.Second
		}
	})
}

// ServeHTTP is the front door.
func (s *Sender) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	var m message
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&m); err != nil || m.To == "" {
		http.Error(w, "want {\"to\": …, \"text\": …}", http.StatusBadRequest)
		return
	}
	select {
	case s.queue <- m:
		w.WriteHeader(http.StatusAccepted)
	default:
		http.Error(w, "too many messages are waiting", http.StatusServiceUnavailable)
	}
}

// Run sends what is queued until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	s.init()
	var workers sync.WaitGroup
	for range s.Workers {
		workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case m := <-s.queue:
					s.send(ctx, m)
				}
			}
		})
	}
	workers.Wait()
	return ctx.Err()
}

// send tries a message up to five times.
func (s *Sender) send(ctx context.Context, m message) {
	for attempt := range 5 {
		taken, late := s.try(ctx, m)
		if taken || late && s.Careful {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second << attempt):
		}
	}
}

// try sends once. late says that no answer came in time: whether the message was accepted nobody knows.
func (s *Sender) try(ctx context.Context, m message) (taken, late bool) {
	body, err := json.Marshal(map[string]any{"messaging_product": "whatsapp", "to": m.To, "type": "text", "text": map[string]string{"body": m.Text}})
	if err != nil {
		return true, false
	}
	ctx, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/%s/messages", s.API, s.Phone), bytes.NewReader(body))
	if err != nil {
		return true, false
	}
	req.Header.Set("Authorization", "Bearer "+s.Token)
	req.Header.Set("Content-Type", "application/json")
	res, err := s.Client.Do(req)
	if err != nil {
		return false, ctx.Err() != nil
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) // so that the connection can be used again
	return res.StatusCode == http.StatusOK, false
}
