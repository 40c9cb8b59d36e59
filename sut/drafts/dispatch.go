package drafts

import (
	"context"
	"errors"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/policy"
	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// flight is one draft on its way through the dispatcher, from the claim to the end of the claim.
type flight struct {
	s         *Service
	claim     queue.Claim
	leased    time.Time     // when the claim was taken or last extended
	paced     quantity.Rate // at which the pace let it go
	d         *draft
	body      []byte // the draft as the front door wrote it
	lane      instant.Lane
	refreshed bool // media has been resolved anew
	fallback  bool // the template goes out instead
}

// The waits of drafts that are not sent for reasons of our own.
const (
	pausedWait  = 30 * time.Second // between two looks at a pause
	turnWait    = 5 * time.Second  // between two looks at the line when it is too long to park
	inPlaceWait = 2 * time.Second  // the longest wait for the pace that keeps its place in flight
)

// dispatch does everything that follows from one claim.
func (s *Service) dispatch(c taken) {
	d, body, lost, err := s.adopt(c.Item())
	if err != nil {
		s.w.Log.Error("an item of the queue cannot be read", "item", c.Item().ID, "error", err)
		_ = c.Dead(context.Background(), err.Error()) // an unsettled claim comes back by its lease
		s.count.Dead.Add(1)
		return
	}
	f := &flight{s: s, claim: c.Claim, leased: c.at, paced: c.paced, d: d, body: body, lane: s.w.Lanes.Of(instant.Dispatch, d.number)}
	s.at(PointClaimed)
	f.lane.Sleep(0)
	if !f.mine(s.cfg.Load(), c.Item()) {
		_ = c.Retry(context.Background(), twinWait, nil) // a stale claim is already with another taker
		return
	}
	if lost {
		s.count.Redelivered.Add(1)
	}
	f.fly(lost)
}

// fly sends the draft until its claim ends. lost says that an earlier claim never ended.
func (f *flight) fly(lost bool) {
	cfg := f.s.cfg.Load()
	if mine, parked := f.turn(cfg.Order.Park); parked {
		return
	} else if !mine {
		f.s.desk.bounced(f.paced) // a look costs no place in the pace: whose turn it is needs one
		f.back(Queued, turnWait)
		return
	}
	defer f.leave()
	next, ok := f.begin(cfg, lost)
	for ok {
		switch next.Action {
		case policy.Refresh:
			f.refreshed, next.Action = true, policy.RetryNow
		case policy.Fallback:
			f.fallback, next.Action = true, policy.RetryNow
		}
		if next.Action != policy.RetryNow || !f.pause(next.Wait) {
			f.settle(next)
			return
		}
		next, ok = f.attempt()
	}
}

// begin decides what to do with a draft that was just claimed; ok is false when there is nothing left to do.
func (f *flight) begin(cfg *Config, lost bool) (next policy.Decision, ok bool) {
	s, d := f.s, f.d
	careful := cfg.Send.Mode == "classified"
	s.books.mu.Lock()
	resolved, held := !d.known, d.state == Held
	lost = careful && !held && s.maybeSent(d, lost)
	if lost {
		d.unknowns++
	}
	if d.known {
		s.books.move(d, Claimed)
	}
	now, rule := time.Now(), f.class(cfg)
	unheard := rule.Hold - now.Sub(s.began)
	if held && unheard <= 0 { // its hold is over, whatever has to wait now: the attempt that it was held for is dealt with
		d.begun = false
	}
	s.books.mu.Unlock()
	switch {
	case resolved:
		f.release()
		return next, false
	case held && unheard > 0 && (d.expires == 0 || now.UnixNano() < d.expires): // nobody listened for a status all the time
		f.back(Held, unheard)
		return next, false
	case held:
		next := cfg.Send.AfterHold(f.facts(policy.Unknown), rule.HoldRule())
		return f.pay(cfg, next, true), true
	case d.expires != 0 && now.UnixNano() >= d.expires:
		f.end(Expired, "validity")
		return next, false
	case lost: // an earlier taker may have sent it
		return policy.Decision{Action: policy.HoldIt, Wait: rule.Hold, Reason: "taken by a process that ended"}, true
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
		Template: d.template && !f.fallback, Now: time.Now(),
	}
	if d.expires != 0 {
		out.Expires = time.Unix(0, d.expires)
	}
	return out
}

// pause waits in place before an attempt; false says that the service is draining.
func (f *flight) pause(d time.Duration) bool {
	f.s.books.mu.Lock() // a second copy of the message may be in flight
	first := f.d.attempts == 0
	f.s.books.mu.Unlock()
	if d <= 0 && first {
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

// pass waits for the gates. ok is false when the draft has to wait elsewhere, or not to be sent at all.
func (f *flight) pass(cfg *Config) (next policy.Decision, ok bool) {
	s, d := f.s, f.d
	for {
		if s.stops.draft(d, f.className(cfg)) {
			return policy.Decision{Action: policy.Later, Wait: pausedWait, Reason: "paused"}, false
		}
		now := time.Now()
		wait, why := s.gates.pass(cfg, d, f.doubtful(cfg), now, s.draws.throttle.Float(d.number, uint64(now.UnixNano())))
		switch {
		case wait == 0:
			return next, true
		case why == whyProvider: // it ends when its validity does, and not before
			if d.expires != 0 {
				wait = min(wait, time.Duration(d.expires-now.UnixNano()))
			}
			return policy.Decision{Action: policy.Later, Wait: wait, Reason: why}, false
		case d.expires != 0 && now.Add(wait).UnixNano() > d.expires:
			return policy.Decision{Action: policy.Expire, Reason: "validity"}, false
		case wait > inPlaceWait:
			return policy.Decision{Action: policy.Later, Wait: wait, Reason: why}, false
		case !f.waitPace(wait):
			return policy.Decision{Action: policy.Later, Reason: "draining"}, false
		}
	}
}

// doubtful reports whether a send without an outcome would harm the draft: one that is in doubt already, or that its class
// does not allow to be sent again. Others go first while the API fails.
func (f *flight) doubtful(cfg *Config) bool {
	return f.d.unknowns > 0 || f.class(cfg).Then != "resend"
}

// waitPace waits in place for the pace.
func (f *flight) waitPace(d time.Duration) bool {
	timer := time.NewTimer(f.s.w.Lanes.Of(instant.SendWait, f.d.number).After(time.Now(), d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-f.s.stop:
		return false
	}
}

func (f *flight) className(cfg *Config) string {
	if f.d.class == "" {
		return cfg.Classes.Default
	}
	return f.d.class
}

// attempt sends once and decides what follows; ok is false when nothing does: the draft has finished, or its replica
// died with it.
func (f *flight) attempt() (next policy.Decision, ok bool) {
	s, d := f.s, f.d
	cfg := s.cfg.Load()
	if next, ok := f.pass(cfg); !ok {
		return next, true
	}
	if !f.lease(cfg) {
		return next, false
	}
	j, err := s.fleet.Begin()
	if err != nil { // no replica: the draft waits in the queue
		return policy.Decision{Action: policy.Later, Wait: time.Second, Reason: err.Error()}, true
	}
	defer j.End()
	j.Back = true
	if err := j.Work(instant.Dispatch, s.draws.dispatch, cfg.Work.Dispatch, false, false); err != nil {
		return policy.Decision{Action: policy.Later, Wait: time.Second, Reason: err.Error()}, !errors.Is(err, fleet.ErrGone)
	}
	s.books.mu.Lock()
	resolved, gone := !d.known, cfg.Send.Mode == "classified" && !d.holder.has(f)
	if !resolved && !gone {
		d.attempts++
		s.books.fresh.remove(d)
		s.books.move(d, Sending)
	}
	n := int(d.attempts)
	s.books.mu.Unlock()
	if gone { // its claim ran out while it waited, and somebody else has it
		return next, false
	}
	if resolved { // a status came while the draft waited for its turn to be sent again
		f.release()
		return next, false
	}
	if !s.sending(d, n) { // what cannot be remembered must not be sent
		return policy.Decision{Action: policy.Later, Wait: pausedWait, Reason: "the journal cannot be written"}, true
	}
	s.at(PointSending)
	sent := s.send(f, n, cfg)
	if err := j.Gate(instant.Dispatch); err != nil {
		return next, false // the process that made the call is gone, and what it knew
	}
	return f.landed(cfg, n, sent)
}

// landed takes in what came of an attempt.
func (f *flight) landed(cfg *Config, n int, sent sent) (next policy.Decision, ok bool) {
	s, d := f.s, f.d
	class := policy.ParseClass(sent.Class)
	s.books.mu.Lock()
	if cfg.counts(class, sent.Scope, d.expires != 0) {
		d.counted++
	}
	if class == policy.Unknown {
		d.unknowns++
	}
	resolved := !d.known
	s.books.move(d, Claimed)
	oldest := s.books.oldestAge()
	s.books.mu.Unlock()
	opened := s.gates.seen(cfg, d, sent.outcome(class), oldest)
	switch opened {
	case whyNumber:
		s.count.Stopped.Add(1)
		s.w.Log.Warn("the API has stopped a number: its breaker is open", "number", d.from, "code", sent.Code)
	case whyProvider:
		s.count.Outages.Add(1)
		s.w.Log.Warn("the API fails whatever it is sent: single sends find out when that ends", "code", sent.Code, "detail", sent.Detail)
	}
	switch {
	case class == policy.Accepted:
		f.accepted(sent.SendResult)
		return next, false
	case resolved && cfg.Send.Mode == "classified": // a status came before the answer
		if class == policy.Unknown {
			s.count.Held.Add(1)
			s.count.Resolved.Add(1)
		}
		f.release()
		return next, false
	}
	if class != policy.Unknown {
		s.known(d)
	}
	facts := f.facts(class)
	facts.After, facts.Scope = time.Duration(sent.After)*time.Millisecond, policy.Scope(sent.Scope)
	next = cfg.Send.Decide(facts, f.class(cfg).HoldRule(), s.draws.backoff.Float(d.number, uint64(n)))
	return f.pay(cfg, next, sent.timedOut), true
}

// pay charges a retry to the budget; without enough in it the retry comes later.
func (f *flight) pay(cfg *Config, next policy.Decision, timedOut bool) policy.Decision {
	if !next.Spends {
		return next
	}
	if wait := f.s.gates.pay(cfg, time.Now(), timedOut); wait > 0 {
		f.s.count.Unpaid.Add(1)
		next.Wait += wait
		if next.Action == policy.RetryNow {
			next.Action = policy.Later
		}
	}
	return next
}

// lease extends the claim when a good part of it has gone by; false says that it has run out and that somebody else
// has the draft by now.
func (f *flight) lease(cfg *Config) bool {
	now := time.Now()
	f.s.books.mu.Lock()
	fresh := now.Sub(f.leased) < cfg.Dispatch.Lease/3
	if !fresh {
		f.leased = now
	}
	f.s.books.mu.Unlock()
	return fresh || !errors.Is(f.claim.Extend(context.Background()), queue.ErrStale)
}

// counts reports whether an outcome counts against a draft's attempts: those that reached the API do. What the provider
// fails at is not the draft's fault: while something else ends the draft one day, its validity, that does not count.
func (cfg *Config) counts(c policy.Class, scope uint8, ends bool) bool {
	if cfg.Send.Mode == "any" {
		return true
	}
	if policy.Scope(scope) == policy.ScopeProvider && ends && !cfg.Provider.Off() {
		return false
	}
	return c != policy.NotSent && c != policy.Overloaded && c != policy.Throttled && c != policy.Stopped
}

// accepted ends the flight of a draft that the API took.
func (f *flight) accepted(res wire.SendResult) {
	s := f.s
	s.at(PointAnswered)
	s.ended(f.d, Accepted, "")
	s.at(PointAccepted)
	_ = f.claim.Ack(context.Background()) // a late or failed ack brings the item back; the books know better by then
	s.at(PointFinished)
	s.count.Accepted.Add(1)
	if s.cfg.Load().Status.Missing > 0 || f.d.trace != "" {
		s.books.await(wire.MessageOf(f.d.id), f.d.trace, time.Now())
	}
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
	s.ended(f.d, to, reason)
	switch to {
	case Expired:
		s.count.Expired.Add(1)
	case Failed:
		s.count.Failed.Add(1)
	case Dead:
		s.count.Dead.Add(1)
		s.w.Log.Warn("draft put among the dead letters", "draft", f.d.id, "reason", reason)
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
		f.s.at(PointHeld)
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

// back gives the draft back to the queue, to come again after a while. A held one that did not get its turn stays held.
func (f *flight) back(to State, after time.Duration) {
	d := f.d
	f.s.books.mu.Lock()
	if d.state == Held {
		to = Held
	}
	f.s.books.move(d, to)
	p := past{int(d.attempts), int(d.counted), int(d.unknowns), f.claim.Item().Delivery, d.state == Held}
	if d.begun && !p.held { // what became of the last attempt nobody knows: the journal tells of it, and has to be the newer one
		p.attempts--
	}
	d.holder.give(f, p)
	f.s.books.mu.Unlock()
	err := f.claim.Retry(context.Background(), after, pack(p, f.body)) // a stale claim is already with another taker
	f.s.books.mu.Lock()
	d.holder.given(f, err)
	f.s.books.mu.Unlock()
}
