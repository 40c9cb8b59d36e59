package sut

import (
	"time"

	"github.com/aftershock-dev/aftershock/sut/fleet"
)

// Stats is a snapshot of the sender: counters are cumulative, the rest is as of now.
type Stats struct {
	// The front door.
	Front    int64 // requests
	Front503 int64 // turned away by a full replica, sends included
	Answered int64 // answered 2xx
	Refused  int64 // answered 4xx

	// Creating drafts.
	Creates        int64 // attempts
	CreateFirst    int64 // of those, first attempts
	CreateRetries  int64
	CreateTimeouts int64
	CreateErrors   int64 // other failures
	Created        int64 // drafts made
	Replayed       int64 // creates answered with the first result of their key
	Shed           int64 // creates refused because the backlog, or a tenant's share, was full

	// Sending.
	Sends        int64 // attempts
	SendFirst    int64
	SendTimeouts int64
	Send503      int64
	Redelivered  int64         // drafts taken again because the first taker never finished
	InFlight     int64         // calls towards the WhatsApp service
	Limit        int64         // how many of them there may be
	Stopped      int64         // times that a number's breaker opened
	Outages      int64         // times that the provider's breaker opened
	Unpaid       int64         // retries that had to wait for the budget
	SendP50      time.Duration // of the sends finished since the last snapshot; SendCount tells how many
	SendP99      time.Duration
	SendCount    int64

	// The Cloud API.
	API         int64 // attempts
	APIFirst    int64
	APIAccepted int64
	APIErrors   int64 // refusals
	APIUnknown  int64 // outcomes that are not known, timeouts included
	APITimeouts int64
	APICodes    map[int]int64 // refusals by error code
	MediaErrors int64
	Uploads     int64
	Statuses    int64 // status webhooks

	// The backlog.
	Backlog       int64         // drafts held and not finished
	Ready         int64         // of those, waiting for their first dispatch
	Retrying      int64         // of those, waiting to be tried again
	Unknown       int64         // of those, waiting for a status to tell
	OldestAge     time.Duration // since its message came in
	OldestWaiting time.Duration // of those never tried

	// The same in messages, of which one may have several drafts.
	MessagesHeld    int64 // with a draft that is held
	MessagesExpired int64 // all drafts ended, none was taken, the best of them expired
	MessagesFailed  int64 // the same, refused for good, dead or given up

	// How drafts ended.
	Accepted     int64
	Duplicates   int64 // accepted though a draft of the same message had been, as far as the sender can see
	Expired      int64
	Failed       int64
	Dead         int64
	GivenUp      int64 // outcome unknown for good
	Held         int64 // sends whose outcome was not known
	Resolved     int64 // of those, resolved by a status, before the call was given up or within the hold
	ResolvedLate int64 // resolved by a status after the hold, when the draft had been sent again or given up
	Missing      int64 // accepted drafts without any status in time
	Cancelled    int64
	Vanished     int64 // drafts of earlier processes that are not in the queue any more
	Illegal      int64 // steps of a draft that the state machine does not allow, which were not taken
	Skipped      int64 // lines of the journal that could not be read when the process began

	RateLimit float64 // drafts a second; 0 is no limit

	WhatsApp Service
	DraftsOf Service
}

// Service is one service's copies and what they use.
type Service struct {
	Ready, Starting int
	Wanted          int // what scaling asks for, before the ceiling
	Max             int
	Cores           int           // capacity
	Used            time.Duration // core time, cumulative
	Wasted          time.Duration // of that, on work for nothing
	Waiting         int           // requests waiting for a core
	Memory          int64         // bytes, by the model
}

func serviceOf(f fleet.Stats) Service {
	return Service{
		Ready: f.Ready, Starting: f.Starting, Wanted: f.Wanted, Max: f.Max, Cores: f.Cores, Used: f.Used,
		Wasted: f.Wasted, Waiting: f.Waiting, Memory: f.Memory,
	}
}

// Stats returns a snapshot. It does not wait for anything and takes a few microseconds whatever the backlog.
func (s *Sender) Stats() Stats {
	out := s.stats()
	out.SendP50, out.SendP99, out.SendCount = s.drafts.Recent()
	return out
}

// stats is a snapshot without what belongs to the caller of Stats alone: the times since its last call.
func (s *Sender) stats() Stats {
	cfg := s.cfg.Load()
	w, d := s.whatsapp.Count(), s.drafts.Snapshot()
	out := Stats{
		Front: w.Front.Load(), Front503: w.Front503.Load(), Answered: w.Answered.Load(), Refused: w.Refused.Load(),
		Creates: w.Creates.Load(), CreateFirst: w.CreateFirst.Load(), CreateTimeouts: w.CreateTimeouts.Load(),
		CreateErrors: w.CreateErrors.Load(), Created: d.Created, Replayed: d.Replayed, Shed: d.Refused,
		Sends: d.Sends, SendFirst: d.SendFirst, SendTimeouts: d.SendTimeouts, Send503: d.SendBusy,
		Redelivered: d.Redelivered, InFlight: d.InFlight, Limit: d.Limit, Stopped: d.Stopped, Outages: d.Outages, Unpaid: d.Unpaid,
		API: w.API.Load(), APIFirst: w.APIFirst.Load(), APIAccepted: w.Accepted.Load(), APIErrors: w.APIErrors.Load(),
		APIUnknown: w.APIUnknown.Load(), APITimeouts: w.APITimeouts.Load(), APICodes: w.Codes(),
		MediaErrors: w.MediaErrors.Load(), Uploads: w.Uploads.Load(), Statuses: w.Statuses.Load(),
		Backlog: d.Backlog, Ready: d.Ready, Retrying: d.Retrying, Unknown: d.Holding, OldestAge: d.OldestAge, OldestWaiting: d.OldestWaiting,
		Accepted: d.Accepted, Duplicates: d.Duplicates, Expired: d.Expired, Failed: d.Failed, Dead: d.Dead,
		GivenUp: d.GivenUp, Held: d.Held, Resolved: d.Resolved, ResolvedLate: d.ResolvedLate, Missing: d.Missing,
		Illegal:   d.Illegal,
		Cancelled: d.Cancelled, Skipped: d.Skipped, Vanished: d.Vanished, MessagesHeld: d.MessagesHeld, MessagesExpired: d.MessagesExpired, MessagesFailed: d.MessagesFailed,
		RateLimit: cfg.Drafts.RateLimit.PerSecond(),
		WhatsApp:  serviceOf(s.whatsapp.Fleet().Stats()), DraftsOf: serviceOf(s.drafts.Fleet().Stats()),
	}
	out.CreateRetries = out.Creates - out.CreateFirst
	out.DraftsOf.Memory += out.Backlog * cfg.Drafts.Backlog.DraftBytes
	return out
}
