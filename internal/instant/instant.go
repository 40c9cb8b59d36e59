// Package instant gives each activity of a run nanoseconds of its own, so that in virtual time no two timers ever
// fire at once. A bubble fires timers that tie in random order, and a tie that decides anything would make two runs
// of one seed differ.
//
// The nanosecond of an instant, taken modulo Grid (2.1 ms), is its lane. A lane belongs to one activity: a class (what
// is being waited for) and a number (the message, request or draft that waits). Waiting for at least d (After: a timeout,
// a pause) means waking at the first instant of the lane at or after now + d, which is at most 2.1 ms later than asked.
// Waiting for d (Near: work, an answer's latency) means waking at the instant of the lane that is nearest to now + d, which
// is at most 1.05 ms off, and neither early nor late on average.
package instant

import "time"

// Class says what an activity waits for; together with a number it names a lane.
type Class uint8

// The classes. Two activities that can wait at the same time under the same number need two classes.
const (
	System     Class = iota // tickers, scalers, dispatchers: numbered by their owner, from the constants below
	Arrival                 // the harness's next hit, by hit
	Client                  // the harness's timeouts and backoff, by hit
	FrontDoor               // work of accepting a message, by request
	Create                  // work of creating a draft, by request
	CreateWait              // the front door's timeouts and backoff while creating, by request
	Dispatch                // work of handing a draft over, by draft
	SendWait                // the dispatcher's timeouts and backoff, by draft
	Send                    // work of sending, by request
	APIWait                 // the sender's timeouts towards the Cloud API, by request
	Reply                   // the fake's answer, by request
	Webhook                 // the fake's webhooks, by webhook
	Status                  // work of taking a webhook in, by request
	Start                   // replicas starting, by replica
	Media                   // media work, by request
	Other                   // anything else, numbered by its owner
	classes
)

// Numbers of the System class: one for each component that ticks.
const (
	Gauges uint64 = iota
	Timeline
	Scaler
	Dispatcher
	Sweeper
	StatusFlush
	FakeWebhooks
	Drain
	QueueTimer
	Judge
	Healer
	OwnNumbers = 64 // numbers from here on are free for tests
)

// Grid is the distance between two instants of one lane. 2^17 numbers of each class fit into it, so activities of one
// class never share a lane unless more than 131,072 numbers lie between them while both wait.
const Grid = time.Duration(1) << 21

// strides say how far apart the lanes of two numbers that follow each other lie, one for each class: odd, so that no two
// numbers share a lane, and all different, so that one class's lanes do not keep step with another's, which would make every
// wait of a kind early, or every one late. Hits are spread widely. The others have short strides: of a queue of pieces of
// work that are shorter than the grid, each can end right after the one before it, and webhooks keep their order.
var strides = [classes]uint64{
	System: 1, Arrival: 50_021, Client: 15, FrontDoor: 1, Create: 3, CreateWait: 17, Dispatch: 5, SendWait: 19, Send: 7, APIWait: 21,
	Reply: 1, Webhook: 1, Status: 9, Start: 11, Media: 23, Other: 1,
}

// Lanes switches lanes on. The zero value is off: waits are then exactly what was asked for, as on the wall clock.
type Lanes struct{ On bool }

// Of returns the lane of an activity.
func (l Lanes) Of(c Class, number uint64) Lane {
	if !l.On {
		return Lane{}
	}
	return Lane{on: true, offset: int64(number*strides[c]%(uint64(Grid)/uint64(classes)))*int64(classes) + int64(c)}
}

// Lane is the set of instants that belong to one activity.
type Lane struct {
	on     bool
	offset int64
}

// After returns how long to wait from now so that at least d passes and the wait ends on the lane.
func (l Lane) After(now time.Time, d time.Duration) time.Duration {
	if !l.on {
		return d
	}
	at := now.UnixNano() + int64(max(d, 0))
	late := (l.offset - at) % int64(Grid)
	if late < 0 {
		late += int64(Grid)
	}
	return time.Duration(at + late - now.UnixNano())
}

// Near returns how long to wait from now so that the wait ends on the lane, as near to now + d as can be, and not before
// now.
func (l Lane) Near(now time.Time, d time.Duration) time.Duration {
	later := l.After(now, d)
	if !l.on {
		return later
	}
	if sooner := later - Grid; sooner > 0 && d-sooner < later-d {
		return sooner
	}
	return later
}

// Deadline returns the first instant of the lane at or after now + d.
func (l Lane) Deadline(d time.Duration) time.Time {
	now := time.Now()
	return now.Add(l.After(now, d))
}

// Sleep waits at least d, until an instant of the lane. In virtual time a wait of 0 still waits, so that whoever
// sleeps on its lane acts alone.
func (l Lane) Sleep(d time.Duration) { time.Sleep(l.After(time.Now(), d)) }
