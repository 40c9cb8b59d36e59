package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/harness/virtual"
	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut/fleet"
)

// stage is an engine whose parts are handlers of an in-memory network.
type stage struct {
	network *virtual.Network
	took    time.Duration // to start
	mu      sync.Mutex
	fails   int // how many more starts fail
	units   map[string]*actor
}

func newStage() *stage {
	return &stage{network: virtual.NewNetwork(), took: 100 * time.Millisecond, units: map[string]*actor{}}
}

func (s *stage) Name() string { return "stage" }
func (s *stage) Close() error { s.network.Wait(); return nil }

func (s *stage) Place(Part) (map[string]string, error) { return nil, nil }

func (s *stage) Add(_ context.Context, p Part) (Unit, error) {
	return &actor{stage: s, name: p.Name}, nil
}

// actor is a unit on the stage.
type actor struct {
	stage  *stage
	name   string
	mu     sync.Mutex
	up     bool
	why    string
	frozen chan struct{}
	starts int
}

func (a *actor) Name() string         { return a.name }
func (a *actor) host() string         { return strings.ReplaceAll(a.name, "/", "-") }
func (a *actor) URL(string) string    { return "http://" + a.host() }
func (a *actor) Inside(string) string { return "http://" + a.host() }

func (a *actor) Alive() (bool, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.up, a.why
}

func (a *actor) Start(ctx context.Context) error {
	if !wait(ctx, a.stage.took) {
		return ctx.Err()
	}
	a.stage.mu.Lock()
	defer a.stage.mu.Unlock()
	if a.stage.fails > 0 {
		a.stage.fails--
		return errors.New("the stage is closed")
	}
	a.stage.units[a.name] = a
	a.mu.Lock()
	defer a.mu.Unlock()
	a.up, a.why = true, ""
	a.starts++
	a.stage.network.Handle(a.host(), http.HandlerFunc(a.serve))
	return nil
}

func (a *actor) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	frozen := a.frozen
	a.mu.Unlock()
	if frozen != nil {
		select {
		case <-frozen:
		case <-r.Context().Done():
		}
	}
	_, _ = io.WriteString(w, a.name)
}

func (a *actor) end(why string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.up, a.why = false, why
	a.stage.network.Handle(a.host(), nil)
}

func (a *actor) Kill(context.Context) error { a.end(""); return nil }
func (a *actor) Stop(context.Context) error { a.end(""); return nil }
func (a *actor) Pause(context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.frozen = make(chan struct{})
	return nil
}

func (a *actor) Resume(context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.frozen)
	a.frozen = nil
	return nil
}
func (a *actor) Cut(context.Context) error            { return nil }
func (a *actor) Heal(context.Context) error           { return nil }
func (a *actor) Usage(context.Context) (Usage, error) { return Usage{}, nil }

// rehearsal is a pool on a stage, in virtual time.
type rehearsal struct {
	*pool
	stage *stage
	mu    sync.Mutex
	rule  fleet.Settings
	busy  float64 // cores in use
	since time.Time
	used  time.Duration
	line  []string // in rotation
}

