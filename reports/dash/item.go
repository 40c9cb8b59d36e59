package dash

import (
	"context"
	"iter"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Item is one thing a viewer is told. At most one of Info, Event, Gauge and Status is set; an Item with none of them
// is a sign of life.
type Item struct {
	Info   *record.Info  `json:"info,omitempty"` // first, and again when the run has ended
	Event  *record.Event `json:"event,omitempty"`
	Gauge  *record.Gauge `json:"gauge,omitempty"`
	Status *Status       `json:"status,omitempty"`
	Lost   string        `json:"-"` // why nothing arrives at the moment; the source keeps trying
	Next   string        `json:"-"` // where to go on after this item
}

// At is the scenario's instant of an event or gauge.
func (i Item) At() (at time.Duration, ok bool) {
	switch {
	case i.Event != nil:
		return i.Event.At, true
	case i.Gauge != nil:
		return i.Gauge.At, true
	}
	return 0, false
}

// Status is what a viewer should know about the run besides its record.
type Status struct {
	Paused  bool    `json:"paused"`
	Speed   float64 `json:"speed"` // scenario seconds a second; 0 means unthrottled
	Viewers int     `json:"viewers"`

	At time.Duration `json:"at_ns"` // the newest instant there was: a viewer who knows less is catching up
}

// Source is where a viewer's items come from.
type Source interface {
	// Items yields what happened after a place (the beginning when it is empty), then what happens, until the run
	// has ended or ctx is done. A place is what Item.Next said.
	Items(ctx context.Context, after string) iter.Seq2[Item, error]
}

// Control steers a run. Its methods may be called from any goroutine outside the run.
type Control interface {
	// Pause holds the run, or lets it go on.
	Pause(on bool) error
	// Abort ends the run early; the record stays readable.
	Abort() error
	// Speed sets how many scenario seconds pass in a second; 0 is as fast as possible.
	Speed(x float64) error
	// Mark writes a note into the record.
	Mark(note string) error
	// Apply does one step of a timeline now, written as in a scenario without "at": {kill: whatsapp/1}, or
	// {set: {sender.drafts.rate_limit: 300/min}, note: "cut the rate"}.
	Apply(step string) error
}

// Reporter is a Control that can also write the documents of the run so far.
type Reporter interface {
	// Report writes them and returns the path of the main one.
	Report() (path string, err error)
}
