package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/remote"
	"github.com/aftershock-dev/aftershock/harness/virtual"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut/drafts"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// Options say how a scenario is replayed.
type Options struct {
	Scenario    *scenarios.Scenario
	Dir         string      // the run's folder, created
	Info        record.Info // identity: id, scenario, command, machine, tool
	Clock       string      // virtual (default) | wall
	Compress    float64     // wall: durations divided, rates multiplied
	Speed       float64     // virtual: seconds of the run a wall second; 0 is as fast as it goes
	Queue       string      // memory (default) | jetstream
	NATS        string      // URL of an outside cluster
	Environment string      // embedded (default); processes, containers, external: with Elsewhere

	// Sender makes a sender of one's own, in virtual time, in place of the reference sender; it is called inside the bubble.
	Sender func(Surroundings) (Sender, error)

	Step    func(drafts.Step) // told of every step of a draft of the reference sender in this process; must not block
	Patient bool              // a sender whose backlog nobody knows is waited for until all that it took is accepted
	Plant   Plant             // wraps what the reference sender is built on: tests plant faults with it

	// Elsewhere builds a system that runs outside this process; nil builds one in it. Time is the wall's then.
	Elsewhere func(ctx context.Context) (*remote.System, error)
	Team      harness.Team // sends the load, on the wall's clock; nil: this process does
	Every     time.Duration
	OnGauge   func(record.Gauge) // a copy of each reading; must not block
	Started   func(*Live) error  // called when the record exists and before the load starts
}

// Plant wraps what the reference sender is built on; nil wraps nothing.
type Plant struct {
	Queue     func(queue.Queue) queue.Queue
	Disk      func(drafts.Disk) drafts.Disk
	Transport func(http.RoundTripper) http.RoundTripper
}

// Replay runs the scenario and returns the finished Info; the record is in Dir whatever happened. An interrupted run
// returns ctx's error and has its record too.
func Replay(ctx context.Context, o Options) (record.Info, error) {
	o.defaults()
	if o.Elsewhere == nil && o.Environment != "embedded" {
		return o.Info, fmt.Errorf("environment %s: only Elsewhere reaches a sender outside this process, and it is missing", o.Environment)
	}
	w, err := record.Create(o.Dir, o.Info, o.Scenario.YAML())
	if err != nil {
		return o.Info, err
	}
	live := newLive(w)
	if o.Started != nil {
		if err := o.Started(live); err != nil {
			return o.Info, errors.Join(err, w.Close(o.Info))
		}
	}
	began := time.Now()
	var info record.Info
	var runErr error
	if o.Clock == "virtual" {
		info, runErr = replayVirtual(ctx, o, w, live)
	} else {
		info, runErr = replayWall(ctx, o, w, live)
	}
	info.Wall = time.Since(began)
	if info.State == "" || info.State == "running" {
		info.State = "failed"
	}
	switch {
	case w.Err() != nil: // which ended the run
		info.State, info.Error, runErr = record.Broken, w.Err().Error(), nil
	case errors.Is(runErr, context.Canceled):
		info.State = "interrupted"
	case runErr != nil:
		info.State, info.Error = "failed", runErr.Error()
	}
	if err := w.Close(info); err != nil {
		return info, errors.Join(runErr, err)
	}
	return info, runErr
}

func (o *Options) defaults() {
	if o.Clock == "" {
		o.Clock = "virtual"
	}
	if o.Queue == "" {
		o.Queue = "memory"
	}
	if o.Environment == "" {
		o.Environment = "embedded"
	}
	if o.Compress < 1 {
		o.Compress = 1
	}
	i := &o.Info
	if i.Scenario.Name == "" { // whoever knows more fills it in
		s := o.Scenario
		i.Scenario = record.ScenarioInfo{Name: s.Name, Title: s.Title, Purpose: s.Purpose, SHA256: s.SHA256(), Seed: s.Seed, Preset: s.Preset(),
			Variants: []string{}, Overrides: map[string]string{}}
	}
	if i.ID == "" {
		i.ID = filepath.Base(o.Dir)
	}
	i.Clock, i.Environment, i.Queue, i.Compress = o.Clock, o.Environment, o.Queue, o.Compress
	if i.Machine == "" {
		i.Machine = record.Machine()
	}
}

// patience is how long, on the wall's clock, a sender of one's own may hold virtual time up.
const patience = 5 * time.Second

// replayVirtual runs everything in a bubble. Only non-blocking looks at ctx are taken in there: waiting for a channel
// that was made outside would stop the clock.
func replayVirtual(ctx context.Context, o Options, w *record.Writer, live *Live) (_ record.Info, err error) {
	if o.Queue == "jetstream" || o.Sender != nil { // whose queue may be NATS, too
		queue.Prepare()
	}
	gate := virtual.NewThrottle(o.Speed)
	live.gate.Store(gate)
	released := context.AfterFunc(ctx, gate.Release)
	defer released()
	defer gate.Close()
	var beat atomic.Int64
	result := make(chan func() (record.Info, error), 1)
	run := func() {
		inner, cancel := context.WithCancel(context.Background())
		defer cancel()
		watch := func() {
			beat.Add(1)
			if ctx.Err() != nil || live.aborted.Load() || w.Err() != nil {
				cancel()
			}
		}
		info, err := replay(inner, o, w, live, gate, watch)
		result <- func() (record.Info, error) { return info, err }
	}
	if o.Sender == nil {
		virtual.Run(o.Scenario.Start, run)
	} else {
		err = virtual.Watched(o.Scenario.Start, patience, &beat, run)
	}
	select {
	case r := <-result:
		info, runErr := r()
		return info, errors.Join(runErr, err)
	default: // what was not ours stands still
		live.aborted.Store(true) // should it ever go on
		return o.Info, err
	}
}

// replayWall runs the same over loopback sockets, in real time.
func replayWall(ctx context.Context, o Options, w *record.Writer, live *Live) (record.Info, error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := func() {
		if live.aborted.Load() || w.Err() != nil {
			cancel()
		}
	}
	return replay(inner, o, w, live, nil, watch)
}

// replay builds the system, runs the scenario against it and takes the system down again.
func replay(ctx context.Context, o Options, w *record.Writer, live *Live, gate harness.Gate, watch func()) (record.Info, error) {
	sys, err := build(ctx, o)
	if err != nil {
		return o.Info, err
	}
	r := &harness.Runner{
		Scenario: sys.scenario, System: sys.System, Writer: w, Info: o.Info, MediaBase: sys.mediaBase,
		Team: o.Team, Virtual: o.Clock == "virtual", Every: sys.every, Patient: o.Patient, Marks: live.marks, Steps: live.steps,
		OnGauge: func(g record.Gauge) {
			watch()
			if o.OnGauge != nil {
				o.OnGauge(g)
			}
		},
	}
	if gate != nil {
		r.Gate = gate
	}
	info, err := r.Run(ctx)
	return info, errors.Join(err, sys.close())
}

// built is a system with what a Runner needs to know besides.
type built struct {
	harness.System
	scenario  *scenarios.Scenario
	mediaBase string
	every     time.Duration
	close     func() error
}

func build(ctx context.Context, o Options) (built, error) {
	if o.Elsewhere != nil {
		s, err := o.Elsewhere(ctx)
		if err != nil {
			return built{}, err
		}
		return built{s.System, s.Scenario, s.MediaBase, s.Every, s.Close}, nil
	}
	s, err := Build(ctx, o)
	if err != nil {
		return built{}, err
	}
	return built{s.System, s.scenario, s.mediaBase, s.every, s.Close}, nil
}
