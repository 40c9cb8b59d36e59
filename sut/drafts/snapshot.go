package drafts

import (
	"time"

	"github.com/aftershock-dev/aftershock/sut/queue"
)

// Snapshot is the service's counters and its backlog at an instant.
type Snapshot struct {
	Created, Replayed, Refused               int64
	Sends, SendFirst, SendTimeouts, SendBusy int64
	Redelivered, InFlight, Limit             int64
	Accepted, Duplicates, Expired, Failed    int64
	Dead, Cancelled, GivenUp, Stopped        int64
	Held, Resolved, ResolvedLate             int64
	Statuses, Missing, Unpaid, Skipped       int64
	Outages, Vanished                        int64
	Backlog, Ready, Retrying, Holding        int64
	MessagesHeld, MessagesExpired            int64 // different messages; the figures above are drafts
	MessagesFailed                           int64
	OldestAge, OldestWaiting                 time.Duration
	Illegal                                  int64 // steps that the state machine does not allow
}

// Snapshot returns the service's counters and its backlog; no part of it takes longer when the backlog is longer.
func (s *Service) Snapshot() Snapshot {
	c := &s.count
	out := Snapshot{
		Created: c.Created.Load(), Replayed: c.Replayed.Load(), Refused: c.Refused.Load(),
		Sends: c.Sends.Load(), SendFirst: c.SendFirst.Load(), SendTimeouts: c.SendTimeouts.Load(), SendBusy: c.SendBusy.Load(),
		Redelivered: c.Redelivered.Load(), InFlight: c.InFlight.Load(), Limit: int64(s.gates.underWay(s.cfg.Load())),
		Accepted: c.Accepted.Load(), Duplicates: c.Duplicates.Load(), Expired: c.Expired.Load(), Failed: c.Failed.Load(),
		Dead: c.Dead.Load(), Cancelled: c.Cancelled.Load(), GivenUp: c.Unknown.Load(), Stopped: c.Stopped.Load(),
		Held: c.Held.Load(), Resolved: c.Resolved.Load(), ResolvedLate: c.ResolvedLate.Load(),
		Statuses: c.Statuses.Load(), Missing: c.Missing.Load(), Unpaid: c.Unpaid.Load(), Skipped: c.Skipped.Load(),
		Outages: c.Outages.Load(), Vanished: c.Vanished.Load(),
	}
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	stored := int64(len(b.survey.waiting))
	out.Backlog, out.Holding = b.backlog(), b.byState[Held]
	out.Retrying, out.Illegal = b.again, b.illegal
	out.MessagesHeld, out.MessagesExpired, out.MessagesFailed = b.ends.held+stored, b.ends.expired, b.ends.failed
	out.Ready = b.byState[Queued] - b.again + stored
	out.OldestAge, out.OldestWaiting = b.oldestAge(), b.freshAge()
	return out
}

// Recent returns the median and the 99th percentile of the sends that finished since the last call, and their number.
func (s *Service) Recent() (p50, p99 time.Duration, n int64) { return s.times.recent(0.5, 0.99) }

// Times is every send so far as a histogram: how many, their sum, and how many took no longer than each bound, in
// seconds.
func (s *Service) Times() (n uint64, sum time.Duration, upTo map[float64]uint64) {
	return s.times.cumulative()
}

// Held is how many drafts are held.
func (s *Service) Held() int64 {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	return s.books.backlog()
}

// Trouble lists why drafts cannot be taken in safely; empty when they can.
func (s *Service) Trouble() []string {
	var out []string
	if s.amnesia.failing.Load() {
		out = append(out, "the journal cannot be written")
	}
	if q, ok := s.w.Queue.(queue.Ailing); ok && q.Trouble() != "" {
		out = append(out, q.Trouble())
	}
	return out
}

// Stopped lists what is paused or stopped.
func (s *Service) Stopped() []string {
	var out []string
	for _, st := range s.stops.all() {
		out = append(out, "paused: "+st.Scope+" "+st.Name)
	}
	if open, _ := s.gates.open(s.cfg.Load(), time.Now()); open {
		out = append(out, "the API fails whatever it is sent; single sends find out when that ends")
	}
	for _, n := range s.gates.stopped() {
		if n == "" {
			n = "of messages that name none"
		}
		out = append(out, "the API has stopped the number "+n+"; the log tells its code")
	}
	return out
}
