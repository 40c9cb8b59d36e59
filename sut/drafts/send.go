package drafts

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/policy"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// sent is what came of one call to the WhatsApp service.
type sent struct {
	wire.SendResult
	timedOut bool
	took     time.Duration
	underWay int // calls that were under way when it began
	at       time.Time
}

// send makes the nth call to the WhatsApp service for a draft.
func (s *Service) send(f *flight, n int, cfg *Config) sent {
	d := f.d
	span := s.w.Traces.Start(d.trace, "send", "draft", d.id, "attempt", strconv.Itoa(n))
	s.count.Sends.Add(1)
	if n == 1 {
		s.count.SendFirst.Add(1)
	}
	began := time.Now()
	deadline := s.w.Lanes.Of(instant.SendWait, d.number).Deadline(cfg.Send.Timeout)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	header := http.Header{wire.HeaderAttempt: {strconv.Itoa(n)}}
	if cfg.Send.Deadline {
		header[wire.HeaderDeadline] = []string{strconv.FormatInt(deadline.UnixMilli(), 10)}
	}
	if parent := span.Parent(); parent != "" {
		header[wire.HeaderTrace] = []string{parent}
	}
	if f.refreshed {
		header[wire.HeaderRefresh] = []string{"true"}
	}
	if f.fallback {
		header[wire.HeaderFallback] = []string{"true"}
	}
	underWay := int(s.count.InFlight.Add(1))
	ans, err := s.w.Caller.Post(ctx, s.sendURL, header, f.body)
	s.count.InFlight.Add(-1)
	done := time.Now()
	s.times.add(done.Sub(began))
	res := readSend(ans, err)
	ans.Release()
	failed := wire.ErrorName(err)
	switch {
	case failed == wire.ErrTimeout:
		s.count.SendTimeouts.Add(1)
	case err == nil && ans.Status == http.StatusServiceUnavailable:
		s.count.SendBusy.Add(1)
	}
	span.Set("class", res.Class, "code", strconv.Itoa(res.Code))
	span.End(failed)
	if s.w.Observe != nil {
		s.w.Observe(wire.Attempt{
			Request: requestOf(d.id), Draft: d.id, Hop: wire.HopSend, Number: n, At: began, Done: done,
			Status: ans.Status, Error: failed, Code: res.Code, Taken: res.WAMID != "", Replica: res.Replica,
		})
	}
	return sent{SendResult: res, timedOut: failed == wire.ErrTimeout, took: done.Sub(began), underWay: underWay, at: done}
}

// outcome is what the gates learn from.
func (s *sent) outcome(c policy.Class) outcome {
	return outcome{class: c, scope: policy.Scope(s.Scope), timedOut: s.timedOut, took: s.took, underWay: s.underWay, at: s.at}
}

// readSend turns an answer, or the want of one, into a result.
func readSend(ans wire.Answer, err error) wire.SendResult {
	switch {
	case err != nil && wire.NotSent(err):
		return wire.SendResult{Class: policy.NotSent.String(), Detail: wire.ErrRefused}
	case err != nil:
		return wire.SendResult{Class: policy.Unknown.String(), Detail: wire.ErrorName(err)}
	}
	var res wire.SendResult
	if jsonErr := res.UnmarshalJSON(ans.Body); jsonErr == nil && res.Class != "" {
		return res
	}
	if ans.Status == http.StatusServiceUnavailable || ans.Status == http.StatusTooManyRequests {
		return wire.SendResult{Class: policy.Overloaded.String(), After: wire.RetryAfter(ans.Header).Milliseconds()}
	}
	return wire.SendResult{Class: policy.Unknown.String(), Detail: "HTTP " + strconv.Itoa(ans.Status)}
}

// requestOf is the client's request behind a draft: m000001.2 of m000001.2-1.
func requestOf(draft string) string {
	for i := len(draft) - 1; i > 0; i-- {
		if draft[i] == '-' {
			return draft[:i]
		}
	}
	return draft
}
