package whatsapp

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/policy"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// maxMessage bounds the body of a message.
const maxMessage = 64 << 10

// Accepted is the answer to a message that was taken.
type Accepted struct {
	ID     string `json:"id"`    // of the message, for GET /v1/messages/{id}
	Draft  string `json:"draft"` // of the draft that was made for it
	Status string `json:"status"`
}

// entry is one message on its way through the front door.
type entry struct {
	s       *Service
	j       *fleet.Job
	cfg     *Config
	request string // m000001.2
	ref     string // m000001
	key     string
	draft   wire.Draft
}

// accept is POST /v1/messages.
func (s *Service) accept(j *fleet.Job, w http.ResponseWriter, r *http.Request) error {
	if err := j.Room(); err != nil { // the cheapest refusal comes first
		return err
	}
	cfg := s.cfg.Load()
	body, err := wire.ReadBody(r, maxMessage)
	if err != nil {
		return fleet.ErrLeft
	}
	var m Message
	validFor, refusal := s.read(body, &m)
	if err := j.Admit(s.priority(&m)); err != nil {
		return err
	}
	if err := j.Work(instant.FrontDoor, s.draws.accept, cfg.Work.Accept, true, cfg.Create.Cancel); err != nil {
		return err
	}
	e := entry{s: s, j: j, cfg: cfg}
	if refusal == nil {
		e.name(r.Header, &m)
		e.draft = m.draft(e.request, time.Now(), validFor)
		e.draft.Print = wire.Fingerprint(body)
		span := s.w.Traces.Start(r.Header.Get(wire.HeaderTrace), "accept", "request", e.request, "type", m.Type)
		defer span.End("")
		e.draft.Trace = span.Parent()
		if m.Media != nil {
			j.CarriesMedia()
			refusal, err = e.resolve(r.Context())
		}
	}
	if err != nil {
		return err
	}
	var made string
	var replayed bool
	if refusal == nil {
		made, replayed, refusal, err = e.create(r.Context())
	}
	if err != nil {
		return err
	}
	if err := j.Work(instant.FrontDoor, s.draws.answer, cfg.Work.Answer, false, false); err != nil {
		return err
	}
	if refusal != nil {
		s.count.Refused.Add(1)
		refusal.Write(w)
		return nil
	}
	s.count.Answered.Add(1)
	if replayed {
		w.Header().Set(wire.HeaderReplayed, "true")
	}
	wire.WriteJSON(w, http.StatusAccepted, Accepted{ID: wire.MessageOf(made), Draft: made, Status: "queued"})
	return nil
}

// read decodes and checks a message.
func (s *Service) read(body []byte, m *Message) (time.Duration, *wire.Refusal) {
	if len(body) > maxMessage {
		return 0, &wire.Refusal{
			Status: http.StatusRequestEntityTooLarge, Code: "too_large", Says: "a message has at most 64 KiB",
			Hint: "send media by link, not inline",
		}
	}
	if err := m.UnmarshalJSON(body); err != nil {
		return 0, &wire.Refusal{
			Status: http.StatusBadRequest, Code: "bad_json", Says: "the message cannot be read: " + err.Error(),
			Hint: "send JSON such as {\"to\":\"+15551234567\",\"text\":\"Hello\"}",
		}
	}
	return m.check(time.Now(), s.w.Classes())
}

// priority is what shedding goes by: the class, and within it the user.
func (s *Service) priority(m *Message) int {
	p, _, _ := s.w.Classes().Known(m.Class)
	return policy.Priority(p, chance.Key(m.To))
}

// name gives the message its reference: the caller's request id, or one that follows from its key, or a fresh one.
func (e *entry) name(h http.Header, m *Message) {
	e.request = h.Get(wire.HeaderRequest)
	e.key = h.Get(wire.HeaderKey)
	if !wire.ValidRequest(e.request) {
		if e.key != "" {
			e.request = "k" + strconv.FormatUint(chance.Key(m.Tenant+"\x00"+e.key), 36) + strconv.FormatUint(wire.Fingerprint([]byte(e.key)), 36)
		} else {
			e.request = e.s.w.Prefix + strconv.FormatUint(e.s.strangers.Add(1), 36)
		}
	}
	e.ref, _ = wire.SplitRequest(e.request)
}

