package fakewa

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
)

// The headers that every answer shares; slices that nobody changes cost nothing to set.
var (
	headerJSON    = []string{"application/json; charset=UTF-8"}
	headerHTML    = []string{"text/html; charset=UTF-8"}
	headerCache   = []string{"private, no-cache, no-store, must-revalidate"}
	headerOrigin  = []string{"*"}
	versionHeader = "Facebook-Api-Version"
)

var bodies = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

// serve lets the core decide a request and does what it decided.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, req *Request) {
	at := time.Now()
	s.mu.Lock()
	d := s.core.Decide(at, req)
	s.mu.Unlock()
	s.ledger.decided(req, &d)
	req.Upload = nil // it is stored, or refused: not to be held while the answer waits
	if d.later != nil {
		d.later.Fault = d.Fault
		s.hooks.expect(d.later)
	}
	lane := s.wiring.Lanes.Of(instant.Reply, d.Number)
	delay := d.Delay
	if delay > 0 {
		delay = lane.Near(at, delay)
	} else {
		delay = lane.After(at, 0)
	}
	e := entry(req, &d, at)
	if e.Accepted {
		e.Answered, e.Done = planned(&d), at.Add(delay)
		if d.Manner == Withheld {
			e.Done = e.Done.Add(d.Over)
		}
		s.record(req, &e)
	}
	if d.twin != nil {
		s.again(req, &d, e)
	}
	done, here := wait(r.Context(), at, delay)
	if !here || d.Manner == Aborted || d.Manner == Withheld {
		if here && d.Manner == Withheld {
			done, _ = wait(r.Context(), done, lane.After(done, d.Over))
		}
		s.settled(req, &e, done, 0, false)
		if d.Manner == Aborted {
			sever(w)
			return
		}
		panic(http.ErrAbortHandler)
	}
	s.settled(req, &e, done, planned(&d), d.Err == nil && (d.Manner == Whole || d.Manner == Dripping))
	s.ledger.late(done.Sub(at) - delay)
	s.write(w, r, req, &d, lane)
}

