package harness

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// deed is one thing that the timeline does at an instant.
type deed struct {
	at    time.Duration
	event record.Event
	act   func(ctx context.Context) error // nil for notes

	what    string // the step in a few words
	fault   string // the id of the fault that it applies
	mayMiss bool   // the step says so
	undoes  bool   // it ends another
	done    bool
}

// plan turns the timeline into deeds in order, and numbers the interventions 1, 2, … as every chart shows them. A step
// that needs a handle which the system does not have is an error now, not in the middle of the run.
func (r *Runner) plan() ([]deed, error) {
	steps := slices.Clone(r.Scenario.Timeline)
	sort.SliceStable(steps, func(i, j int) bool { return steps[i].At < steps[j].At })
	var out []deed
	for i, s := range steps {
		d, undo, err := r.step(s, fmt.Sprintf("step-%d", i+1))
		if err != nil {
			return nil, fmt.Errorf("timeline at %v: %w", s.At, err)
		}
		d.at, d.event.At, d.mayMiss = s.At, s.At, s.MayMiss()
		if d.act != nil {
			r.numbered++
			d.event.Number = r.numbered
		}
		if s.For > 0 && undo != nil {
			d.event.Until = s.At + s.For
			out = append(out, deed{at: s.At + s.For, act: undo.act, event: undo.event, what: d.what, undoes: true, mayMiss: d.mayMiss})
			out[len(out)-1].event.At = s.At + s.For
		}
		out = append(out, d)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].at < out[j].at })
	return out, nil
}

// step translates one step; undo is what ends it when it has a length.
func (r *Runner) step(s scenarios.Step, id string) (d deed, undo *deed, err error) {
	missing := func(what string) error {
		return fmt.Errorf("needs %s, which the %s environment does not offer%s", what, r.System.Name, r.System.Hint)
	}
	switch {
	case len(s.Set) > 0:
		if r.System.Settings == nil {
			return d, nil, missing("settings that can be changed")
		}
		d.what = "set " + setText(s.Set)
		d.event = record.Event{Kind: "intervention", Source: "operator", Text: firstOf(s.Note, setText(s.Set))}
		d.act = func(ctx context.Context) error { return r.System.Settings.Set(ctx, s.Set) }
	case s.Fault != nil:
		if r.System.Faults == nil {
			return d, nil, missing("a fake with faults")
		}
		d.what, d.fault = "fault "+s.Fault.Words(), id
		d.event = record.Event{Kind: "fault", Source: "provider", ID: id, Text: firstOf(s.Note, "fault "+s.Fault.Kind)}
		d.act = func(ctx context.Context) error { return r.System.Faults.Apply(ctx, id, *s.Fault) }
		undo = &deed{
			event: record.Event{Kind: "fault-end", Source: "provider", ID: id, Text: "end of " + s.Fault.Kind},
			act:   func(ctx context.Context) error { return r.System.Faults.Clear(ctx, id) },
		}
	default:
		a, back := action(s)
		if a.Verb == "" {
			d.event = record.Event{Kind: "note", Source: "plan", Text: s.Note}
			return d, nil, nil
		}
		handle := r.System.Replicas
		if s.Ends() {
			if handle = r.System.Process; handle == nil {
				return d, nil, missing("a reference sender in virtual time, whose process and disk can be struck")
			}
		}
		if handle == nil {
			return d, nil, missing("replicas that can be reached")
		}
		if a.Verb == "delay" && r.System.Name != "containers" {
			return d, nil, missing("a network that can be slowed down")
		}
		d.what = actionText(a)
		d.event = record.Event{Kind: "intervention", Source: "operator", ID: a.Target, Text: firstOf(s.Note, actionText(a))}
		d.act = func(ctx context.Context) error { return handle.Act(ctx, a) }
		if back.Verb != "" {
			undo = &deed{
				event: record.Event{Kind: "intervention-end", Source: "operator", ID: a.Target, Text: actionText(back)},
				act:   func(ctx context.Context) error { return handle.Act(ctx, back) },
			}
		}
	}
	return d, undo, nil
}

// action reads the replica verbs of a step, with what undoes them.
func action(s scenarios.Step) (do, undo scenarios.Action) {
	switch {
	case s.Kill != "":
		return scenarios.Action{Verb: "kill", Target: s.Kill, Held: s.For > 0}, scenarios.Action{Verb: "start", Target: s.Kill}
	case s.Pause != "":
		return scenarios.Action{Verb: "pause", Target: s.Pause}, scenarios.Action{Verb: "resume", Target: s.Pause}
	case s.Partition != "":
		return scenarios.Action{Verb: "partition", Target: s.Partition}, scenarios.Action{Verb: "heal", Target: s.Partition}
	case len(s.Delay) > 0:
		for name, by := range s.Delay {
			return scenarios.Action{Verb: "delay", Target: name, By: by}, scenarios.Action{Verb: "delay", Target: name}
		}
	case s.Crash != "":
		return scenarios.Action{Verb: "crash", Target: "sender", When: s.Crash}, scenarios.Action{Verb: "start", Target: "sender"}
	case s.Disk != "":
		return scenarios.Action{Verb: "fill", Target: "disk"}, scenarios.Action{Verb: "free", Target: "disk"}
	case s.Restart != "":
		return scenarios.Action{Verb: "restart", Target: s.Restart}, scenarios.Action{}
	}
	for name, n := range s.Scale {
		return scenarios.Action{Verb: "scale", Target: name, Count: n}, scenarios.Action{}
	}
	return scenarios.Action{}, scenarios.Action{}
}

// actionText says an action in a few words.
func actionText(a scenarios.Action) string {
	switch {
	case a.Verb == "crash" && a.When != "now":
		return "crash " + a.Target + " at " + a.When
	case a.Verb == "scale":
		return fmt.Sprintf("scale %s to %d", a.Target, a.Count)
	case a.Verb == "delay" && a.By > 0:
		return fmt.Sprintf("delay %s by %v", a.Target, a.By)
	case a.Verb == "delay":
		return "delay " + a.Target + " no more"
	}
	return a.Verb + " " + a.Target
}

func setText(values map[string]any) string {
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		keys[i] = fmt.Sprintf("%s = %v", k, values[k])
	}
	return strings.Join(keys, ", ")
}

// follow carries the deeds out, each at its instant.
func (r *Runner) follow(ctx context.Context, start time.Time, deeds []deed) {
	lane := r.lanes().Of(instant.System, instant.Timeline)
	for i := range deeds {
		d := &deeds[i]
		if !pause(ctx, lane.After(time.Now(), time.Until(start.Add(d.at)))) {
			return
		}
		e := d.event
		e.At = time.Since(start)
		if d.act != nil {
			e.Text += r.carryOut(ctx, d)
		}
		r.emit(e)
	}
}

// pause waits for d; false means that ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