func rehearse(t *testing.T, busy float64, play func(r *rehearsal)) {
	synctest.Test(t, func(t *testing.T) {
		start, err := quantity.ParseDist("10s")
		if err != nil {
			t.Fatal(err)
		}
		r := &rehearsal{stage: newStage(), busy: busy, since: time.Now()}
		r.rule.Replicas = fleet.Replicas{Min: 2, Max: 5, Cores: 1, Start: start, Probe: 5 * time.Second}
		r.rule.Scaling = fleet.Scaling{
			Signal: "cpu", Interval: 15 * time.Second, Target: .5, Tolerance: .1, DownWindow: time.Minute,
		}
		r.pool = &pool{
			name: "whatsapp", engine: r.stage, client: &http.Client{Transport: r.stage.network}, draws: chance.New(1).For("start"),
			part: func(slot int) Part {
				return Part{Name: fmt.Sprintf("whatsapp/%d", slot), Doors: []string{"http"}, Ready: "/readyz"}
			},
			rotate: func(_ context.Context, urls []string) error {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.line = slices.Clone(urls)
				return nil
			},
			version: func() int64 { return 0 }, greet: func(context.Context, Unit) error { return nil },
			settings: func() fleet.Settings { r.mu.Lock(); defer r.mu.Unlock(); return r.rule },
			load:     r.measure,
		}
		ctx, cancel := context.WithCancel(t.Context())
		if err := r.begin(ctx); err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		running.Go(func() { r.run(ctx) })
		play(r)
		cancel()
		running.Wait()
		if err := r.stage.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (r *rehearsal) measure(context.Context, []Unit) (load, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.used += time.Duration(r.busy * float64(now.Sub(r.since)))
	r.since = now
	return load{used: r.used}, nil
}

func (r *rehearsal) keep(busy float64) {
	_, _ = r.measure(context.Background(), nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy = busy
}

// expect demands that exactly these copies are in rotation, after a while.
func (r *rehearsal) expect(t *testing.T, after time.Duration, slots ...int) {
	t.Helper()
	time.Sleep(after)
	var want []string
	for _, s := range slots {
		want = append(want, fmt.Sprintf("http://whatsapp-%d", s))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.line, want) {
		t.Errorf("in rotation: %v, want %v", r.line, want)
	}
}

func TestPoolScalesByTheRule(t *testing.T) {
	rehearse(t, 2, func(r *rehearsal) { // both cores busy at a target of half: four are needed
		r.expect(t, 0, 1, 2)
		r.expect(t, 29*time.Second, 1, 2)                // the second reading, at 30 s, knows the load
		r.expect(t, 12*time.Second, 1, 2, 3, 4)          // and starting takes 10 s
		r.keep(8)                                        // more than the ceiling allows
		r.expect(t, time.Minute, 1, 2, 3, 4, 5)          //
		if _, _, wanted := r.inRotation(); wanted < 10 { // what the rule asks for is told all the same
			t.Errorf("wanted %d", wanted)
		}
		r.keep(.2)
		r.expect(t, 50*time.Second, 1, 2, 3, 4, 5) // the window for going down
		r.expect(t, time.Minute, 1, 2)
		if _, ok := r.stage.units["whatsapp/5"]; !ok || r.stage.units["whatsapp/5"].up {
			t.Error("the fifth copy still runs")
		}
	})
}

func TestPoolReplacesAndAvoids(t *testing.T) {
	rehearse(t, 1, func(r *rehearsal) {
		if err := r.act(t.Context(), scenarios.Action{Verb: "kill"}, 2); err != nil {
			t.Error(err)
		}
		r.expect(t, time.Second, 1)
		r.expect(t, 10*time.Second, 1, 2)
		if n := r.stage.units["whatsapp/2"].starts; n != 2 {
			t.Errorf("the killed copy was started %d times", n)
		}
		if err := r.act(t.Context(), scenarios.Action{Verb: "pause"}, 1); err != nil {
			t.Error(err)
		}
		r.expect(t, time.Second, 1, 2) // nobody has noticed yet
		r.expect(t, 10*time.Second, 2)
		if err := r.act(t.Context(), scenarios.Action{Verb: "resume"}, 1); err != nil {
			t.Error(err)
		}
		r.expect(t, 10*time.Second, 1, 2)
		if err := r.act(t.Context(), scenarios.Action{Verb: "restart"}, 0); err != nil {
			t.Error(err)
		}
		r.expect(t, time.Second)
		r.expect(t, 11*time.Second, 1, 2)
		if err := r.act(t.Context(), scenarios.Action{Verb: "kill", Target: "whatsapp/7"}, 7); err == nil || !strings.Contains(err.Error(), "whatsapp/7") {
			t.Errorf("killing what is not there: %v", err)
		}
		for _, verb := range []string{"start", "resume", "heal"} { // the end of a kill, a pause or a partition of a copy that scaling has removed
			if err := r.act(t.Context(), scenarios.Action{Verb: verb, Target: "whatsapp/7"}, 7); err != nil {
				t.Errorf("%s what is not there any more: %v", verb, err)
			}
		}
	})
}

// A copy may end between two looks at it: whoever fills its place finds it empty.
func TestPoolReplacesACopyInItsSlot(t *testing.T) {
	rehearse(t, 1, func(r *rehearsal) {
		r.pool.mu.Lock()
		r.members[1].state = gone
		r.pool.mu.Unlock()
		r.resize(context.Background())
		r.expect(t, 15*time.Second, 1, 2)
	})
}

// Compressed time asks for probes that a busy machine cannot keep up with: the wall's second is the least.
func TestPoolIsPatientWhenTimeIsCompressed(t *testing.T) {
	rehearse(t, 1, func(r *rehearsal) {
		r.mu.Lock()
		r.rule.Replicas.Probe = 50 * time.Millisecond
		r.mu.Unlock()
		if err := r.act(t.Context(), scenarios.Action{Verb: "pause"}, 1); err != nil {
			t.Error(err)
		}
		r.expect(t, 900*time.Millisecond, 1, 2)
		r.expect(t, time.Second, 2)
	})
}

func TestPoolTellsOfCopiesThatEndByThemselves(t *testing.T) {
	rehearse(t, 1, func(r *rehearsal) {
		r.stage.units["whatsapp/1"].end("out of memory")
		r.stage.mu.Lock()
		r.stage.fails = tolerated + 1
		r.stage.mu.Unlock()
		r.expect(t, 5*time.Second, 2)
		r.expect(t, 50*time.Second, 1, 2)
		r.pool.mu.Lock()
		defer r.pool.mu.Unlock()
		all := errors.Join(r.errs...)
		if len(r.errs) != 3 || !strings.Contains(all.Error(), "out of memory") || !strings.Contains(all.Error(), "stage is closed") {
			t.Errorf("what was noted: %v", all)
		}
	})
}
