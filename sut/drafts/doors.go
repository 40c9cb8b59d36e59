package drafts

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// routes puts the two hot doors before everything else: they are asked once or more for every message.
func (s *Service) routes() http.Handler {
	create := s.fleet.Handler(s.create, s.busy)
	status := s.fleet.Handler(s.status, s.busy)
	rest := s.doors()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/v1/drafts":
			create.ServeHTTP(w, r)
		case r.Method == http.MethodPost && r.URL.Path == "/v1/status":
			status.ServeHTTP(w, r)
		default:
			rest.ServeHTTP(w, r)
		}
	})
}

// doors are for people and for the front door on their behalf.
func (s *Service) doors() http.Handler {
	m := mux.NewRouter()
	m.Methods(http.MethodGet).Path("/v1/messages/{id}").HandlerFunc(s.showMessage)
	m.Methods(http.MethodDelete).Path("/v1/messages/{id}").HandlerFunc(s.cancelMessage)
	m.Methods(http.MethodGet).Path("/v1/pauses").HandlerFunc(s.showPauses)
	m.Methods(http.MethodPost).Path("/v1/pause").HandlerFunc(s.pause)
	m.Methods(http.MethodPost).Path("/v1/resume").HandlerFunc(s.resume)
	m.Methods(http.MethodGet).Path("/v1/dead").HandlerFunc(s.showDead)
	m.Methods(http.MethodPost).Path("/v1/dead/{id}/replay").HandlerFunc(s.replayDead)
	m.Methods(http.MethodDelete).Path("/v1/dead/{id}").HandlerFunc(s.purgeDead)
	nothing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(&wire.Refusal{
			Status: http.StatusNotFound, Code: "no_such_door", Says: r.Method + " " + r.URL.Path + " is not served here",
			Hint: "see POST /v1/messages, GET|DELETE /v1/messages/{id}, GET /v1/pauses, POST /v1/pause, POST /v1/resume, GET /v1/dead, GET|PATCH /v1/settings",
		}).Write(w)
	})
	m.NotFoundHandler, m.MethodNotAllowedHandler = nothing, nothing
	return m
}

// busy answers a request that no copy takes.
func (s *Service) busy(w http.ResponseWriter, err error) {
	code := "overloaded"
	if errors.Is(err, fleet.ErrNobody) {
		code = "no_replica"
	}
	(&wire.Refusal{
		Status: http.StatusServiceUnavailable, Code: code, Says: err.Error(), Hint: "try again a little later",
		After: s.cfg.Load().Admission.RetryAfter,
	}).Write(w)
}

// Standing is the answer to a question about a message.
type Standing struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
	Final  bool   `json:"final"`
}

func (s *Service) showMessage(w http.ResponseWriter, r *http.Request) {
	id := mux.Vars(r)["id"]
	state, reason, final, known := s.State(id)
	if !known {
		(&wire.Refusal{
			Status: http.StatusNotFound, Code: "no_such_message", Says: "no message " + strconv.Quote(id) + " is known here",
			Hint: "use the id that POST /v1/messages answered; it is remembered for a day or so",
		}).Write(w)
		return
	}
	wire.WriteJSON(w, http.StatusOK, Standing{id, state, reason, final})
}

func (s *Service) cancelMessage(w http.ResponseWriter, r *http.Request) {
	id := mux.Vars(r)["id"]
	if refusal := s.Cancel(id); refusal != nil {
		refusal.Write(w)
		return
	}
	state, reason, final, _ := s.State(id)
	wire.WriteJSON(w, http.StatusOK, Standing{id, state, reason, final})
}

// order is the body of a pause or a resume.
type order struct {
	Scope string `json:"scope"`
	Name  string `json:"name"`
	For   string `json:"for"`
}

// maxOrder bounds the body of an order.
const maxOrder = 4 << 10

func badOrder(says string) *wire.Refusal {
	return &wire.Refusal{
		Status: http.StatusUnprocessableEntity, Code: "bad_order", Says: says,
		Hint: `send {"scope":"tenant","name":"acme","for":"10m"}; scope all needs no name, without for it lasts until it is resumed`,
	}
}

