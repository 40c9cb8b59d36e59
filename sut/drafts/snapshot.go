package drafts

import "time"

// Snapshot is the service's counters and its backlog at an instant.
type Snapshot struct {
	Created, Replayed, Refused                  int64
	Sends, SendFirst, SendTimeouts, SendBusy    int64
	Redelivered, InFlight                       int64
	SendP50, SendP99                            time.Duration // of sends finished since the last snapshot
	SendCount                                   int64
	Accepted, Duplicates, Expired, Failed, Dead int64
	GivenUp, Held, Resolved, Statuses           int64
	Backlog, Ready, Retrying, Holding           int64
	OldestAge                                   time.Duration
}

// Snapshot returns the service's counters and its backlog; no part of it takes longer when the backlog is longer.
func (s *Service) Snapshot() Snapshot {
	c := &s.count
	out := Snapshot{
		Created: c.Created.Load(), Replayed: c.Replayed.Load(), Refused: c.Refused.Load(),
		Sends: c.Sends.Load(), SendFirst: c.SendFirst.Load(), SendTimeouts: c.SendTimeouts.Load(), SendBusy: c.SendBusy.Load(),
		Redelivered: c.Redelivered.Load(), InFlight: c.InFlight.Load(),
		Accepted: c.Accepted.Load(), Duplicates: c.Duplicates.Load(), Expired: c.Expired.Load(), Failed: c.Failed.Load(),
		Dead: c.Dead.Load(), GivenUp: c.Unknown.Load(), Held: c.Held.Load(), Resolved: c.Resolved.Load(),
		Statuses: c.Statuses.Load(),
	}
	out.SendP50, out.SendP99, out.SendCount = s.times.recent(0.5, 0.99)
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	out.Backlog, out.Holding = b.held, b.byState[Held]
	out.Retrying = b.again
	out.Ready = b.byState[Queued] - b.again
	out.OldestAge = b.all.age()
	return out
}
