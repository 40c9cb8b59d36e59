package fakewa

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/admit"
)

// fetch fetches the links of an accepted message; when one fails, so does the message, with 131053.
func (h *hooks) fetch(ctx context.Context, l *later) {
	for _, link := range l.Links {
		if l.Fail, l.Expired = h.get(ctx, link, l.Type); l.Fail != nil {
			break
		}
	}
	if ctx.Err() != nil {
		return
	}
	now := time.Now()
	if l.Fail != nil {
		h.schedule(now, 0, task{stage: stageFailed, later: l})
		return
	}
	h.schedule(now, l.Sent, task{stage: stageSent, later: l})
}

// get fetches one link, or finds it in the cache, and returns why it cannot be used.
func (h *hooks) get(ctx context.Context, link, kind string) (problem *apiError, expired bool) {
	cfg := h.s.settings()
	now := time.Now()
	h.mu.Lock()
	at, cached := h.links[link]
	h.mu.Unlock()
	if cached && now.Sub(at) < cfg.Media.LinkCache {
		return nil, false
	}
	u, err := url.Parse(link)
	if err != nil {
		return fail(131053, "Downloading media from weblink failed: the link is not a valid URI"), false
	}
	if !h.s.allowed(u.Hostname()) {
		if cfg.Media.Unlisted == "trust" {
			return nil, false
		}
		return fail(131053, "Downloading media from weblink failed: fakewa does not fetch from "+u.Hostname()+", which is not among its media hosts"), false
	}
	h.s.ledger.change(func(s *Summary) { s.Fetches++ })
	ctx, cancel := context.WithDeadline(ctx, h.lane().Deadline(cfg.Media.FetchLimit))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return fail(131053, "Downloading media from weblink failed: the link is not a valid URI"), false
	}
	req.Header["User-Agent"] = []string{"facebookexternalua"}
	res, err := h.s.transport.RoundTrip(req)
	if err != nil {
		return fail(131053, "Downloading media from weblink failed with http code 0, status message Connection failed"), false
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		gone := res.StatusCode == 403 || res.StatusCode == 404 || res.StatusCode == 410
		return fail(131053, fmt.Sprintf("Downloading media from weblink failed with http code %d, status message %s", res.StatusCode, http.StatusText(res.StatusCode))), gone
	}
	most := maxUpload
	if t, ok := mediaKinds[cleanMIME(res.Header.Get("Content-Type"))]; ok {
		most = t.most
		if kind != t.kind && !(kind == "sticker" && t.kind == "sticker") && kind != "template" && kind != "interactive" {
			return fail(131053, "Media file downloaded from weblink is of type "+t.mime+", which is not supported for "+kind+" messages."), false
		}
	}
	n, err := io.Copy(io.Discard, io.LimitReader(res.Body, most+1))
	if err != nil || n > most {
		return fail(131053, "Downloading media from weblink failed: the file is incomplete or too large"), false
	}
	h.mu.Lock()
	if len(h.links) >= maxLinks {
		for k, at := range h.links {
			if now.Sub(at) >= cfg.Media.LinkCache {
				delete(h.links, k)
			}
		}
		if len(h.links) >= maxLinks {
			clear(h.links)
		}
	}
	h.links[link] = now
	h.mu.Unlock()
	return nil, false
}

const maxLinks = 1 << 16

// allowed reports whether links to a host are fetched: the configured hosts, and this machine.
func (s *Server) allowed(host string) bool {
	return admit.Loopback(host) || among(s.wiring.MediaHosts, host)
}

// among reports whether a host is in a list of hosts, whose ports do not matter.
func among(hosts []string, host string) bool {
	return slices.ContainsFunc(hosts, func(h string) bool {
		name, _, err := net.SplitHostPort(h)
		if err != nil {
			name = h
		}
		return strings.EqualFold(name, host)
	})
}
