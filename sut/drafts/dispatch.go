package drafts

import (
	"context"
	"errors"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/policy"
	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// flight is one draft on its way through the dispatcher.
type flight struct {
	s         *Service
	claim     queue.Claim
	d         *draft
	body      []byte // the draft as the front door wrote it
	lane      instant.Lane
	refreshed bool
	fallback  bool
}

// dispatch does everything that follows from one claim, up to the end of the claim.
func (s *Service) dispatch(c queue.Claim) {
	ctx := context.Background() // a claim is settled whatever else ends
	it := c.Item()
	d, body, lost, err := s.adopt(it)
	if err != nil {
		_ = c.Dead(ctx, err.Error()) // an unsettled claim comes back by its lease
		s.count.Dead.Add(1)
		return
	}
	f := &flight{s: s, claim: c, d: d, body: body, lane: s.w.Lanes.Of(instant.Dispatch, d.number)}
	f.lane.Sleep(0)
	if lost {
		s.count.Redelivered.Add(1)
	}
	next, ok := f.begin(lost)
	for ok {
		switch next.Action {
		case policy.Refresh:
			f.refreshed, next.Action = true, policy.RetryNow
		case policy.Fallback:
			f.fallback, next.Action = true, policy.RetryNow
		}
		if next.Action == policy.RetryNow && f.pause(next.Wait) {
			next, ok = f.attempt()
			continue
		}
		f.settle(next)
		return
	}
}

// begin decides what to do with a draft that was just claimed; ok is false when there is nothing left to do.
func (f *flight) begin(lost bool) (next policy.Decision, ok bool) {
	s, d := f.s, f.d
	cfg := s.cfg.Load()
	s.books.mu.Lock()
	resolved, cancelled, held := !d.known, d.cancel, d.state == Held
	if lost && !held && cfg.Send.Mode == "classified" && d.state != Queued {
		d.unknowns++
	}
	if d.known {
		s.books.move(d, Claimed)
	}
	s.books.mu.Unlock()
	now := time.Now()
	switch {
	case resolved:
		f.release()
		return next, false
	case cancelled:
		f.end(Cancelled, "cancelled by the client")
		return next, false
	case d.expires != 0 && now.UnixNano() >= d.expires && !held:
		f.end(Expired, "validity")
		return next, false
	case held:
		return cfg.Send.AfterHold(f.facts(policy.Unknown), f.class(cfg).HoldRule()), true
	case lost && cfg.Send.Mode == "classified": // an earlier delivery was not settled: it may have been sent
		return policy.Decision{Action: policy.HoldIt, Wait: f.class(cfg).Hold, Reason: "taken by a process that ended"}, true
	}
	return policy.Decision{Action: policy.RetryNow}, true
}

func (f *flight) class(cfg *Config) policy.ClassRule {
	r, _ := cfg.Classes.Named(f.d.class)
	return r
}

func (f *flight) facts(c policy.Class) policy.Facts {
	d := f.d
	out := policy.Facts{
		Class: c, Attempt: int(d.attempts), Counted: int(d.counted), Unknowns: int(d.unknowns), Refreshed: f.refreshed,
		Now: time.Now(),
	}
	if d.expires != 0 {
		out.Expires = time.Unix(0, d.expires)
	}
	return out
}

// pause waits in place before an attempt; false says that the service is draining.
func (f *flight) pause(d time.Duration) bool {
	if d <= 0 && f.d.attempts == 0 {
		return !f.s.draining()
	}
	timer := time.NewTimer(f.s.w.Lanes.Of(instant.SendWait, f.d.number).After(time.Now(), d))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.s.stop:
	}
	return !f.s.draining()
}

