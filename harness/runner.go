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
	"net/http"
	"slices"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/aftershock-dev/aftershock/internal/instant"
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
	Gate      Gate                  // nil: as fast as it goes
	OnGauge   func(record.Gauge)    // called with each reading
	Marks     <-chan record.Event   // notes from people who watch; read at each gauge reading
	Steps     <-chan scenarios.Step // steps that the owner orders by hand; done at each gauge reading

	mu       sync.Mutex
	invalid  []string
	warnings []string
	replicas float64 // ready at the last reading
	numbered int     // interventions so far, planned ones included
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
	at, rows, err := r.arrivals()
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
	m, err := newMint(r.Scenario.Messages, r.Scenario.Seed, r.MediaBase)
	if err != nil {
		return r.Info, err
	}
	m.rows = rows
	start := time.Now()
	onLanes(at, start, r.lanes())
	t := newTable(start, at)
	r.begin(deeds)

	side, stop := context.WithCancel(ctx)
	var others sync.WaitGroup
	others.Go(func() { r.follow(side, start, withPhases(deeds, r.phases())) })
	meter := &meter{runner: r, table: t}
	others.Go(func() { meter.run(side) })
	if r.Gate != nil {
		others.Go(func() { r.pass(side) })
	}
	r.attack(ctx, t, f, m, at)
	if ctx.Err() == nil {
		meter.drained(ctx, r.drain())
	}
	stop()
	others.Wait()
	return r.finish(ctx, meter, f, m)
}

// arrivals is the schedule, from phases or from a trace; of a trace, also what its rows say of each message.
func (r *Runner) arrivals() ([]time.Duration, []scenarios.Arrival, error) {
	if r.Scenario.Load.Arrivals != "trace" && r.Scenario.Load.Trace == "" {
		at, err := schedule(r.Scenario.Load, r.Scenario.Seed)
		if err == nil && len(at) == 0 {
			err = errors.New("the load has no messages: every phase's rate is 0")
		}
		return at, nil, err
	}
	var at []time.Duration
	var rows []scenarios.Arrival
	for row, err := range r.Scenario.Trace() {
		if err != nil {
			return nil, nil, err
		}
		if len(rows) == maxHits {
			return nil, nil, fmt.Errorf("the trace has more than %d messages", maxHits)
		}
		at, rows = append(at, row.At), append(rows, row)
	}
	if len(at) == 0 {
		return nil, nil, errors.New("the trace has no messages")
	}
	return at, rows, nil
}

func (r *Runner) lanes() instant.Lanes { return instant.Lanes{On: r.Virtual} }

func (r *Runner) form() (form, error) {
	if r.Scenario.Target != nil {
		return newTargeted(r.Scenario, r.System.URL, r.System.FakeURL)
	}
	return reference{url: r.System.URL, idem: r.Scenario.Client.IdempotencyKey}, nil
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

// attack sends the load through vegeta and returns when every hit has its last answer.
func (r *Runner) attack(ctx context.Context, t *table, f form, m *mint, at []time.Duration) {
	c := &caller{
		ctx: ctx, next: r.System.Transport, client: r.Scenario.Client, form: f, mint: m, table: t, lanes: r.lanes(),
		write: r.Writer.Attempt, stop: 5 * time.Minute,
	}
	if c.client.Timeout <= 0 {
		c.client.Timeout = 10 * time.Second
	}
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: c}), vegeta.MaxBody(0), vegeta.Workers(1), vegeta.Redirects(vegeta.NoFollow))
	target := func(t *vegeta.Target) error {
		t.Method, t.URL, t.Header = http.MethodPost, r.System.URL, http.Header{}
		return nil
	}
	p := pacer{ctx: ctx, start: t.start, at: at}
	for range attacker.Attack(target, p, 0, "") { //nolint:revive // drained to its end: the attacker waits for it
	}
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

// finish reads what is left, decides every outcome and closes the record's content.
func (r *Runner) finish(ctx context.Context, meter *meter, f form, m *mint) (record.Info, error) {
	t := meter.table
	last := context.WithoutCancel(ctx)
	readErr := meter.read(last)
	for _, a := range meter.proofs.rest() {
		r.Writer.Attempt(a)
	}
	end := time.Since(t.start)
	t.end(end, ctx.Err() != nil)
	messages, err := r.settle(last, t, f, m)
	if err = errors.Join(readErr, err); err != nil {
		r.invalidate(err.Error())
	}
	for _, msg := range messages {
		r.Writer.Message(msg)
	}
	r.Info.Virtual = end
	r.Info.Digest = record.Digest(messages)
	r.health(t)
	r.Info.State = "finished"
	if ctx.Err() != nil {
		r.Info.State = "interrupted"
	}
	r.emit(record.Event{At: end, Kind: "end", Source: "harness", Text: r.Info.State})
	return r.Info, ctx.Err()
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
		r.invalidate(fmt.Sprintf("hits started late: p99 %v is over the budget of %v", h.LatenessP99, r.Lateness))
	}
	if unsent > 0 && r.Info.State != "interrupted" {
		r.invalidate(fmt.Sprintf("%d hits could not be sent", unsent))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h.Invalid, h.Warnings = slices.Clone(r.invalid), slices.Clone(r.warnings)
}

// at returns the q quantile of sorted values by nearest rank, or 0 without values.
func at(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	i := int(q*float64(len(sorted))+0.9999999) - 1
	return sorted[max(0, min(i, len(sorted)-1))]
}
