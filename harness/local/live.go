package local

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/aftershock-dev/aftershock/harness/virtual"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// Live is a run while it goes on: what people who watch it may do to it. Its methods never wait for the run.
type Live struct {
	Writer *record.Writer

	clock   string
	aborted atomic.Bool
	gate    atomic.Pointer[virtual.Throttle]
	system  atomic.Pointer[System]
	marks   chan record.Event
	orders  chan map[string]any
}

func newLive(w *record.Writer, o Options) *Live {
	return &Live{
		Writer: w, clock: o.Clock, marks: make(chan record.Event, 64), orders: make(chan map[string]any, 16),
	}
}

func (l *Live) close() { l.system.Store(nil) }

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

// Set changes settings of the running system, by dotted key, at the next reading.
func (l *Live) Set(values map[string]any) error {
	select {
	case l.orders <- values:
		return nil
	default:
		return errors.New("too many changes at once")
	}
}

// carryOut applies the changes that were ordered; it runs on the run's own goroutine.
func (l *Live) carryOut(ctx context.Context) {
	for {
		select {
		case values := <-l.orders:
			text := "set by hand"
			if sys := l.system.Load(); sys == nil || sys.Settings == nil {
				text = "settings cannot be changed here"
			} else if err := sys.Settings.Set(ctx, values); err != nil {
				text = "a change was refused: " + err.Error()
			}
			_ = l.Mark(text)
		default:
			return
		}
	}
}
