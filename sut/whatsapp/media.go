package whatsapp

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/policy"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// library turns links into media ids of the Cloud API, remembers them by number and link, and uploads each only once
// at a time.
type library struct {
	s  *Service
	mu sync.Mutex

	shelf map[string]*item
	order []string // for eviction, oldest first
}

// item is one link's media for one number.
type item struct {
	id      string
	expires time.Time     // when the id is no longer trusted
	failed  *result       // a failure that is remembered …
	until   time.Time     // … until then
	ready   chan struct{} // closed when the upload under way has ended; nil when none is
}

// maxShelf bounds how many links are remembered.
const maxShelf = 20_000

func newLibrary(s *Service) *library { return &library{s: s, shelf: map[string]*item{}} }

// resolve is the media policy at_enqueue: upload now, and send the id however late. The incident's mistake.
func (e *entry) resolve(caller context.Context) (*wire.Refusal, error) {
	m := e.draft.Media
	if e.cfg.Media.Resolve != "at_enqueue" || m.ID != "" {
		return nil, nil
	}
	id, failed := e.s.media.upload(context.WithoutCancel(caller), e.j, e.draft.Number, m, e.draft.ID, e.request)
	if err := e.j.Gate(instant.Media); err != nil {
		return nil, err
	}
	if failed != nil {
		return &wire.Refusal{
			Status: http.StatusBadGateway, Code: "media_unavailable", Says: "the media could not be uploaded: " + failed.Detail,
			Hint: "check that the link can be fetched, and send the message again",
		}, nil
	}
	resolved := *m
	resolved.ID = id
	e.draft.Media = &resolved
	return nil, nil
}

// resolve finds what to send for a draft's media.
func (l *library) resolve(ctx context.Context, j *fleet.Job, d *wire.Draft, anew bool) (wire.Media, *result) {
	cfg := l.s.cfg.Load().Media
	m := *d.Media
	if m.ID != "" && (!anew || m.Link == "") || m.Link == "" || cfg.Resolve == "link" {
		return m, nil
	}
	if cfg.Resolve == "at_enqueue" {
		return m, nil
	}
	id, failed := l.fetch(ctx, j, d, &cfg, anew)
	if failed != nil {
		return m, failed
	}
	m.ID = id
	return m, nil
}

// fetch returns the id of a link's media, uploading it when there is none or when it has little life left.
func (l *library) fetch(ctx context.Context, j *fleet.Job, d *wire.Draft, cfg *Media, anew bool) (string, *result) {
	key := d.Number + "\x00" + d.Media.Link
	for {
		now := time.Now()
		l.mu.Lock()
		it := l.shelf[key]
		switch {
		case it == nil:
			it = &item{}
			l.put(key, it)
		case it.ready != nil: // somebody is uploading it: wait for that
			ready := it.ready
			l.mu.Unlock()
			<-ready
			l.s.w.Lanes.Of(instant.Media, j.Number).Sleep(0)
			anew = false
			continue
		case it.failed != nil && now.Before(it.until):
			failed := it.failed
			l.mu.Unlock()
			return "", failed
		case !anew && it.id != "" && now.Add(cfg.Margin).Before(it.expires):
			id := it.id
			l.mu.Unlock()
			return id, nil
		}
		it.ready = make(chan struct{})
		l.mu.Unlock()

		id, failed := l.upload(ctx, j, d.Number, d.Media, d.ID, d.Request)
		l.mu.Lock()
		it.id, it.failed, it.expires = id, nil, now.Add(cfg.Life)
		if failed != nil && failed.class == policy.MediaGone && cfg.Negative > 0 {
			it.failed, it.until = failed, now.Add(cfg.Negative)
		}
		close(it.ready)
		it.ready = nil
		l.mu.Unlock()
		return id, failed
	}
}

// put shelves an item, evicting the oldest beyond the bound.
func (l *library) put(key string, it *item) {
	l.shelf[key] = it
	l.order = append(l.order, key)
	for len(l.order) > maxShelf {
		if old := l.shelf[l.order[0]]; old != nil && old.ready == nil {
			delete(l.shelf, l.order[0])
		}
		l.order = l.order[1:]
	}
}

