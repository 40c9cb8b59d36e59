package sut

import (
	"crypto/subtle"
	"io"
	"net/http"
	"strings"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

// maxSettings bounds the body of a change of settings.
const maxSettings = 256 << 10

// doors puts what concerns the whole sender before a service's own doors, and asks for the operator's token where
// something can be stopped, changed or read that is nobody else's business.
func (s *Sender) doors(service http.Handler) http.Handler {
	metrics := s.metrics()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/messages") || r.URL.Path == "/v1/send" || r.URL.Path == "/v1/drafts" {
			service.ServeHTTP(w, r) // by far the most
			return
		}
		if guarded(r) && !s.operator(r) {
			(&wire.Refusal{
				Status: http.StatusUnauthorized, Code: "operators_only", Says: "this door asks for the operator's token",
				Hint: "send it as Authorization: Bearer TOKEN",
			}).Write(w)
			return
		}
		switch r.Method + " " + r.URL.Path {
		case "GET /metrics":
			metrics.ServeHTTP(w, r)
		case "GET /healthz":
			wire.WriteJSON(w, http.StatusOK, map[string]bool{"alive": true})
		case "GET /readyz":
			s.readyz(w, r)
		case "GET /v1/settings":
			wire.WriteJSON(w, http.StatusOK, s.Effective())
		case "PATCH /v1/settings":
			s.patch(w, r)
		default:
			service.ServeHTTP(w, r)
		}
	})
}

// guarded reports whether a request is an operator's.
func guarded(r *http.Request) bool {
	for _, p := range []string{"/v1/settings", "/v1/pause", "/v1/resume", "/v1/dead"} {
		if strings.HasPrefix(r.URL.Path, p) {
			return true
		}
	}
	return false
}

func (s *Sender) operator(r *http.Request) bool {
	if s.operatorToken == "" {
		return true
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && subtle.ConstantTimeCompare([]byte(given), []byte(s.operatorToken)) == 1
}

// patch changes settings: what is given is laid over what is in force, and the whole is validated before any of it
// changes. With ?dry_run=1 nothing changes.
func (s *Sender) patch(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxSettings+1))
	if err != nil {
		return // the caller has gone
	}
	change := s.Apply
	if r.FormValue("dry_run") != "" {
		change = s.Check
	}
	if len(body) > maxSettings {
		err = &wire.Refusal{Code: "too_large", Says: "settings have at most 256 KiB"}
	} else {
		err = change(body)
	}
	if err != nil {
		(&wire.Refusal{
			Status: http.StatusUnprocessableEntity, Code: "bad_settings", Says: err.Error(),
			Hint: "nothing was changed; GET /v1/settings lists every key",
		}).Write(w)
		return
	}
	wire.WriteJSON(w, http.StatusOK, s.Effective())
}

// Readiness tells alive from accepting from keeping up.
type Readiness struct {
	Alive     bool     `json:"alive"`
	Accepting bool     `json:"accepting"`  // messages are taken in
	KeepingUp bool     `json:"keeping_up"` // and go out in time
	Why       []string `json:"why,omitempty"`
	Backlog   int64    `json:"backlog"`
	OldestAge string   `json:"oldest_age"` // of the drafts that wait for their first attempt
}

// Ready says how the sender is doing.
func (s *Sender) Ready() Readiness {
	cfg := s.cfg.Load()
	w, d := s.whatsapp.Fleet().Stats(), s.drafts.Fleet().Stats()
	waiting, oldest := s.drafts.Waiting()
	out := Readiness{Alive: true, Accepting: true, KeepingUp: true, Backlog: waiting, OldestAge: oldest.String()}
	not := func(of *bool, why string) {
		*of = false
		out.Why = append(out.Why, why)
	}
	if w.Ready == 0 || d.Ready == 0 {
		not(&out.Accepting, "no replica is ready")
	}
	if most := cfg.Drafts.Backlog.Max; most > 0 && s.drafts.Held() >= most {
		not(&out.Accepting, "the backlog is full")
	}
	for _, why := range s.drafts.Trouble() {
		not(&out.Accepting, why)
	}
	if oldest > cfg.Health.Behind {
		not(&out.KeepingUp, "the oldest waiting draft is "+oldest.String()+" old")
	}
	for _, why := range s.drafts.Stopped() {
		not(&out.KeepingUp, why)
	}
	out.KeepingUp = out.KeepingUp && out.Accepting
	return out
}

// readyz answers 200 while messages are accepted; with ?level=keeping_up only while they also go out in time.
func (s *Sender) readyz(w http.ResponseWriter, r *http.Request) {
	ready := s.Ready()
	status := http.StatusOK
	if !ready.Accepting || r.FormValue("level") == "keeping_up" && !ready.KeepingUp {
		status = http.StatusServiceUnavailable
	}
	wire.WriteJSON(w, status, ready)
}
