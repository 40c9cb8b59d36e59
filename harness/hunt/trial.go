package hunt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut/drafts"
)

// Broken is a promise that a run did not keep.
type Broken struct {
	ID   string `json:"id"`
	Says string `json:"says"` // in a sentence, with what was seen
}

// Evidence is what one run shows.
type Evidence struct {
	Digest  string   `json:"digest"`
	Broken  []Broken `json:"broken,omitempty"`
	Invalid []string `json:"invalid,omitempty"` // why nothing can be said of it
	Offered int      `json:"offered"`
	Struck  []string `json:"struck,omitempty"` // troubles that did something, by name
	Pairs   []string `json:"pairs,omitempty"`  // those of them that were there at the same time, "kill + latency"
	Steps   []string `json:"steps,omitempty"`  // steps of drafts, "queued → claimed"
	Ends    []string `json:"ends,omitempty"`   // outcomes of messages
	Signs   []string `json:"signs,omitempty"`  // policies that acted
}

// breaks returns the broken promise of an id; ok is false when it was kept.
func (e Evidence) breaks(id string) (Broken, bool) {
	i := slices.IndexFunc(e.Broken, func(b Broken) bool { return b.ID == id })
	if i < 0 {
		return Broken{}, false
	}
	return e.Broken[i], true
}

// Ids of promises that are no thresholds.
const (
	promiseEnds = "ends" // no panic, no goroutine left
	promiseSame = "same" // the same seed, the same digest
)

// Trial runs scenarios in this process, in virtual time, and looks at what they leave.
type Trial struct {
	Sender func(local.Surroundings) (local.Sender, error) // nil is the reference sender
	Plant  local.Plant
	Dir    string // where records are kept while they are looked at; "" is the system's place for temporary files
	Twice  func(*scenarios.Scenario) bool
}

// Run runs one scenario. What goes wrong in it is evidence; an error says that it could not be tried.
func (t *Trial) Run(ctx context.Context, s *scenarios.Scenario) (Evidence, error) {
	e, err := t.once(ctx, s)
	if err != nil || len(e.Broken) > 0 || t.Twice == nil || !t.Twice(s) {
		return e, err
	}
	again, err := t.once(ctx, s)
	if err == nil && again.Digest != e.Digest {
		e.Broken = append(e.Broken, Broken{promiseSame, fmt.Sprintf("two runs of one seed differ: digests %.12s and %.12s", e.Digest, again.Digest)})
	}
	return e, err
}

func (t *Trial) once(ctx context.Context, s *scenarios.Scenario) (e Evidence, err error) {
	dir, err := os.MkdirTemp(t.Dir, "aftershock-hunt-")
	if err != nil {
		return e, fmt.Errorf("hunt: %w", err)
	}
	defer os.RemoveAll(dir)
	var mu sync.Mutex
	steps := map[string]bool{}
	o := local.Options{
		Scenario: s, Dir: filepath.Join(dir, "run"), Sender: t.Sender, Plant: t.Plant, Patient: true,
		Step: func(d drafts.Step) {
			mu.Lock()
			defer mu.Unlock()
			steps[stepName(d)] = true
		},
	}
	if why, err := guarded(func() error { _, err := local.Replay(ctx, o); return err }); why != "" || err != nil {
		if ctx.Err() != nil {
			return e, ctx.Err()
		}
		if errors.Is(err, harness.ErrNoMessages) {
			e.Invalid = append(e.Invalid, "its load had no messages") // by chance: nothing was promised
			return e, nil
		}
		if why == "" {
			why = err.Error()
		}
		e.Broken = append(e.Broken, Broken{promiseEnds, why})
		return e, nil
	}
	rep, err := reports.Open(o.Dir)
	if err != nil {
		return e, fmt.Errorf("hunt: %w", err)
	}
	run, err := record.Load(o.Dir)
	if err != nil {
		return e, fmt.Errorf("hunt: %w", err)
	}
	e = judge(rep)
	e.Struck, e.Pairs = struck(run, s)
	e.Steps = slices.Sorted(maps.Keys(steps))
	return e, nil
}

