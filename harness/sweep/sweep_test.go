package sweep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/reports/record"
)

const scenario = `schema: aftershock/scenario/v1
name: tiny
load: {phases: [{name: calm, for: 1m, rate: 60/min}]}
thresholds:
  - {id: once, metric: duplicates.copies, is: "== 0"}
`

// tiny makes a record of ten messages; a rate above 300 duplicates as many of them as it is above, in tens.
func tiny(j Job, dir string) error {
	copies := 0
	if v, ok := j.Set["rate"]; ok {
		n, err := strconv.Atoi(strings.TrimSuffix(v, "/min"))
		if err != nil {
			return err
		}
		copies = max(0, (n-300+9)/10)
	}
	info := record.Info{ID: "tiny", State: record.Running, Clock: "virtual", Scenario: record.ScenarioInfo{Name: "tiny", Seed: j.Seed}, Phases: []record.Phase{{Name: "calm", To: time.Minute}}}
	w, err := record.Create(dir, info, []byte(scenario))
	if err != nil {
		return err
	}
	for i := range 10 {
		at := time.Duration(i) * time.Second
		m := record.Message{ID: fmt.Sprintf("m%06d", i+1), Type: "text", Scheduled: at, Sent: at, Answered: at + 1, Accepted: at + 2, Delivered: at + time.Second, Copies: 1, Outcome: record.Delivered}
		if i < copies {
			m.Copies = 2
		}
		w.Message(m)
	}
	info.State, info.Virtual = record.Finished, time.Minute
	return w.Close(info)
}

func tinySweep(t *testing.T, dir string) (*Sweep, *atomic.Int64) {
	t.Helper()
	var made atomic.Int64
	rates, err := Vary("rate=200/min,300/min,400/min")
	if err != nil {
		t.Fatal(err)
	}
	return &Sweep{Scenario: "tiny", SHA256: "x", Tool: "t", Dir: dir, Seeds: []int64{1, 2}, Jobs: 3, Axes: append([]Axis{rates}, Switches([]string{"fix"})...),
		Replay: func(_ context.Context, j Job, dir string) error { made.Add(1); return tiny(j, dir) }}, &made
}

func TestSweepMakesEveryRunOnce(t *testing.T) {
	dir := t.TempDir()
	s, made := tinySweep(t, dir)
	var states []State
	s.Progress = func(st State) { states = append(states, st) }
	rec, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if made.Load() != 12 || len(rec.Points) != 6 {
		t.Errorf("%d runs, %d points", made.Load(), len(rec.Points))
	}
	for _, p := range rec.Points {
		if len(p.Runs) != 2 || p.Runs[0].Seed != 1 || p.Runs[1].Seed != 2 {
			t.Errorf("point %v has runs %+v", p.Levels, p.Runs)
		}
		want := 0.0
		if p.Levels[0] == 2 {
			want = 10
		}
		if got := p.Runs[0].Metrics["duplicates.copies"]; got != want {
			t.Errorf("point %v: %v copies, want %v", p.Levels, got, want)
		}
	}
	if last := states[len(states)-1]; last.Done != 12 || last.Running != 0 || last.Left != 0 {
		t.Errorf("last state %+v", last)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "runs", "*")); err != nil || len(left) > 0 {
		t.Errorf("records were kept: %v, %v", left, err)
	}
}

func TestSweepGoesOnWhereItStopped(t *testing.T) {
	dir := t.TempDir()
	whole, _ := tinySweep(t, t.TempDir())
	want, err := whole.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, made := tinySweep(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	s.Progress = func(st State) {
		if st.Done == 5 {
			cancel()
		}
	}
	if _, err := s.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	if n := made.Load(); n < 5 || n > 8 {
		t.Errorf("%d runs before the interruption", n)
	}
	// A line that was cut off when the program was killed.
	path := filepath.Join(dir, fileRuns)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(b, `{"key":"rate=2`...), 0o644); err != nil {
		t.Fatal(err)
	}
	s.Progress = nil
	got, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(withoutWall(got), withoutWall(want)) {
		t.Errorf("an interrupted sweep came to\n%+v\na whole one to\n%+v", got, want)
	}
	before := made.Load()
	if _, err := s.Run(t.Context()); err != nil || made.Load() != before {
		t.Errorf("a finished sweep ran again: %v, %d runs more", err, made.Load()-before)
	}
}

func withoutWall(r reports.SweepRecord) reports.SweepRecord {
	for _, p := range r.Points {
		for i := range p.Runs {
			p.Runs[i].WallS = 0
		}
	}
	return r
}

func TestSweepRefusesAFolderOfAnother(t *testing.T) {
	dir := t.TempDir()
	s, _ := tinySweep(t, dir)
	if _, err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Sweep){"another scenario": func(s *Sweep) { s.SHA256 = "y" }, "another version": func(s *Sweep) { s.Tool = "u" }} {
		o := *s
		change(&o)
		if _, err := o.Run(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSweepEndsWithTheFirstError(t *testing.T) {
	s, _ := tinySweep(t, t.TempDir())
	boom := errors.New("boom")
	s.Replay = func(_ context.Context, j Job, dir string) error {
		if j.Point == 3 {
			return boom
		}
		return tiny(j, dir)
	}
	if _, err := s.Run(t.Context()); !errors.Is(err, boom) || !strings.Contains(err.Error(), "rate=300/min") {
		t.Errorf("got %v", err)
	}
}

func TestVary(t *testing.T) {
	a, err := Vary("a.b+c.d=lognormal(p50=1s, p99=2s),5s")
	if err != nil || len(a.Levels) != 2 || a.Levels[0].Set["a.b"] != "lognormal(p50=1s, p99=2s)" || a.Levels[1].Set["c.d"] != "5s" {
		t.Errorf("%+v, %v", a, err)
	}
	for _, bad := range []string{"", "key", "key=", "=1", "key=1,,2", "key=1,1"} {
		if a, err := Vary(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, a)
		}
	}
}

func TestFindBisects(t *testing.T) {
	s, _ := tinySweep(t, t.TempDir())
	var mu sync.Mutex
	met := func(r reports.SweepRun) bool { mu.Lock(); defer mu.Unlock(); return r.Verdict == reports.Met }
	f := &Find{Sweep: s, Keys: "rate", Low: "100/min", High: "800/min", Holds: met, Exact: 0.001}
	got, err := f.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Holds != "300/min" || got.Fails != "301/min" || !got.Upwards {
		t.Errorf("found %+v, want the edge between 300 and 301", got)
	}
	f.Holds = func(r reports.SweepRun) bool { return r.Metrics["duplicates.copies"] > 0 }
	if got, err = f.Run(t.Context()); err != nil || got.Holds != "301/min" || got.Upwards {
		t.Errorf("the other way round: %+v, %v", got, err)
	}
	f.Low = "400/min"
	if got, err = f.Run(t.Context()); err != nil || got.Fails != "" || got.Holds != "800/min" {
		t.Errorf("where it holds everywhere: %+v, %v", got, err)
	}
	for _, ends := range [][2]string{{"8/min", "9/s"}, {"9/min", "8/min"}, {"few", "9"}} {
		f.Low, f.High = ends[0], ends[1]
		if _, err := f.Run(t.Context()); err == nil {
			t.Errorf("%v was taken", ends)
		}
	}
}