// upload downloads a link and uploads it to the Cloud API.
func (l *library) upload(ctx context.Context, j *fleet.Job, number string, m *wire.Media, draft, request string) (string, *result) {
	s := l.s
	gone := func(detail string) *result {
		return &result{class: policy.MediaGone, SendResult: wire.SendResult{Detail: detail}}
	}
	from, err := url.Parse(m.Link)
	if err != nil {
		return "", gone("the link is not a web address")
	}
	ans, failed := l.call(ctx, j, http.MethodGet, from, nil, nil, draft, request, 1)
	if failed != nil {
		return "", failed
	}
	defer ans.Release()
	if ans.Status != http.StatusOK {
		if ans.Status >= 500 || ans.Status == http.StatusTooManyRequests {
			return "", &result{class: policy.NotSent, SendResult: wire.SendResult{Detail: fmt.Sprintf("the link answered %d", ans.Status)}}
		}
		return "", gone(fmt.Sprintf("the link answered %d", ans.Status))
	}
	mime := m.MIME
	if mime == "" {
		mime, _, _ = strings.Cut(ans.Header.Get("Content-Type"), ";")
	}
	form := formOf(ans.Body, mime, m, from)
	to, err := s.api.address(number, "media")
	if err != nil {
		return "", gone(err.Error())
	}
	s.count.Uploads.Add(1)
	header := http.Header{"Authorization": s.api.bearer, "Content-Type": formType}
	up, failed := l.call(ctx, j, http.MethodPost, to, header, form, draft, request, 2)
	if failed != nil {
		failed.Scope = uint8(policy.ScopeProvider)
		return "", failed
	}
	defer up.Release()
	var made reply
	if err := made.UnmarshalJSON(up.Body); err == nil && made.ID != "" {
		return made.ID, nil
	}
	if made.Error != nil {
		return "", l.refused(up.Status, made.Error)
	}
	_, scope := policy.Classify(up.Status, 0, "", false)
	return "", &result{class: policy.NotSent, SendResult: wire.SendResult{Scope: uint8(scope), Detail: fmt.Sprintf("the upload answered %d", up.Status)}}
}

// refused reads the API's refusal of an upload. Nothing has been sent, so an unknown outcome is a harmless one.
func (l *library) refused(status int, e *apiError) *result {
	out := &result{SendResult: wire.SendResult{Code: e.Code, Detail: e.detail()}}
	out.classify(status, e.Code, e.Message, false)
	switch out.class {
	case policy.Unknown, policy.Retryable:
		out.class = policy.NotSent
	case policy.Permanent:
		out.class = policy.MediaGone
	}
	return out
}

// call makes one call about media.
func (l *library) call(ctx context.Context, j *fleet.Job, method string, to *url.URL, h http.Header, body []byte, draft, request string, n int) (wire.Answer, *result) {
	s := l.s
	cfg := s.cfg.Load().Media
	ctx, cancel := context.WithDeadline(ctx, s.w.Lanes.Of(instant.Media, j.Number).Deadline(cfg.Timeout))
	defer cancel()
	began := time.Now()
	ans, err := s.w.Caller.Do(ctx, method, to, h, body, cfg.MaxBytes)
	if s.w.Observe != nil {
		s.w.Observe(wire.Attempt{
			Request: request, Draft: draft, Hop: wire.HopMedia, Number: n, At: began, Done: time.Now(), Status: ans.Status,
			Error: wire.ErrorName(err), Taken: ans.Status == http.StatusOK,
		})
	}
	if err != nil {
		return ans, &result{class: policy.NotSent, SendResult: wire.SendResult{Detail: "media: " + wire.ErrorName(err)}}
	}
	return ans, nil
}

// boundary parts the forms of uploads.
const boundary = "aftershock-7d1c0b6f4e"

var formType = []string{"multipart/form-data; boundary=" + boundary}

// formOf writes the multipart form of an upload, in one piece of memory: mime/multipart's writer takes a dozen.
func formOf(content []byte, mime string, m *wire.Media, from *url.URL) []byte {
	mime = inQuotes(mime)
	name := m.Filename
	if name == "" {
		name = path.Base(from.Path)
	}
	const (
		field = "--" + boundary + "\r\nContent-Disposition: form-data; name="
		size  = 4*len(field) + 256
	)
	b := make([]byte, 0, size+2*len(mime)+len(name)+len(content))
	b = append(b, field+"\"messaging_product\"\r\n\r\nwhatsapp\r\n"+field+"\"type\"\r\n\r\n"...)
	b = append(b, mime...)
	b = append(b, "\r\n"+field+"\"file\"; filename=\""...)
	b = append(b, inQuotes(name)...)
	b = append(b, "\"\r\nContent-Type: "...)
	b = append(b, mime...)
	b = append(b, "\r\n\r\n"...)
	b = append(b, content...)
	return append(b, "\r\n--"+boundary+"--\r\n"...)
}

// inQuotes replaces what must not stand between the quotes of a header, nor in a header at all.
func inQuotes(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '"' || r == '\\' {
			return '_'
		}
		return r
	}, s)
}
