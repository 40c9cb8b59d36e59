package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// ErrIdle is what a handle returns for a step that changes nothing: a setting that has the value already, a scale that is
// the number there is, a replica that does not exist. Wrap it with what is the case.
var ErrIdle = errors.New("nothing changes")

// ErrInForce is ErrIdle for settings that have their values already.
var ErrInForce = fmt.Errorf("%w: that is the value in force", ErrIdle)

// Witness is a ledger that also knows what the fake did besides answering: a ledger that has it is asked at the end.
type Witness interface {
	Witnessed(ctx context.Context) (Witnessed, error)
}

// Witnessed is what the fake did besides answering.
type Witnessed struct {
	Faults map[string]Strikes // by the id under which a fault was applied
	Posts  int64              // webhooks sent
	Heard  int64              // of those, answered with success
	Taken  int64              // sends accepted, copies included
}

// Strikes is what a fault did: how many requests were in its scope, and for how many of them it changed something.
type Strikes struct{ Met, Struck int64 }

// idle doubts a run whose timeline did less than it says: a step whose time never came, or a fault that struck nothing. A
// step that says may: miss is let off. Nobody who listens to the webhooks is told here, too.
func (r *Runner) idle(ctx context.Context, end time.Duration) {
	for _, d := range r.deeds {
		if d.act != nil && !d.undoes && !d.done && !d.mayMiss {
			r.invalidate(fmt.Sprintf("the timeline's step at %v (%s) was never carried out: the run had ended at %v; %s", d.at, d.what, end.Round(time.Second), orMiss))
		}
	}
	w, ok := r.System.Ledger.(Witness)
	if !ok {
		return
	}
	seen, err := w.Witnessed(ctx)
	if err != nil {
		r.invalidate(fmt.Sprintf("what the faults did could not be read: %v", err))
		return
	}
	for _, d := range r.deeds {
		if d.fault == "" || !d.done {
			continue
		}
		did, known := seen.Faults[d.fault]
		if known {
			r.emit(record.Event{At: end, Kind: "note", Source: "provider", ID: d.fault, Text: fmt.Sprintf("%s struck %d of %d requests in its scope", d.what, did.Struck, did.Met)})
		}
		switch {
		case d.mayMiss:
		case !known:
			r.invalidate(fmt.Sprintf("what the timeline's step at %v (%s) struck is not known: the fake was started anew since, or does not tell; say may: miss to let that pass", d.at, d.what))
		case did.Struck == 0 && did.Met == 0:
			r.invalidate(fmt.Sprintf("the timeline's step at %v (%s) struck nothing: no request was in its scope; %s", d.at, d.what, orMiss))
		case did.Struck == 0:
			r.invalidate(fmt.Sprintf("the timeline's step at %v (%s) struck nothing: %d requests were in its scope, and it changed nothing for any of them; %s", d.at, d.what, did.Met, orMiss))
		}
	}
	if seen.Posts > 0 && seen.Heard == 0 {
		r.invalidate(fmt.Sprintf("nobody listens to the status webhooks: none of %d was answered with success; mend the sender's webhook URL", seen.Posts))
	}
}

// idleAsChecked doubts a run for what the scenario's own check saw, where no witness has told of it already.
func (r *Runner) idleAsChecked() {
	if len(r.invalid) > 0 {
		return
	}
	for _, e := range r.Scenario.Idle {
		if strings.HasPrefix(e.Key, "timeline") {
			r.invalidate(fmt.Sprintf("%s %s; %s", e.Key, e.Problem, e.Hint))
		}
	}
}

// orMiss is what to do about a step that does nothing.
const orMiss = "mend it, take it away, or say may: miss"

// carryOut does a deed, and says what came of it if it could not be done.
func (r *Runner) carryOut(ctx context.Context, d *deed) (went string) {
	err := d.act(ctx)
	d.done = true
	switch {
	case err == nil || ctx.Err() != nil:
		return ""
	case errors.Is(err, ErrIdle) && d.mayMiss:
		return " (missed: " + err.Error() + ")"
	case errors.Is(err, ErrIdle):
		r.invalidate(fmt.Sprintf("the timeline's step at %v (%s) did nothing: %v; %s", d.at, d.what, err, orMiss))
	default:
		r.invalidate(fmt.Sprintf("the timeline's step at %v could not be carried out: %v", d.at, err))
	}
	return " (failed: " + err.Error() + ")"
}