func (s *Service) draining() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// attempt sends once and decides what follows; ok is false when the draft was dropped by a dying replica.
func (f *flight) attempt() (next policy.Decision, ok bool) {
	s, d := f.s, f.d
	j, err := s.fleet.Begin()
	if err != nil { // no replica: the draft waits in the queue
		return policy.Decision{Action: policy.Later, Wait: time.Second, Reason: err.Error()}, true
	}
	defer j.End()
	cfg := s.cfg.Load()
	if err := j.Work(instant.Dispatch, s.draws.dispatch, cfg.Work.Dispatch, false, false); err != nil {
		return policy.Decision{Action: policy.Later, Wait: time.Second, Reason: err.Error()}, !errors.Is(err, fleet.ErrGone)
	}
	s.books.mu.Lock()
	d.attempts++
	s.books.move(d, Sending)
	n := int(d.attempts)
	s.books.mu.Unlock()
	res := s.send(f, n, cfg)
	if err := j.Gate(instant.Dispatch); err != nil {
		return next, false // the process that made the call is gone, and what it knew
	}
	class := policy.ParseClass(res.Class)
	s.books.mu.Lock()
	if counts(class) {
		d.counted++
	}
	if class == policy.Unknown {
		d.unknowns++
	}
	resolved := !d.known
	s.books.move(d, Claimed)
	s.books.mu.Unlock()
	if class == policy.Accepted {
		f.accepted(res)
		return next, false
	}
	if resolved && cfg.Send.Mode == "classified" { // a status came before the answer
		f.release()
		return next, false
	}
	facts := f.facts(class)
	facts.After = time.Duration(res.After) * time.Millisecond
	return cfg.Send.Decide(facts, f.class(cfg).HoldRule(), s.draws.backoff.Float(d.number, uint64(n))), true
}

// counts reports whether an outcome counts against a draft's attempts: those that reached the API do.
func counts(c policy.Class) bool {
	return c != policy.NotSent && c != policy.Overloaded && c != policy.Throttled && c != policy.Stopped
}

// accepted ends the flight of a draft that the API took.
func (f *flight) accepted(res wire.SendResult) {
	s := f.s
	_ = f.claim.Ack(context.Background())
	s.count.Accepted.Add(1)
	if !s.books.finish(f.d, Accepted, "", true) {
		s.count.Duplicates.Add(1)
		s.fleet.Waste(time.Duration(res.Spent) * time.Microsecond)
	}
}

// release lets go of an item whose draft needs nothing more.
func (f *flight) release() {
	_ = f.claim.Ack(context.Background())
	f.s.books.settle(f.d)
}

// end gives a draft up.
func (f *flight) end(to State, reason string) {
	s := f.s
	ctx := context.Background()
	switch to {
	case Expired:
		s.count.Expired.Add(1)
	case Failed:
		s.count.Failed.Add(1)
	case Dead:
		s.count.Dead.Add(1)
	case Unknown:
		s.count.Unknown.Add(1)
	}
	if to == Dead {
		_ = f.claim.Dead(ctx, reason)
	} else {
		_ = f.claim.Ack(ctx)
	}
	s.books.finish(f.d, to, reason, true)
}

// settle carries a decision out that ends the claim.
func (f *flight) settle(n policy.Decision) {
	switch n.Action {
	case policy.RetryNow: // interrupted by a drain
		f.back(Queued, 0)
	case policy.Later:
		f.back(Queued, n.Wait)
	case policy.HoldIt:
		f.s.count.Held.Add(1)
		f.back(Held, n.Wait)
	case policy.Expire:
		f.end(Expired, n.Reason)
	case policy.Fail:
		f.end(Failed, n.Reason)
	case policy.Bury:
		f.end(Dead, n.Reason)
	case policy.GiveUp:
		f.end(Unknown, n.Reason)
	}
}

// back gives the draft back to the queue, to come again after a while.
func (f *flight) back(to State, after time.Duration) {
	d := f.d
	f.s.books.mu.Lock()
	f.s.books.move(d, to)
	p := past{int(d.attempts), int(d.counted), int(d.unknowns), f.claim.Item().Delivery}
	f.s.books.mu.Unlock()
	_ = f.claim.Retry(context.Background(), after, pack(p, f.body)) // a stale claim is already with another taker
}
