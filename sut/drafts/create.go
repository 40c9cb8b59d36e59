package drafts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// maxDraft bounds the body of a draft.
const maxDraft = 64 << 10

// create is POST /v1/drafts.
func (s *Service) create(j *fleet.Job, w http.ResponseWriter, r *http.Request) error {
	if err := j.Room(); err != nil {
		return err
	}
	cfg := s.cfg.Load()
	body, err := wire.ReadBody(r, maxDraft)
	if err != nil {
		return fleet.ErrLeft
	}
	var d wire.Draft
	if refusal := readDraft(body, &d); refusal != nil {
		refusal.Write(w)
		return nil
	}
	s.count.Creates.Add(1)
	keyed := cfg.Idempotency.Mode == "key" && d.Key != ""
	if keyed {
		made, refusal := s.books.claimKey(&d)
		switch {
		case refusal != nil:
			refusal.Write(w)
			return nil
		case made != "":
			s.count.Replayed.Add(1)
			w.Header().Set(wire.HeaderReplayed, "true")
			wire.WriteJSON(w, http.StatusOK, wire.Created{ID: made, State: Queued.String()})
			return nil
		}
	}
	done, refusal, err := s.commit(r.Context(), j, cfg, &d, body)
	if keyed {
		s.books.releaseKey(&d, done)
	}
	switch {
	case err != nil:
		return err
	case refusal != nil:
		refusal.Write(w)
		return nil
	}
	if err := j.Gate(instant.Create); err != nil {
		return err
	}
	wire.Write(w, http.StatusCreated, wire.Created{ID: d.ID, State: Queued.String()})
	return nil
}

func readDraft(body []byte, d *wire.Draft) *wire.Refusal {
	if len(body) > maxDraft {
		return &wire.Refusal{
			Status: http.StatusRequestEntityTooLarge, Code: "too_large", Says: fmt.Sprintf("a draft has at most %d bytes", maxDraft),
			Hint: "send media by link, not inline",
		}
	}
	if err := d.UnmarshalJSON(body); err != nil {
		return &wire.Refusal{Status: http.StatusBadRequest, Code: "bad_json", Says: "the draft cannot be read: " + err.Error(), Hint: "send the JSON that the front door writes"}
	}
	if d.ID == "" || d.To == "" {
		return &wire.Refusal{Status: http.StatusUnprocessableEntity, Code: "incomplete", Says: "a draft needs id and to", Hint: "create messages at POST /v1/messages of the WhatsApp service"}
	}
	return nil
}

// commit does the work of a create: books first, then the queue. Once it has begun to write, it is not cancelled.
func (s *Service) commit(ctx context.Context, j *fleet.Job, cfg *Config, d *wire.Draft, body []byte) (done bool, refusal *wire.Refusal, err error) {
	if refusal := s.room(cfg, d.Tenant); refusal != nil {
		s.count.Refused.Add(1)
		return false, refusal, nil
	}
	if why := s.Trouble(); len(why) > 0 {
		return false, &wire.Refusal{
			Status: http.StatusServiceUnavailable, Code: "journal_unavailable", Says: "what is taken in could not be written down: " + strings.Join(why, "; "),
			Hint: "send it again with the same key, later", After: cfg.Backlog.RetryAfter,
		}, nil
	}
	if err := j.Work(instant.Create, s.draws.create, cfg.Work.Create, true, cfg.Idempotency.Mode == "key"); err != nil {
		return false, nil, err
	}
	rule, _ := cfg.Classes.Named(d.Class)
	now := time.Now()
	held := s.books.add(d, now, past{}, cfg.Order.Conversation == "strict")
	it := queue.Item{
		ID: d.ID, Lane: s.laneFor(cfg, held, rule.Lane), Tenant: d.Tenant, Key: d.Conversation, Body: pack(past{}, body),
	}
	if d.SendAt > now.UnixMilli() {
		it.NotBefore = time.UnixMilli(d.SendAt)
	}
	if d.Expires != 0 {
		it.Expires = time.UnixMilli(d.Expires)
	}
	s.gates.arrival(now)
	switch err := s.w.Queue.Put(context.WithoutCancel(ctx), it); {
	case errors.Is(err, queue.ErrDuplicate): // the queue has had it: the first create stands
		s.books.drop(held)
		s.count.Replayed.Add(1)
		return true, nil, nil
	case errors.Is(err, queue.ErrFull):
		s.books.drop(held)
		s.count.Refused.Add(1)
		return false, s.full(cfg, "the queue is full"), nil
	case err != nil:
		s.books.drop(held)
		return false, &wire.Refusal{
			Status: http.StatusServiceUnavailable, Code: "queue_unavailable", Says: "the draft could not be stored: " + err.Error(),
			Hint: "send it again with the same key", After: time.Second,
		}, nil
	}
	s.count.Created.Add(1)
	s.at(PointQueued)
	if s.w.Journal != nil {
		s.remember(s.w.Journal.later(lineCreated(d)))
	}
	s.at(PointCreated)
	return true, nil, nil
}

// room refuses a draft when the backlog, or the tenant's share of it, is full.
func (s *Service) room(cfg *Config, tenant string) *wire.Refusal {
	if cfg.Backlog.Max == 0 {
		return nil
	}
	s.books.mu.Lock()
	held, mine := s.books.backlog(), s.books.tenants[tenant]
	s.books.mu.Unlock()
	switch {
	case held >= cfg.Backlog.Max:
		return s.full(cfg, fmt.Sprintf("%d drafts are held already", held))
	case cfg.Backlog.PerTenant > 0 && tenant != "" && float64(mine) >= float64(cfg.Backlog.PerTenant)*float64(cfg.Backlog.Max):
		return s.full(cfg, fmt.Sprintf("tenant %s holds %d drafts already, its share", tenant, mine))
	}
	return nil
}

func (s *Service) full(cfg *Config, says string) *wire.Refusal {
	return &wire.Refusal{
		Status: http.StatusTooManyRequests, Code: "backlog_full", Says: says,
		Hint: "send it again after the time in Retry-After; nothing was taken", After: cfg.Backlog.RetryAfter,
	}
}
