package whatsapp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/policy"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// cloud is the client of the Cloud API.
type cloud struct {
	s      *Service
	base   string
	bearer []string
	json   []string
	mu     sync.RWMutex
	urls   map[edge]*url.URL
}

// edge is a door of the Cloud API: messages or media of a phone number id.
type edge struct{ number, name string }

func newCloud(s *Service) (*cloud, error) {
	c := &cloud{s: s, base: s.w.API, bearer: []string{"Bearer " + s.w.Token}, json: []string{"application/json"}, urls: map[edge]*url.URL{}}
	if _, err := url.Parse(c.base); err != nil {
		return nil, fmt.Errorf("whatsapp: address of the Cloud API: %w", err)
	}
	return c, nil
}

// maxAddresses bounds how many addresses are remembered.
const maxAddresses = 10_000

// address is where messages or media of a number are posted; "" is the sender's own number.
func (c *cloud) address(number, name string) (*url.URL, error) {
	if number == "" {
		number = c.s.w.Phone
	}
	at := edge{number, name}
	c.mu.RLock()
	u := c.urls[at]
	c.mu.RUnlock()
	if u != nil {
		return u, nil
	}
	u, err := url.Parse(c.base + "/" + url.PathEscape(number) + "/" + name)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.urls) < maxAddresses {
		c.urls[at] = u
	}
	return u, nil
}

// outgoing is the body of POST /{number}/messages.
type outgoing struct {
	To, Type, Callback string
	Text               string
	Media              mediaPart
	Template           json.RawMessage
}

// mediaPart is the media of a message, by id or by link.
type mediaPart struct{ ID, Link, Caption, Filename string }

// compose writes the request for a draft; media has been resolved.
func compose(d *wire.Draft, media wire.Media, callback string, fallback bool) ([]byte, error) {
	out := outgoing{To: d.To, Type: d.Type, Callback: callback, Text: d.Text, Template: d.Template}
	if fallback {
		out.Type = "template"
	}
	out.Media = mediaPart{ID: media.ID, Link: media.Link}
	switch d.Type {
	case "document":
		out.Media.Caption, out.Media.Filename = d.Text, media.Filename
	case "image", "video":
		out.Media.Caption = d.Text
	}
	return out.MarshalJSON()
}

// reply is what the Cloud API answers to a message or an upload: its id or an error.
type reply struct {
	ID    string
	Error *apiError
}

// apiError is the Graph API's error object.
type apiError struct {
	Code    int
	Message string
	Data    json.RawMessage // error_data: an object, or on some errors a string
}

func (e *apiError) detail() string {
	var data struct {
		Details string `json:"details"`
	}
	if wire.Decode(e.Data, &data) == nil && data.Details != "" {
		return data.Details
	}
	return e.Message
}

// result is what one call to the Cloud API came to.
type result struct {
	wire.SendResult
	class policy.Class
}

func (r *result) classify(status, code int, text string, hasID bool) {
	class, scope := policy.Classify(status, code, text, hasID)
	r.class, r.Scope = class, uint8(scope)
}

// post sends one request for a draft and says what it means for the draft.
func (c *cloud) post(ctx context.Context, number uint64, d *wire.Draft, n int, body []byte) result {
	s := c.s
	to, err := c.address(d.Number, "messages")
	if err != nil {
		return result{class: policy.Permanent, SendResult: wire.SendResult{Class: policy.Permanent.String(), Detail: err.Error()}}
	}
	s.count.API.Add(1)
	if n == 1 {
		s.count.APIFirst.Add(1)
	}
	began := time.Now()
	ctx, cancel := context.WithDeadline(ctx, s.w.Lanes.Of(instant.APIWait, number).Deadline(s.cfg.Load().API.Timeout))
	defer cancel()
	ans, err := s.w.Caller.Post(ctx, to, http.Header{"Authorization": c.bearer, "Content-Type": c.json}, body)
	defer ans.Release()
	out := c.judge(ans, err)
	if s.w.Observe != nil {
		s.w.Observe(wire.Attempt{
			Request: d.Request, Draft: d.ID, Hop: wire.HopAPI, Number: n, At: began, Done: time.Now(), Status: ans.Status,
			Error: wire.ErrorName(err), Code: out.Code, Taken: out.class == policy.Accepted,
		})
	}
	return out
}

// judge reads the API's answer and counts it.
func (c *cloud) judge(ans wire.Answer, err error) (out result) {
	s := c.s
	defer func() {
		out.Class = out.class.String()
		switch out.class {
		case policy.Accepted:
			s.count.Accepted.Add(1)
		case policy.Unknown:
			s.count.APIUnknown.Add(1)
		default:
			s.count.APIErrors.Add(1)
		}
		if out.Code != 0 {
			s.count.code(out.Code)
		}
		if out.class == policy.MediaGone {
			s.count.MediaErrors.Add(1)
		}
	}()
	if err != nil {
		out.Detail = wire.ErrorName(err)
		if out.Detail == wire.ErrTimeout {
			s.count.APITimeouts.Add(1)
		}
		out.class, out.Scope = policy.Unknown, uint8(policy.ScopeProvider)
		if wire.NotSent(err) {
			out.class = policy.NotSent
		}
		return out
	}
	var r reply
	if jsonErr := r.UnmarshalJSON(ans.Body); jsonErr != nil {
		out.classify(ans.Status, 0, "", false)
		out.Detail = "HTTP " + http.StatusText(ans.Status) + ", not JSON"
		return out
	}
	if r.Error != nil {
		out.Code, out.Detail = r.Error.Code, r.Error.detail()
		out.classify(ans.Status, r.Error.Code, r.Error.Message+" "+out.Detail, false)
	} else {
		out.WAMID = r.ID
		out.classify(ans.Status, 0, "", r.ID != "")
	}
	out.After = wire.RetryAfter(ans.Header).Milliseconds()
	return out
}