// sever breaks the connection: by a reset where there is one of our own to reset, else as net/http does it.
func sever(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if c, _, err := h.Hijack(); err == nil {
			reset(c)
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// wait waits from an instant until a duration after it, or until the client has gone; it returns when that was.
func wait(ctx context.Context, from time.Time, d time.Duration) (done time.Time, here bool) {
	if d -= time.Since(from); d <= 0 {
		return time.Now(), ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return time.Now(), true
	case <-ctx.Done():
		return time.Now(), false
	}
}

// entry starts the ledger's line for a send.
func entry(r *Request, d *Decision, at time.Time) Entry {
	m := &r.Message
	e := Entry{Message: m.Marker, Callback: m.Callback, WAMID: d.WAMID, To: m.WAID, Text: m.Text, Number: r.Node, Type: m.Type, Key: d.Key, Copy: d.Copy,
		At: at, Accepted: d.Accepted, Media: d.Media, Slack: d.Slack, Expired: d.Expired, Fault: d.Fault}
	if d.Err != nil {
		e.Code = d.Err.code
	}
	return e
}

// again keeps the copy that the provider made by itself, and lets it take its way.
func (s *Server) again(r *Request, d *Decision, e Entry) {
	e.WAMID, e.Copy, e.Provider = d.twin.WAMID, d.twin.Copy, true
	s.record(r, &e)
	s.ledger.change(func(sum *Summary) { sum.accepted(d.twin.Copy) })
	d.twin.later.Fault = d.Fault
	s.hooks.expect(d.twin.later)
}

// planned is the HTTP status that the client is to be sent; 0 when the answer is withheld.
func planned(d *Decision) int {
	switch {
	case d.Manner == Aborted || d.Manner == Withheld:
		return 0
	case d.Manner == Garbled && d.garbledStatus != 0:
		return d.garbledStatus
	}
	return d.Status()
}

// record keeps the line of a send.
func (s *Server) record(r *Request, e *Entry) {
	if r.Endpoint == Messages && !r.Message.Read {
		s.ledger.add(e)
	}
}

// settled notes how a send ended for its client: what it was answered, and whether it was told of its success. A send that
// was not accepted gets its line now.
func (s *Server) settled(r *Request, e *Entry, done time.Time, answered int, told bool) {
	if r.Endpoint != Messages || r.Message.Read {
		return
	}
	switch {
	case !e.Accepted:
		e.Done, e.Answered = done, answered
		s.ledger.add(e)
	case answered != e.Answered:
		gone := *e
		gone.Status, gone.Accepted, gone.At, gone.Done, gone.Answered = unanswered, false, done, done, answered
		s.ledger.add(&gone)
	}
	s.ledger.change(func(sum *Summary) {
		sum.HTTP[answered]++
		if e.Accepted && !told {
			sum.Withheld++
		}
	})
}

// write sends an answer in its manner.
func (s *Server) write(w http.ResponseWriter, r *http.Request, req *Request, d *Decision, lane instant.Lane) {
	buf := bodies.Get().(*[]byte)
	defer bodies.Put(buf)
	b := s.body((*buf)[:0], req, d)
	if d.Content == nil && cap(b) <= 16<<10 {
		*buf = b
	}
	if d.Content != nil {
		c := http.NewResponseController(w) // who does not read cannot keep a file in memory for ever
		c.SetWriteDeadline(time.Now().Add(mostWriting + d.Over))
		defer c.SetWriteDeadline(time.Time{})
	}
	h := w.Header()
	s.headers(h, req, d)
	status := d.Status()
	switch d.Manner {
	case Garbled:
		h["Content-Type"] = headerHTML
		if d.garbledStatus != 0 {
			status = d.garbledStatus
		}
	case Cut, Dripping:
		h["Content-Length"] = []string{strconv.Itoa(len(b))}
	}
	w.WriteHeader(status)
	switch d.Manner {
	case Cut:
		w.Write(b[:len(b)/2])
		flush(w)
		panic(http.ErrAbortHandler)
	case Dripping:
		drip(r.Context(), w, b, d.Over, lane)
	default:
		w.Write(b)
	}
}

func flush(w http.ResponseWriter) {
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

// drip writes a body in up to twenty pieces.
func drip(ctx context.Context, w http.ResponseWriter, b []byte, over time.Duration, lane instant.Lane) {
	pieces := min(20, max(1, len(b)))
	for i := range pieces {
		now := time.Now()
		if _, here := wait(ctx, now, lane.After(now, over/time.Duration(pieces))); !here {
			panic(http.ErrAbortHandler)
		}
		w.Write(b[i*len(b)/pieces : (i+1)*len(b)/pieces])
		flush(w)
	}
}

// body writes the answer's body.
func (s *Server) body(b []byte, r *Request, d *Decision) []byte {
	switch {
	case d.Manner == Garbled:
		return append(b, d.Body...)
	case d.Err != nil && d.Err.code == 404:
		return append(b, "Not Found"...)
	case d.Err != nil:
		return d.Err.append(b, s.core.draw.trace.Bits(d.Key, d.Attempt))
	case d.Content != nil:
		return d.Content.Data
	case d.Accepted:
		return d.appendSent(b, r, s.settings().Answers.MessageStatus)
	}
	return append(b, d.Body...)
}

func (s *Server) headers(h http.Header, req *Request, d *Decision) {
	h["Content-Type"] = headerJSON
	if d.Content != nil {
		h["Content-Type"] = []string{d.Content.MIME}
		h["Content-Length"] = []string{strconv.FormatInt(d.Content.Size, 10)}
		return
	}
	if d.Err != nil && d.Err.code == 404 {
		h["Content-Type"] = []string{"text/plain"}
		return
	}
	version := req.Version
	or(&version, s.settings().Answers.Version)
	h[versionHeader] = []string{version}
	h["Cache-Control"] = headerCache
	h["Access-Control-Allow-Origin"] = headerOrigin
	if d.Err != nil {
		kind := "invalid_request"
		if d.Err.status == 401 {
			kind = "invalid_token"
		}
		h["Www-Authenticate"] = []string{`OAuth "Facebook Platform" "` + kind + `" ` + strconv.Quote(d.Err.message)}
		if d.Wait > 0 && s.settings().Limits.RetryAfter {
			h["Retry-After"] = []string{strconv.Itoa(int(d.Wait.Seconds()) + 1)}
		}
	}
}
