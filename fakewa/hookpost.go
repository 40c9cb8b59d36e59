package fakewa

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"time"
)

// try makes a POST and sees to what follows from its answer.
func (h *hooks) try(ctx context.Context, p *post) {
	if p.tries == 0 {
		p.first = time.Now()
	}
	p.tries++
	ok := h.post(ctx, p)
	if ctx.Err() != nil {
		return
	}
	n := len(p.updates)
	wait, again := h.s.retry(p, time.Now())
	again = again && !ok
	if !again {
		h.mu.Lock()
		h.waiting = max(0, h.waiting-n) // a reset may have come between
		h.mu.Unlock()
	}
	h.s.ledger.change(func(s *Summary) {
		s.Webhooks.Posts++
		switch {
		case ok:
			s.Webhooks.OK++
			s.Webhooks.Updates += int64(n)
		case !again:
			s.Webhooks.Given += int64(n)
			fallthrough
		default:
			s.Webhooks.Failed++
		}
	})
	if again {
		h.schedule(time.Now(), wait, task{post: p, again: true})
	}
}

// post sends one request and reports whether it was answered with 200.
func (h *hooks) post(ctx context.Context, p *post) bool {
	body := h.s.appendHook(make([]byte, 0, 640*len(p.updates)), p) // not pooled: a transport may read it after its answer came
	ctx, cancel := context.WithDeadline(ctx, h.lane().Deadline(h.s.hookTimeout()))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header["Content-Type"] = []string{"application/json"}
	req.Header["User-Agent"] = []string{"facebookexternalua"}
	if h.s.wiring.AppSecret != "" {
		req.Header["X-Hub-Signature-256"] = []string{h.s.sign(body)}
	}
	res, err := h.s.transport.RoundTrip(req)
	if err != nil {
		return false
	}
	io.CopyN(io.Discard, res.Body, 1<<20) // so that the connection can be used again; the answer's body means nothing
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// sign returns the signature header of a webhook's body.
func (s *Server) sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(s.wiring.AppSecret))
	mac.Write(body)
	var sum [sha256.Size]byte
	var text [7 + 2*sha256.Size]byte
	copy(text[:], "sha256=")
	hex.Encode(text[7:], mac.Sum(sum[:0]))
	return string(text[:])
}

// retry returns how long to wait before trying a POST again, and whether to.
func (s *Server) retry(p *post, now time.Time) (time.Duration, bool) {
	r := s.settings().Webhook.Retry
	wait := r.Max
	if shift := p.tries - 1; shift < 40 && r.First<<shift < r.Max && r.First<<shift > 0 {
		wait = r.First << shift
	}
	return wait, now.Add(wait).Sub(p.first) < r.For
}