// create asks Drafts for a draft, again and again as the settings say. Without idempotency every attempt that reaches
// Drafts makes another draft: the caller cannot know that a create it gave up on went through.
func (e *entry) create(caller context.Context) (made string, replayed bool, refusal *wire.Refusal, err error) {
	s, c := e.s, e.cfg.Create
	if c.Cancel && e.j.Left() { // nothing has been written yet, so nothing is lost
		return "", false, nil, fleet.ErrLeft
	}
	ctx := context.WithoutCancel(caller)
	lane := s.w.Lanes.Of(instant.CreateWait, e.j.Number)
	for n := 1; ; n++ {
		if c.Idempotent {
			e.draft.ID, e.draft.Key = wire.DraftID(e.ref, 1), e.key
			if e.key == "" {
				e.draft.Key = e.ref
			}
		} else {
			e.draft.ID = wire.DraftID(e.request, n)
		}
		res := e.attempt(ctx, lane, n)
		if err := e.j.Gate(instant.FrontDoor); err != nil {
			return "", false, nil, err
		}
		if res.made != "" || !res.again || n > c.Retries {
			return res.made, res.replayed, res.refusal, nil
		}
		wait := policy.Backoff(c.Backoff, c.BackoffMax, n, c.Jitter, s.draws.backoff.Float(e.j.Number, uint64(n)))
		lane.Sleep(max(wait, res.after))
	}
}

// outcome is what one create attempt came to.
type outcome struct {
	made     string
	replayed bool
	again    bool
	after    time.Duration
	refusal  *wire.Refusal
}

// attempt makes one call to Drafts.
func (e *entry) attempt(ctx context.Context, lane instant.Lane, n int) outcome {
	s := e.s
	body, err := e.draft.MarshalJSON()
	if err != nil {
		return outcome{refusal: &wire.Refusal{Status: http.StatusBadRequest, Code: "bad_message", Says: err.Error(), Hint: "check template"}}
	}
	s.count.Creates.Add(1)
	if n == 1 {
		s.count.CreateFirst.Add(1)
	}
	began := time.Now()
	ctx, cancel := context.WithDeadline(ctx, lane.Deadline(e.cfg.Create.Timeout))
	defer cancel()
	ans, err := s.w.Caller.Post(ctx, s.createURL, nil, body)
	defer ans.Release()
	if s.w.Observe != nil {
		s.w.Observe(wire.Attempt{
			Request: e.request, Draft: e.draft.ID, Hop: wire.HopCreate, Number: n, At: began, Done: time.Now(),
			Status: ans.Status, Error: wire.ErrorName(err), Taken: ans.Status >= 200 && ans.Status < 300, Replica: e.j.Replica.Name,
		})
	}
	return e.judge(ans, err)
}

// judge reads Drafts' answer.
func (e *entry) judge(ans wire.Answer, err error) outcome {
	s := e.s
	switch {
	case err != nil:
		name := wire.ErrorName(err)
		if name == wire.ErrTimeout {
			s.count.CreateTimeouts.Add(1)
		} else {
			s.count.CreateErrors.Add(1)
		}
		return outcome{again: true, refusal: &wire.Refusal{
			Status: http.StatusGatewayTimeout, Code: "create_" + name, Says: "the draft may or may not have been made",
			Hint: "send the message again with the same Idempotency-Key", After: s.cfg.Load().Admission.RetryAfter,
		}}
	case ans.Status == http.StatusOK || ans.Status == http.StatusCreated:
		var made wire.Created
		if made.UnmarshalJSON(ans.Body) != nil || made.ID == "" {
			made.ID = e.draft.ID
		}
		return outcome{made: made.ID, replayed: ans.Header.Get(wire.HeaderReplayed) != ""}
	}
	after := wire.RetryAfter(ans.Header)
	refusal := &wire.Refusal{Code: "refused", Says: "Drafts answered " + strconv.Itoa(ans.Status), After: after}
	_ = wire.Decode(ans.Body, &map[string]*wire.Refusal{"error": refusal}) // without a body the status speaks for itself
	refusal.Status, refusal.After = ans.Status, after
	if ans.Status >= 500 {
		s.count.CreateErrors.Add(1)
	}
	return outcome{again: ans.Status >= 500 || ans.Status == http.StatusConflict, after: after, refusal: refusal}
}
