package fakewa

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/fakewa/internal/tree"
	"github.com/aftershock-dev/aftershock/internal/admit"
)

// settle serves calls that set an override of the callback, which is verified first.
func (s *Server) settle(w http.ResponseWriter, r *http.Request, req *Request) {
	sc := scratches.Get().(*scratch)
	defer sc.free()
	var root tree.Node
	problem := sc.read(r, &s.reading)
	if problem == nil {
		root, problem = sc.parse(r)
	}
	if req.Problem == nil {
		req.Problem = problem
	}
	if c := root.Get("webhook_configuration"); c.Exists() {
		root = c
	}
	req.Override = string(root.Get("override_callback_uri").Text())
	if req.Problem == nil && req.Override != "" && !s.calls(req.Override) {
		req.Problem = &apiError{status: 400, code: 2200, kind: oauth, message: "(#2200) Callback verification failed with the following errors: " +
			"fakewa calls this machine, the host of its webhook and its callback hosts alone"}
	}
	if req.Problem == nil && req.Override != "" {
		if err := s.Verify(r.Context(), req.Override, string(root.Get("verify_token").Text())); err != nil {
			req.Problem = &apiError{status: 400, code: 2200, kind: oauth, message: "(#2200) Callback verification failed with the following errors: " + err.Error()}
		}
	}
	s.serve(w, r, req)
}

// calls reports whether a callback may be called: on this machine, on the webhook's own host, or on a host that was
// allowed. A transport that was given decides for itself.
func (s *Server) calls(callback string) bool {
	u, err := url.Parse(callback)
	if err != nil {
		return false
	}
	own, _ := url.Parse(s.wiring.Webhook) // checked when the server was made
	host := u.Hostname()
	return s.own == nil || admit.Loopback(host) || own != nil && strings.EqualFold(own.Hostname(), host) || among(s.wiring.CallbackHosts, host)
}

// VerifyWebhook asks the configured callback to prove that it knows the verify token, as Meta does when a callback
// is set up.
func (s *Server) VerifyWebhook(ctx context.Context) error {
	return s.Verify(ctx, s.wiring.Webhook, s.wiring.VerifyToken)
}

// Verify sends a challenge to a callback and expects it back.
func (s *Server) Verify(ctx context.Context, callback, token string) error {
	u, err := url.Parse(callback)
	if err != nil || u.Host == "" {
		return fmt.Errorf("callback %q is not a URL", callback)
	}
	challenge := itoa(int64(1e9 + s.core.draw.trace.Bits(uint64(time.Now().UnixNano()))%9e8))
	q := u.Query()
	q.Set("hub.mode", "subscribe")
	q.Set("hub.challenge", challenge)
	q.Set("hub.verify_token", token)
	u.RawQuery = q.Encode()
	ctx, cancel := context.WithDeadline(ctx, s.hooks.lane().Deadline(s.hookTimeout()))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("callback %q is not a URL", callback)
	}
	res, err := s.transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("the callback could not be reached")
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	switch {
	case err != nil:
		return fmt.Errorf("the callback's answer could not be read")
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("HTTP Status Code = %d; HTTP Message = %s", res.StatusCode, http.StatusText(res.StatusCode))
	case string(body) != challenge:
		return fmt.Errorf("the callback did not answer with the challenge")
	}
	return nil
}