// guarded says what a run panicked with: a goroutine that waits for ever when everything else has ended is a panic, too.
func guarded(run func() error) (why string, err error) {
	defer func() {
		if p := recover(); p != nil {
			why = fmt.Sprint(p)
			if strings.Contains(why, "deadlock") {
				why = "a goroutine is left that waits for ever: " + why
			} else {
				why = "the run panicked: " + why
			}
		}
	}()
	return "", run()
}

// judge reads a report.
func judge(rep *reports.Report) Evidence {
	e := Evidence{Digest: rep.Info.Digest, Offered: rep.Summary().Messages.Offered}
	for _, t := range rep.Thresholds {
		if t.Verdict == reports.Missed {
			e.Broken = append(e.Broken, Broken{t.ID, fmt.Sprintf("%s: %s is %s and has to be %s", t.Says, t.Metric, t.Observed, t.Is)})
		}
	}
	if rep.Verdict == reports.Invalid {
		e.Invalid = rep.Reasons
	}
	m := rep.Summary().Messages
	for _, end := range []struct {
		name string
		n    int
	}{
		{"delivered", m.Delivered}, {"expired", m.Expired}, {"failed", m.Failed}, {"shed", m.Shed}, {"pending", m.Pending}, {"lost", m.Lost},
	} {
		if end.n > 0 {
			e.Ends = append(e.Ends, end.name)
		}
	}
	for _, s := range signs {
		if v, ok := rep.Value(s.metric); ok && v > s.above {
			e.Signs = append(e.Signs, s.name)
		}
	}
	return e
}

// signs tell that a policy of the sender acted.
var signs = []struct {
	name, metric string
	above        float64
}{
	{"hold", "ambiguous.held", 0}, {"resolved by a status", "ambiguous.resolved", 0}, {"resolved late", "ambiguous.late", 0},
	{"given up", "ambiguous.given_up", 0}, {"sent again", "amplification.send", 1.0001}, {"created again", "amplification.create", 1.0001},
	{"validity", "drafts.expired", 0}, {"scaling", "replicas.added", 0}, {"refusal under load", "refusals.rate", 0},
	{"timeouts", "timeouts.count", 0}, {"backlog", "backlog.max", 20}, {"copies", "duplicates.copies", 0}, {"media errors", "media.errors", 0},
}

// struck reads from a run's events which troubles did something, and which of them at the same time.
func struck(run *record.Run, s *scenarios.Scenario) (names, pairs []string) {
	type stretch struct {
		name     string
		from, to time.Duration
	}
	var all []stretch
	steps := slices.Clone(s.Timeline)
	slices.SortStableFunc(steps, func(a, b scenarios.Step) int { return int(min(1, max(-1, a.At-b.At))) })
	idle := map[string]bool{}
	for _, e := range run.Events { // what the fake says in the end of each fault
		if e.Kind == "note" && e.ID != "" && strings.Contains(e.Text, " struck 0 of ") {
			idle[e.ID] = true
		}
		if e.Kind == "intervention-end" && strings.Contains(e.Text, "(missed: ") {
			idle[fmt.Sprint(e.At.Round(100*time.Millisecond))] = true // a crash that never came
		}
	}
	done := map[string]bool{}
	for _, e := range run.Events {
		if (e.Kind == "intervention" || e.Kind == "fault") && !strings.Contains(e.Text, " (missed: ") && !strings.Contains(e.Text, " (failed: ") {
			done[fmt.Sprint(e.Number)] = true
		}
	}
	for i, step := range steps {
		id, ends := fmt.Sprintf("step-%d", i+1), fmt.Sprint((step.At + step.For).Round(100*time.Millisecond))
		if !done[fmt.Sprint(i+1)] || idle[id] || step.Crash != "" && idle[ends] {
			continue
		}
		all = append(all, stretch{nameOf(step), step.At, step.At + step.For})
	}
	seen, both := map[string]bool{}, map[string]bool{}
	for i, a := range all {
		seen[a.name] = true
		for _, b := range all[:i] {
			if a.name != b.name && a.from <= b.to && b.from <= a.to {
				both[min(a.name, b.name)+" + "+max(a.name, b.name)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)), slices.Sorted(maps.Keys(both))
}
