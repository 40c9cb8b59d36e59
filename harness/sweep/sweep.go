package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/reports"
)

// Sweep is many runs of one scenario under different settings.
type Sweep struct {
	Scenario string  // its name
	SHA256   string  // of the scenario without the settings varied
	Tool     string  // version of the program
	Dir      string  // where results are kept
	Axes     []Axis  // none is one point
	Seeds    []int64 // each point runs on each of them
	Jobs     int     // runs side by side
	Keep     bool    // keep the record and the documents of every run, below Dir/runs

	// Replay makes the record of one run in a folder that does not exist yet.
	Replay func(ctx context.Context, j Job, dir string) error
	// Progress is told whenever a run begins or ends; may be nil. It is called by one goroutine at a time.
	Progress func(State)
}

// State is how far a sweep has come.
type State struct {
	Done, Total int
	Reused      int // of Done, from an earlier start
	Running     int
	Elapsed     time.Duration
	Left        time.Duration // an estimate; 0 until a run has ended
	Last        *Job          // the run that has just ended
	Run         reports.SweepRun
}

// Run makes every run that is not there yet and returns the whole. When ctx ends it returns what there is with ctx's
// error; the runs that had ended are kept, and the next Run goes on from there.
func (s *Sweep) Run(ctx context.Context) (reports.SweepRecord, error) {
	st, err := open(s.Dir, s.plan())
	if err != nil {
		return reports.SweepRecord{}, err
	}
	all := jobs(s.Axes, s.Seeds)
	runErr := s.work(ctx, st, all)
	if err := st.close(); runErr == nil {
		runErr = err
	}
	return s.record(st, all), runErr
}

func (s *Sweep) plan() plan {
	return plan{Schema: schemaPlan, Scenario: s.Scenario, SHA256: s.SHA256, Tool: s.Tool, Seeds: s.Seeds, Axes: axesOf(s.Axes)}
}

// work makes the missing runs, Jobs of them side by side. The first error ends it.
func (s *Sweep) work(ctx context.Context, st *store, all []Job) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var todo []Job
	for _, j := range all {
		if _, ok := st.get(j.Key()); !ok {
			todo = append(todo, j)
		}
	}
	workers := min(max(1, s.Jobs), max(1, len(todo)))
	t := &tracker{began: time.Now(), workers: workers, state: State{Total: len(all), Done: len(all) - len(todo), Reused: len(all) - len(todo)}, tell: s.Progress}
	t.start(0)
	queue := make(chan Job)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for j := range queue {
				began := time.Now()
				t.start(1)
				run, err := s.one(ctx, j)
				if err == nil {
					err = st.put(j.Key(), run)
				}
				if err != nil {
					t.start(-1)
					cancel(fmt.Errorf("%s: %w", j.Key(), err))
					return
				}
				t.end(j, run, time.Since(began))
			}
		})
	}
	for _, j := range todo {
		select {
		case queue <- j:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	running.Wait()
	return context.Cause(ctx)
}

// one makes one run and keeps of it what a sweep needs.
func (s *Sweep) one(ctx context.Context, j Job) (reports.SweepRun, error) {
	if err := ctx.Err(); err != nil {
		return reports.SweepRun{}, err
	}
	dir := filepath.Join(s.Dir, "runs", folder(j))
	if err := os.RemoveAll(dir); err != nil { // what an interrupted sweep left
		return reports.SweepRun{}, err
	}
	if err := s.Replay(ctx, j, dir); err != nil {
		return reports.SweepRun{}, err
	}
	r, err := reports.Open(dir)
	if err != nil {
		return reports.SweepRun{}, err
	}
	if s.Keep {
		if err := r.Write(dir); err != nil {
			return reports.SweepRun{}, err
		}
	} else if err := os.RemoveAll(dir); err != nil {
		return reports.SweepRun{}, err
	}
	return reports.RunOf(r), nil
}

// folder names a run's folder after its point and its seed.
func folder(j Job) string { return fmt.Sprintf("p%03d-s%d", j.Point+1, j.Seed) }

// record puts results and plan together.
func (s *Sweep) record(st *store, all []Job) reports.SweepRecord {
	rec := reports.SweepRecord{Scenario: s.Scenario, Axes: axesOf(s.Axes), Seeds: s.Seeds}
	for _, p := range points(s.Axes) {
		rec.Points = append(rec.Points, reports.SweepPoint{Levels: p})
	}
	for _, j := range all {
		if r, ok := st.get(j.Key()); ok {
			rec.Points[j.Point].Runs = append(rec.Points[j.Point].Runs, r)
		}
	}
	return rec
}

// tracker counts runs and estimates the time left.
type tracker struct {
	mu      sync.Mutex
	began   time.Time
	workers int
	spent   time.Duration // by the runs that have ended, together
	state   State
	tell    func(State)
}

func (t *tracker) start(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state.Running += n
	t.report(nil, reports.SweepRun{})
}

func (t *tracker) end(j Job, run reports.SweepRun, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spent += took
	t.state.Running--
	t.state.Done++
	t.report(&j, run)
}

// report tells the state; the caller holds mu, which keeps calls apart.
func (t *tracker) report(j *Job, run reports.SweepRun) {
	s := &t.state
	s.Elapsed, s.Last, s.Run = time.Since(t.began), j, run
	if made := s.Done - s.Reused; made > 0 {
		left := float64(s.Total-s.Done) - float64(s.Running)/2 // those that run are half done, for all we know
		s.Left = time.Duration(float64(t.spent) / float64(made) * left / float64(t.workers))
	}
	if t.tell != nil {
		t.tell(*s)
	}
}

// AllJobs lists every run of the sweep, whether it has been made or not.
func (s *Sweep) AllJobs() []Job { return jobs(s.Axes, s.Seeds) }

// PlanSHA256 identifies what the sweep asks for, with whatever else its caller asks for.
func (s *Sweep) PlanSHA256(more string) string {
	b, err := json.Marshal(s.plan())
	if err != nil { // a plan always encodes
		return ""
	}
	sum := sha256.Sum256(append(b, more...))
	return hex.EncodeToString(sum[:])
}
