package whatsapp

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/policy"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// send is POST /v1/send: one attempt to send one draft.
func (s *Service) send(j *fleet.Job, w http.ResponseWriter, r *http.Request) error {
	j.Back = true
	if err := j.Room(); err != nil { // the cheapest refusal comes first
		return err
	}
	cfg := s.cfg.Load()
	body, err := wire.ReadBody(r, maxMessage+4096)
	if err != nil {
		return fleet.ErrLeft
	}
	var d wire.Draft
	if err := d.UnmarshalJSON(body); err != nil || d.ID == "" {
		(&wire.Refusal{
			Status: http.StatusBadRequest, Code: "bad_draft", Says: "the draft cannot be read",
			Hint: "send what the front door wrote",
		}).Write(w)
		return nil
	}
	priority, _, _ := s.w.Classes().Known(d.Class)
	if err := j.Admit(priority); err != nil {
		return err
	}
	if d.Media != nil {
		j.CarriesMedia()
	}
	if err := j.Work(instant.Send, s.draws.send, cfg.Work.Send, true, false); err != nil {
		return err
	}
	n, _ := strconv.Atoi(r.Header.Get(wire.HeaderAttempt))
	n = max(n, 1)
	res := s.deliver(context.WithoutCancel(r.Context()), j, &d, n, r.Header)
	if err := j.Gate(instant.Send); err != nil {
		return err
	}
	res.Class, res.Spent, res.Replica = res.class.String(), j.Spent.Microseconds(), j.Replica.Name
	if res.class == policy.MediaGone {
		j.Waste(j.Spent)
	}
	wire.Write(w, sendStatus(res.class), &res.SendResult)
	return nil
}

// deliver resolves media and calls the Cloud API. From here on the attempt is not cancelled: once the request is out,
// nobody can take it back.
func (s *Service) deliver(ctx context.Context, j *fleet.Job, d *wire.Draft, n int, h http.Header) result {
	if deadlinePassed(h, time.Now()) {
		return result{class: policy.NotSent, SendResult: wire.SendResult{Detail: "the caller's deadline has passed"}}
	}
	fallback := h.Get(wire.HeaderFallback) != ""
	if d.WindowEnds > 0 && time.Now().UnixMilli() > d.WindowEnds && d.Type != "template" && !fallback {
		return result{class: policy.NoWindow, SendResult: wire.SendResult{Detail: "the 24 h window has closed"}}
	}
	var media wire.Media
	if d.Media != nil {
		var failed *result
		if media, failed = s.media.resolve(ctx, j, d, h.Get(wire.HeaderRefresh) != ""); failed != nil {
			return *failed
		}
	}
	out, err := compose(d, media, wire.Callback(d.ID, n), fallback)
	if err != nil {
		return result{class: policy.Permanent, SendResult: wire.SendResult{Detail: err.Error()}}
	}
	span := s.w.Traces.Start(h.Get(wire.HeaderTrace), "cloud api", "draft", d.ID, "replica", j.Replica.Name)
	res := s.api.post(ctx, j.Number, d, n, out)
	span.Set("class", res.class.String(), "code", strconv.Itoa(res.Code), "wamid", res.WAMID)
	span.End(map[bool]string{false: res.Detail}[res.class == policy.Accepted])
	return res
}

// deadlinePassed reports whether the caller said until when it listens, and that is over.
func deadlinePassed(h http.Header, now time.Time) bool {
	ms, err := strconv.ParseInt(h.Get(wire.HeaderDeadline), 10, 64)
	return err == nil && now.UnixMilli() > ms
}

// sendStatus is the HTTP status that goes with a class.
func sendStatus(c policy.Class) int {
	switch c {
	case policy.Accepted:
		return http.StatusOK
	case policy.NotSent:
		return http.StatusBadGateway
	case policy.Overloaded:
		return http.StatusServiceUnavailable
	case policy.Throttled:
		return http.StatusTooManyRequests
	case policy.Stopped:
		return http.StatusForbidden
	case policy.Unknown:
		return http.StatusGatewayTimeout
	case policy.Retryable:
		return http.StatusFailedDependency
	}
	return http.StatusUnprocessableEntity
}