func readOrder(w http.ResponseWriter, r *http.Request) (st Stop, ok bool) {
	bad := func(says string) (Stop, bool) {
		badOrder(says).Write(w)
		return Stop{}, false
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxOrder))
	if err != nil {
		return bad("the order cannot be read")
	}
	var o order
	if err := json.Unmarshal(body, &o); err != nil {
		return bad("the order cannot be read: " + err.Error())
	}
	st = Stop{Scope: o.Scope, Name: o.Name, Since: time.Now()}
	if o.For != "" {
		d, err := time.ParseDuration(o.For)
		if err != nil || d <= 0 {
			return bad("for " + strconv.Quote(o.For) + " is not a time")
		}
		st.Until = st.Since.Add(d)
	}
	return st, true
}

// Pause stops sending within a scope, also after a restart.
func (s *Service) Pause(st Stop) error {
	if err := s.stops.pause(st); err != nil {
		return err
	}
	s.remember(s.w.Journal.write(linePaused(st)))
	s.w.Log.Warn("paused", "scope", st.Scope, "name", st.Name, "until", st.Until)
	return nil
}

// Resume ends a pause; the backlog then drains at the capped rate. It reports whether there was one.
func (s *Service) Resume(st Stop) bool {
	ended := s.stops.resume(st)
	if ended {
		s.remember(s.w.Journal.write(lineResumed(st)))
		s.w.Log.Info("resumed", "scope", st.Scope, "name", st.Name)
		s.gates.resumed(time.Now())
		s.desk.kick()
	}
	return ended
}

func (s *Service) pause(w http.ResponseWriter, r *http.Request) {
	st, ok := readOrder(w, r)
	if !ok {
		return
	}
	if err := s.Pause(st); err != nil {
		badOrder(err.Error()).Write(w)
		return
	}
	s.showPauses(w, r)
}

func (s *Service) resume(w http.ResponseWriter, r *http.Request) {
	st, ok := readOrder(w, r)
	if !ok {
		return
	}
	if !s.Resume(st) {
		(&wire.Refusal{Status: http.StatusNotFound, Code: "not_paused", Says: "that is not paused", Hint: "see GET /v1/pauses for what is"}).Write(w)
		return
	}
	s.showPauses(w, r)
}

func (s *Service) showPauses(w http.ResponseWriter, _ *http.Request) {
	wire.WriteJSON(w, http.StatusOK, map[string]any{"pauses": s.stops.all(), "stopped_numbers": s.gates.stopped()})
}

// DeadLetter is one dead letter as it is shown. What the message said is not.
type DeadLetter struct {
	ID     string    `json:"id"` // for replay and purge
	Draft  string    `json:"draft"`
	Tenant string    `json:"tenant,omitempty"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	Age    string    `json:"age"` // since it was queued
}

// maxDead bounds one page of dead letters.
const maxDead = 1000

func (s *Service) showDead(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.FormValue("limit"))
	if err != nil || limit < 1 || limit > maxDead {
		limit = 100
	}
	list, err := s.w.Queue.DeadLetters(r.Context(), r.FormValue("after"), limit)
	if err != nil {
		s.queueTrouble(w, err)
		return
	}
	out := make([]DeadLetter, len(list))
	for i, d := range list {
		out[i] = DeadLetter{d.ID, d.Item.ID, d.Item.Tenant, d.Reason, d.Since, d.Since.Sub(d.Item.Enqueued).Round(time.Second).String()}
	}
	wire.WriteJSON(w, http.StatusOK, map[string]any{"dead": out})
}

func (s *Service) replayDead(w http.ResponseWriter, r *http.Request) {
	if err := s.w.Queue.Replay(r.Context(), mux.Vars(r)["id"]); err != nil {
		s.queueTrouble(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Service) purgeDead(w http.ResponseWriter, r *http.Request) {
	if err := s.w.Queue.Purge(r.Context(), mux.Vars(r)["id"]); err != nil {
		s.queueTrouble(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Service) queueTrouble(w http.ResponseWriter, err error) {
	refusal := &wire.Refusal{Status: http.StatusServiceUnavailable, Code: "queue_unavailable", Says: err.Error(), Hint: "try again a little later", After: time.Second}
	if errors.Is(err, queue.ErrNotFound) {
		refusal = &wire.Refusal{Status: http.StatusNotFound, Code: "no_such_letter", Says: err.Error(), Hint: "see GET /v1/dead"}
	}
	refusal.Write(w)
}
