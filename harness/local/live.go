package local

import (
	"errors"
	"sync/atomic"

	"github.com/aftershock-dev/aftershock/harness/virtual"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// Live is a run while it goes on: what people who watch it may do to it. Its methods never wait for the run.
type Live struct {
	Writer *record.Writer

	aborted atomic.Bool
	gate    atomic.Pointer[virtual.Throttle]
	marks   chan record.Event
	steps   chan scenarios.Step
}

func newLive(w *record.Writer) *Live {
	return &Live{Writer: w, marks: make(chan record.Event, 64), steps: make(chan scenarios.Step, 16)}
}

var errNotVirtual = errors.New("only a run in virtual time can be paused or played at another speed")

// Pause stops or continues virtual time.
func (l *Live) Pause(on bool) error {
	g := l.gate.Load()
	if g == nil {
		return errNotVirtual
	}
	g.Pause(on)
	return nil
}

// Speed plays virtual time at s seconds a wall second; 0 is as fast as it goes.
func (l *Live) Speed(s float64) error {
	g := l.gate.Load()
	if g == nil {
		return errNotVirtual
	}
	g.Speed(s)
	return nil
}

// Abort ends the run at its next reading; the record is kept and the reports are written.
func (l *Live) Abort() error {
	l.aborted.Store(true)
	if g := l.gate.Load(); g != nil {
		g.Release()
	}
	return nil
}

// Mark puts a note on the run's timeline.
func (l *Live) Mark(note string) error {
	select {
	case l.marks <- record.Event{Kind: "mark", Source: "operator", Text: note}:
		return nil
	default:
		return errors.New("too many marks at once")
	}
}

// Apply does one step of a timeline at the next reading: {kill: whatsapp/1}, {set: {sender.drafts.rate_limit: 300/min}}.
func (l *Live) Apply(step string) error {
	var s scenarios.Step
	if err := strict.Decode("step", []byte(step), &s); err != nil {
		return err
	}
	select {
	case l.steps <- s:
		return nil
	default:
		return errors.New("too many changes at once")
	}
}
