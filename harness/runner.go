// Package harness runs one scenario against one system and writes the record.
//
// Load is open loop: a hit leaves when the schedule says so, however slowly the sender answers, and response times
// count from the scheduled instant. What became of each message is read from the fake's ledger, not from what the
// sender believes.
package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/internal/offlimits"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// Runner runs one scenario against one system. Fill the fields, call Run once.
type Runner struct {
	Scenario  *scenarios.Scenario
	System    System
	Writer    *record.Writer
	Info      record.Info           // what the caller knows: id, command, machine, …; Run fills in the rest
	MediaBase string                // where the links of media messages point, without a trailing slash
	Virtual   bool                  // the run happens in a bubble
	Every     time.Duration         // between two readings of the gauges; default 10 s
	Lateness  time.Duration         // p99 of start lateness beyond which the run is invalid; default 100 ms
	Busy      float64               // share of the machine's cores beyond which, for 10 s, the run is invalid; default 0.9
	Patient   bool                  // wait for all that was taken where nobody knows the sender's backlog
	Gate      Gate                  // nil: as fast as it goes
	Team      Team                  // nil: the Runner sends the load itself
	OnGauge   func(record.Gauge)    // called with each reading
	Marks     <-chan record.Event   // notes from people who watch; read at each gauge reading
	Steps     <-chan scenarios.Step // steps that the owner orders by hand; done at each gauge reading

	mu       sync.Mutex
	invalid  []string
	machine  []string // of those, what the machine did
	warnings []string
	replicas float64 // ready at the last reading
	numbered int     // interventions so far, planned ones included
	before   int64   // sends that the fake had accepted when the run began
	deeds    []deed  // of the timeline, phases included
}

// Gate holds the run back so that it can be watched: Pass returns when the wall has caught up with step of run time.
type Gate interface {
	Step() time.Duration
	Pass(step time.Duration)
}

// Run sends the load, follows the timeline, reads the gauges, waits for the backlog to empty and writes the record.
// It returns the finished Info; an interrupted run has its record too, and ctx's error.
func (r *Runner) Run(ctx context.Context) (record.Info, error) {
	if r.Every <= 0 {
		r.Every = 10 * time.Second
	}
	if r.Lateness <= 0 {
		r.Lateness = 100 * time.Millisecond
	}
	if r.Busy <= 0 {
		r.Busy = .9
	}
	at, rows, err := arrivals(r.Scenario)
	if err != nil {
		return r.Info, err
	}
	deeds, err := r.plan()
	if err != nil {
		return r.Info, err
	}
	f, err := r.form()
	if err != nil {
		return r.Info, err
	}
	numbers, err := r.Scenario.ReadNumbers()
	if err != nil {
		return r.Info, err
	}
	messages := r.Scenario.Messages
	if numbers != nil {
		messages.Recipients = len(numbers)
	}
	m, err := newMint(messages, r.Scenario.Seed, r.MediaBase)
	if err != nil {
		return r.Info, err
	}
	m.numbers = numbers
	m.rows = rows
	start := time.Now()
	if r.Team != nil {
		aim := Aim{r.System.URL, r.System.FakeURL, r.MediaBase, len(at), sum(at, rows)}
		if err := r.Team.Ready(ctx, aim); err != nil {
			return r.Info, fmt.Errorf("ready the agents: %w", err)
		}
		start = time.Now().Add(lead)
	}
	onLanes(at, start, r.lanes())
	t := newTable(start, at)
	t.offered = r.expectation(m)
	r.before, _ = r.accepted(ctx)
	if r.Scenario.Target != nil && r.Scenario.Target.Recognise == "text" {
		t.nameless = newNameless(func(n uint64) string { return m.make(n).to })
	}
	r.begin(deeds)

	side, stop := context.WithCancel(ctx)
	var others sync.WaitGroup
	r.deeds = withPhases(deeds, r.phases())
	others.Go(func() { r.follow(side, start, r.deeds) })
	meter := &meter{runner: r, table: t, full: crowd{most: r.Busy}}
	others.Go(func() { meter.run(side) })
	if r.Gate != nil {
		others.Go(func() { r.pass(side) })
	}
	if err := r.send(ctx, t, f, m, at); err != nil {
		r.invalidate(err.Error())
	} else if ctx.Err() == nil {
		meter.drained(ctx, r.drain())
	}
	stop()
	others.Wait()
	return r.finish(ctx, meter, f, m)
}

