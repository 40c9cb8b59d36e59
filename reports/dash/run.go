package dash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrLeft says that the user closed the view before the run had ended.
var ErrLeft = errors.New("the view was closed")

// ErrDetached says that the user left the run to itself.
var ErrDetached = errors.New("detached: the run goes on")

var errNoReport = errors.New("this run cannot write its report early: aftershock report DIR does at any time")

// Options is what Run needs. Source and UI are required; the zero value of everything else works.
type Options struct {
	Source   Source
	Baseline Source // a finished run to compare with, drawn dotted

	Control Control // nil: the viewer can only look
	Owner   bool    // this process owns the run: q asks before it stops the run, and the view closes when the run ends

	UI   UI
	Caps Capabilities
	In   io.Reader // keys; a terminal for TUI
	Out  io.Writer // dashboard and JSON
	Err  io.Writer // plain lines

	Speed    float64       // plays a finished run at so many scenario seconds a second; 0 shows how it ended
	Every    time.Duration // distance of plain lines; 0 is 10 s, growing with the run; negative is events alone
	Since    time.Duration // plain lines leave out what happened up to here, but for breaches
	GitHub   bool          // plain lines also say missed thresholds as GitHub annotations
	Notify   bool          // ring the bell when a threshold is missed and at the end
	Reattach string        // the command that attaches again, printed on detaching
	Attached string        // how the run is reached, for the status line
	SaveDir  string        // where the screen is saved to, "" for the working directory
}

// Run shows a run until it has ended, ctx is done (its error is returned), or the user leaves (ErrLeft, ErrDetached).
// It leaves the terminal as it was and no goroutine behind, but for an order to a run elsewhere that is still on its way:
// that one ends by itself within ten seconds.
func Run(ctx context.Context, o Options) error {
	if o.Source == nil {
		return errors.New("show a run: no source was given")
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Err == nil {
		o.Err = io.Discard
	}
	switch o.UI {
	case None:
		return nil
	case JSON:
		return runJSON(ctx, o)
	case Plain:
		return runPlain(ctx, o)
	case TUI:
		return runTUI(ctx, o)
	}
	return fmt.Errorf("show a run: unknown ui %d", o.UI)
}
