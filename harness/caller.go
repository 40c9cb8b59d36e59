package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/reports/record"
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
	table  *table
	lanes  instant.Lanes
	write  func(record.Attempt)
	stop   time.Duration // bound on a Retry-After that is honoured
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
	m := c.mint.make(seq + 1)
	c.table.fire(m.number, time.Now())
	status, err := c.deliver(m)
	c.table.answer(m.number, time.Now(), err == nil && c.form.taken(status))
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// deliver makes the attempts for one message and returns the last answer.
func (c *caller) deliver(m message) (status int, err error) {
	lane := c.lanes.Of(instant.Client, m.number)
	for attempt := 1; ; attempt++ {
		var wait time.Duration
		status, wait, err = c.attempt(m, attempt, lane)
		if !retryable(status, err) || attempt > c.client.Retries || c.ctx.Err() != nil {
			return status, err
		}
		lane.Sleep(max(c.client.Backoff, min(wait, c.stop)))
	}
}

func retryable(status int, err error) bool {
	return err != nil || status == http.StatusTooManyRequests || status >= 500
}

// attempt makes one request and reads its answer to the end.
func (c *caller) attempt(m message, n int, lane instant.Lane) (status int, retryAfter time.Duration, err error) {
	ctx, cancel := context.WithDeadline(c.ctx, lane.Deadline(c.client.Timeout))
	defer cancel()
	at := time.Now()
	req, err := c.form.request(ctx, m, n)
	if err != nil {
		return 0, 0, err
	}
	resp, err := c.next.RoundTrip(req)
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
		resp.Body.Close()
		status = resp.StatusCode
		if s, e := strconv.Atoi(resp.Header.Get("Retry-After")); e == nil && s > 0 {
			retryAfter = time.Duration(s) * time.Second
		}
	}
	if err != nil {
		status = 0
	}
	why := reason(err)
	c.table.tried(m.number, status, why == "timeout")
	c.write(record.Attempt{
		Message: m.id(), Hop: "front_door", Number: n, At: c.table.since(at), Done: c.table.since(time.Now()),
		Status: status, Error: why,
	})
	return status, retryAfter, err
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
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "reset"
	}
	return "error"
}

// reference is the request form of the reference sender (design: POST /v1/messages).
type reference struct {
	url  string
	idem bool
}

func (f reference) request(ctx context.Context, m message, attempt int) (*http.Request, error) {
	id := m.id()
	b := make([]byte, 0, 256)
	b = append(b, `{"to":"`...)
	b = append(b, m.to...)
	b = append(b, `","type":"`...)
	b = append(b, m.kind...)
	b = append(b, `","text":"Your order is on its way `...)
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
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+"/v1/messages", bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	req.Header["Content-Type"] = []string{"application/json"}
	req.Header["X-Request-Id"] = []string{id + "." + strconv.Itoa(attempt)}
	if f.idem {
		req.Header["Idempotency-Key"] = []string{id}
	}
	return req, nil
}

func (f reference) taken(status int) bool { return status >= 200 && status < 300 }