// lead is how long before the first instant of a run its agents are told to start.
const lead = time.Second

func (r *Runner) lanes() instant.Lanes { return instant.Lanes{On: r.Virtual} }

func (r *Runner) form() (form, error) {
	allow := offlimits.Check
	if r.Virtual { // whatever the name resolves to, the network in memory is all there is
		allow = offlimits.CheckName
	}
	return formOf(r.Scenario, r.System.URL, r.System.FakeURL, allow)
}

// drain is how long to wait for the backlog to empty after the load.
func (r *Runner) drain() time.Duration {
	if r.Scenario.Drain > 0 {
		return r.Scenario.Drain
	}
	return 10 * time.Minute
}

// phases are the stretches of load as offsets.
func (r *Runner) phases() []record.Phase {
	var out []record.Phase
	var at time.Duration
	for _, p := range r.Scenario.Load.Phases {
		out = append(out, record.Phase{Name: p.Name, From: at, To: at + p.For})
		at += p.For
	}
	if len(out) == 0 {
		out = append(out, record.Phase{Name: "trace", To: r.Scenario.Duration()})
	}
	return out
}

// withPhases adds the beginnings of phases to the deeds, so that they are events too.
func withPhases(deeds []deed, phases []record.Phase) []deed {
	out := slices.Clone(deeds)
	for _, p := range phases {
		out = append(out, deed{at: p.From, event: record.Event{Kind: "phase", Source: "plan", ID: p.Name, Text: "phase " + p.Name}})
	}
	slices.SortStableFunc(out, func(a, b deed) int { return int(min(1, max(-1, a.at-b.at))) })
	return out
}

func (r *Runner) begin(deeds []deed) {
	r.Info.Phases = r.phases()
	r.Info.Duration = r.Scenario.Duration()
	r.Info.Effective = r.System.Effective
	r.Info.Start = r.Scenario.Start
	r.Info.State = "running"
	for _, d := range deeds {
		r.Info.Plan = append(r.Info.Plan, d.event)
	}
	r.Writer.Update(r.Info)
	r.emit(record.Event{Kind: "start", Source: "harness", Text: r.Scenario.Name})
}

// send sends the load, or lets the team send it, and returns when every hit has its last answer. An error says that
// not every hit can be accounted for.
func (r *Runner) send(ctx context.Context, t *table, f form, m *mint, at []time.Duration) error {
	told := tableAccount{t, r.Writer.Attempt}
	if r.Team == nil {
		attack(ctx, at, r.System.Transport, &caller{
			client: r.Scenario.Client, form: f, mint: m, number: func(seq uint64) uint64 { return seq + 1 },
			start: t.start, told: told, lanes: r.lanes(), pace: r.theirPace(),
		})
		return nil
	}
	r.emit(record.Event{Kind: "note", Source: "harness", Text: "the load comes from " + r.Team.String()})
	err := r.Team.Send(ctx, t.start, told.hit)
	if ctx.Err() != nil {
		return nil // interrupted: what was not told of is not in the run
	}
	return err
}

// theirPace is how many times as fast someone else's sender lives: what it calls seconds is squeezed with the rest.
func (r *Runner) theirPace() float64 {
	if r.Scenario.Target == nil {
		return 1
	}
	return r.Scenario.Pace()
}

// pass keeps the run tied to the wall while someone watches.
func (r *Runner) pass(ctx context.Context) {
	for {
		step := r.Gate.Step()
		if !pause(ctx, step) {
			return
		}
		r.Gate.Pass(step)
	}
}

func (r *Runner) emit(e record.Event) { r.Writer.Event(e) }

// invalidate notes why the measurement cannot be trusted.
func (r *Runner) invalidate(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.invalid, why) {
		r.invalid = append(r.invalid, why)
	}
}

// hindered notes that the machine, and not the sender, spoilt the measurement.
func (r *Runner) hindered(why string) {
	r.invalidate(why)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.machine, why) {
		r.machine = append(r.machine, why)
	}
}

