package whatsapp

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// forwarded lists what the front door passes on to Drafts, which has the books: beginnings of paths.
func forwarded() []string {
	return []string{"/v1/messages/", "/v1/pause", "/v1/resume", "/v1/dead"}
}

// maxForward bounds the body of a request that is passed on.
const maxForward = 64 << 10

// forward passes a request on to Drafts, so that callers need to know one address only.
func (s *Service) forward(w http.ResponseWriter, r *http.Request) {
	if !slices.ContainsFunc(forwarded(), func(p string) bool { return strings.HasPrefix(r.URL.Path, p) }) {
		(&wire.Refusal{
			Status: http.StatusNotFound, Code: "no_such_door", Says: r.Method + " " + r.URL.Path + " is not served here",
			Hint: "see POST /v1/messages, POST /v1/messages/batch, GET|DELETE /v1/messages/{id}",
		}).Write(w)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForward))
	if err != nil {
		return // the caller has gone
	}
	to := &url.URL{Scheme: s.createURL.Scheme, Host: s.createURL.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	number := s.forwards.Add(1)
	ctx, cancel := context.WithDeadline(r.Context(), s.w.Lanes.Of(instant.Other, 1024+number).Deadline(s.cfg.Load().Create.Timeout))
	defer cancel()
	header := http.Header{"Content-Type": {"application/json"}}
	if token := r.Header.Values("Authorization"); len(token) > 0 {
		header["Authorization"] = token
	}
	ans, err := s.w.Caller.Do(ctx, r.Method, to, header, body, 8<<20)
	if err != nil {
		(&wire.Refusal{
			Status: http.StatusBadGateway, Code: "drafts_unreachable", Says: "Drafts did not answer: " + wire.ErrorName(err),
			Hint: "try again a little later",
		}).Write(w)
		return
	}
	defer ans.Release()
	for _, h := range []string{"Content-Type", "Retry-After"} {
		if v := ans.Header.Values(h); len(v) > 0 {
			w.Header()[h] = v
		}
	}
	w.WriteHeader(ans.Status)
	_, _ = w.Write(ans.Body) // a caller that has gone cannot be told
}
