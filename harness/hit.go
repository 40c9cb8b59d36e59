package harness

import (
	"context"
	"time"
)

// Hit is one message that was sent to the sender, or was tried to be. Times are offsets from the start of the run.
type Hit struct {
	Number uint64 // of the message, from 1
	Taken  bool   // the sender took it
	Tries  []Try
}

// Try is one request for a message.
type Try struct {
	At, Done time.Duration
	Status   int    // 0 when no answer came
	Error    string // timeout, refused, reset, …; "" when an answer came
}

// Team sends a run's load in the Runner's place: agents on other machines do.
type Team interface {
	// Ready gets the load ready, before the run starts.
	Ready(ctx context.Context, to Aim) error
	// Send sends every hit, each at its instant after start, and calls told once for every one that it is done with,
	// never twice at a time. An error means that not everything can be accounted for.
	Send(ctx context.Context, start time.Time, told func(Hit)) error
	// String tells who is in it.
	String() string
}

// Aim is where the load of a run goes.
type Aim struct {
	URL       string `json:"url"`                // the sender's front door
	FakeURL   string `json:"fake_url,omitempty"` // for a target's templates
	MediaBase string `json:"media"`              // where links of media point
	Hits      int    `json:"hits"`               // how many there are
	Sum       uint64 `json:"sum"`                // of all arrivals: two schedules with one sum are the same
}

// account takes in what the caller does, as it happens.
type account interface {
	fire(n uint64, now time.Time)
	tried(n uint64, number int, t Try)
	done(h Hit, now time.Time)
}