// finish reads what is left, decides every outcome and closes the record's content.
func (r *Runner) finish(ctx context.Context, meter *meter, f form, m *mint) (record.Info, error) {
	t := meter.table
	last := context.WithoutCancel(ctx)
	readErr := meter.read(last)
	end := time.Since(t.start)
	t.end(end, ctx.Err() != nil)
	taken, known := r.accepted(last)
	messages, err := r.settle(last, meter, f, m)
	r.reconcile(t, r.before, taken, known && err == nil)
	if err = errors.Join(readErr, err); err != nil {
		r.invalidate(err.Error())
	}
	meter.closeAll(t.start.Add(end))
	for _, a := range meter.proofs.rest() {
		r.Writer.Attempt(a)
	}
	for _, msg := range messages {
		r.Writer.Message(msg)
	}
	if ctx.Err() == nil {
		r.believe(t, f, messages)
	}
	r.Info.Virtual = end
	r.Info.Digest = record.Digest(messages)
	r.starved(last)
	if says := t.nameless.says(); says != "" {
		r.warn(says)
	}
	if ctx.Err() == nil {
		r.idle(last, end)
		r.idleAsChecked()
	}
	if r.System.Told != nil {
		for _, what := range r.System.Told() {
			r.warn(what)
		}
	}
	r.health(t)
	r.Info.State = "finished"
	if ctx.Err() != nil {
		r.Info.State = "interrupted"
	}
	r.emit(record.Event{At: end, Kind: "end", Source: "harness", Text: r.Info.State})
	return r.Info, ctx.Err()
}

// believe doubts a run whose sender took nothing, and one whose messages cannot be recognised. A sender that never asks the fake
// is told apart from one that loses messages.
func (r *Runner) believe(t *table, f form, messages []record.Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.strays > 0 && r.Scenario.Target != nil {
		r.invalidate(fmt.Sprintf("the API accepted %d messages that carry no marker, so that nobody knows whose copies they are: the sender has to pass {{.Text}} on, or {{.Key}} as biz_opaque_callback_data, or the scenario to say recognise: text (docs/your-sender.md)", t.strays))
	} else if t.strays > 0 {
		r.invalidate(fmt.Sprintf("the API accepted sends that nobody asked for, %d of them: the sender wrote to somebody of its own accord, or something else uses the same fake", t.strays))
	}
	fired, took, asked, why := 0, 0, t.strays > 0, ""
	for i := range t.rows {
		row := &t.rows[i]
		asked = asked || row.api > 0 || row.copies > 0
		if row.copies > 0 || row.delivered != record.Never || row.finished && f.taken(int(row.status)) {
			took++
		} else if row.fired {
			fired, why = fired+1, messages[i].Reason
		}
	}
	switch {
	case took == 0 && fired > 0 && t.strays == 0:
		r.invalidate(fmt.Sprintf("the sender took none of the %d messages: %s", fired, why))
	case took > 0 && !asked && r.Scenario.Target != nil:
		r.warn(fmt.Sprintf("the sender took %d messages and asked the fake Cloud API for none of them: is its base URL %s?", took, r.System.FakeURL))
	}
}

// health fills in how well the harness itself did.
func (r *Runner) health(t *table) {
	late := make([]time.Duration, 0, len(t.rows))
	var unsent int64
	for i := range t.rows {
		if t.rows[i].fired {
			late = append(late, t.rows[i].sent-t.rows[i].scheduled)
		} else {
			unsent++
		}
	}
	slices.Sort(late)
	h := &r.Info.Harness
	h.LatenessP50, h.LatenessP99, h.LatenessMax = at(late, .5), at(late, .99), at(late, 1)
	h.Unsent = unsent
	if h.LatenessP99 > r.Lateness {
		r.hindered(fmt.Sprintf("hits started late: p99 %v is over the budget of %v", h.LatenessP99, r.Lateness))
	}
	if unsent > 0 && r.Info.State != "interrupted" {
		r.hindered(fmt.Sprintf("hits that could not be sent: %d", unsent))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h.Invalid, h.Machine, h.Warnings = slices.Clone(r.invalid), slices.Clone(r.machine), slices.Clone(r.warnings)
}

// at returns the q quantile of sorted values by nearest rank, or 0 without values.
func at(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	i := int(q*float64(len(sorted))+0.9999999) - 1
	return sorted[max(0, min(i, len(sorted)-1))]
}
