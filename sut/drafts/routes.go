package drafts

import (
	"errors"
	"net/http"

	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// routes puts the two hot doors before everything else: they are asked once or more for every message.
func (s *Service) routes() http.Handler {
	create := s.fleet.Handler(s.create, s.busy)
	status := s.fleet.Handler(s.status, s.busy)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/v1/drafts":
			create.ServeHTTP(w, r)
		case r.Method == http.MethodPost && r.URL.Path == "/v1/status":
			status.ServeHTTP(w, r)
		default:
			(&wire.Refusal{
				Status: http.StatusNotFound, Code: "no_such_door", Says: r.Method + " " + r.URL.Path + " is not served here",
				Hint: "see POST /v1/drafts, POST /v1/status",
			}).Write(w)
		}
	})
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
