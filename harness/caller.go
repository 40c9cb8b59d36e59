package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// caller is the client of the sender: it turns each of vegeta's requests into one message, sends it, waits as long as
// the scenario's client waits, and tries again as that client would.
type caller struct {
	ctx    context.Context
	next   http.RoundTripper
	client scenarios.Client
	form   form
	mint   *mint
	number func(seq uint64) uint64 // of the message that vegeta's request becomes
	start  time.Time
	told   account
	lanes  instant.Lanes
	stop   time.Duration // bound on a Retry-After that is honoured
	pace   float64       // of a sender whose seconds are shorter; 0 is 1
}

// attack sends hits through vegeta, each at its offset from the caller's start, and returns when every one has its last
// answer.
func attack(ctx context.Context, at []time.Duration, through http.RoundTripper, c *caller) {
	c.ctx, c.next, c.stop = ctx, through, 5*time.Minute
	if c.client.Timeout <= 0 {
		c.client.Timeout = 10 * time.Second
	}
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: c}), vegeta.MaxBody(0), vegeta.Workers(1), vegeta.Redirects(vegeta.NoFollow))
	target := func(t *vegeta.Target) error {
		t.Method, t.URL, t.Header = http.MethodPost, "http://sender", http.Header{} // the form has the real one
		return nil
	}
	for range attacker.Attack(target, pacer{ctx: ctx, start: c.start, at: at}, 0, "") { //nolint:revive // drained to its end: the attacker waits for it
	}
}

// form writes the request of one message.
type form interface {
	request(ctx context.Context, m message, attempt int) (*http.Request, error)
	taken(status int) bool
}

// RoundTrip implements http.RoundTripper for vegeta, which numbers its requests from 0 in X-Vegeta-Seq.
func (c *caller) RoundTrip(r *http.Request) (*http.Response, error) {
	seq, err := strconv.ParseUint(r.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("request without a number: %w", err)
	}
	m := c.mint.make(c.number(seq))
	c.told.fire(m.number, time.Now())
	status, err := c.deliver(m)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// deliver makes the attempts for one message and returns the last answer.
func (c *caller) deliver(m message) (status int, err error) {
	lane := c.lanes.Of(instant.Client, m.number)
	hit := Hit{Number: m.number}
	kept := map[string]string{} // by steps before the message
	for attempt := 1; ; attempt++ {
		var wait time.Duration
		var t Try
		t, wait, err = c.attempt(m, attempt, lane, kept)
		c.told.tried(m.number, attempt, t)
		hit.Tries, status = append(hit.Tries, t), t.Status
		if !retryable(status, err) || attempt > c.client.Retries || c.ctx.Err() != nil {
			hit.Taken = err == nil && c.form.taken(status)
			c.told.done(hit, time.Now())
			return status, err
		}
		lane.Sleep(max(c.client.Backoff, min(wait, c.stop)))
	}
}

func retryable(status int, err error) bool {
	return err != nil || status == http.StatusTooManyRequests || status >= 500
}

// attempt makes one request and reads its answer to the end.
func (c *caller) attempt(m message, n int, lane instant.Lane, kept map[string]string) (t Try, retryAfter time.Duration, err error) {
	ctx, cancel := context.WithDeadline(c.ctx, lane.Deadline(c.client.Timeout))
	defer cancel()
	t.At = time.Since(c.start)
	ctx, round, err := c.attemptSteps(ctx, m, kept, &t)
	if failed, ok := err.(errStepFailed); ok {
		return t, 0, failed.within
	}
	req, err := c.form.request(ctx, m, n)
	if err != nil {
		t.Done, t.Error = t.At, reason(err)
		return t, 0, err
	}
	resp, err := c.next.RoundTrip(req)
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
		resp.Body.Close()
		t.Status = resp.StatusCode
		c.renew(round, resp.StatusCode)
		if s, e := strconv.Atoi(resp.Header.Get("Retry-After")); e == nil && s > 0 {
			retryAfter = time.Duration(float64(s) / max(1, c.pace) * float64(time.Second))
		}
	}
	if err != nil {
		t.Status = 0
	}
	t.Done, t.Error = time.Since(c.start), reason(err)
	return t, retryAfter, err
}

// reason names a transport error in one word.
func reason(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.As(err, new(*stepError)):
		return "step"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "reset"
	}
	return "error"
}

// formOf is the request form that a scenario asks for: its target's, or the reference sender's. Load must not reach Meta.
func formOf(sc *scenarios.Scenario, base, fake string, allow check) (form, error) {
	if sc.Target == nil {
		return newReference(base, sc.Client.IdempotencyKey)
	}
	return newTargeted(sc, base, fake, allow)
}

// reference is the request form of the reference sender (design: POST /v1/messages).
type reference struct {
	blank *http.Request // what every request begins as
	idem  bool
}

func newReference(base string, idem bool) (reference, error) {
	to, err := url.Parse(base + "/v1/messages")
	if err != nil {
		return reference{}, fmt.Errorf("address of the sender: %w", err)
	}
	return reference{idem: idem, blank: &http.Request{
		Method: http.MethodPost, URL: to, Host: to.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}}, nil
}

var headerJSON = []string{"application/json"}

func (f reference) request(ctx context.Context, m message, attempt int) (*http.Request, error) {
	id := m.id()
	b := make([]byte, 0, 256)
	b = append(b, `{"to":"`...)
	b = append(b, m.to...)
	b = append(b, `","type":"`...)
	b = append(b, m.kind...)
	b = append(b, `","text":"`+words+` `...)
	b = append(b, m.ref()...)
	b = append(b, '"')
	if m.media != "" {
		b = append(b, `,"media":{"link":"`...)
		b = append(b, m.media...)
		b = append(b, `"}`...)
	}
	if m.class != "" {
		b = append(b, `,"class":"`+m.class+`"`...)
	}
	if m.tenant != "" {
		b = append(b, `,"tenant":"`+m.tenant+`"`...)
	}
	b = append(b, '}')
	req := f.blank.WithContext(ctx)
	req.Header = http.Header{"Content-Type": headerJSON, "X-Request-Id": {id + "." + strconv.Itoa(attempt)}}
	if f.idem {
		req.Header["Idempotency-Key"] = []string{id}
	}
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	return req, nil
}

func (f reference) taken(status int) bool { return status >= 200 && status < 300 }
