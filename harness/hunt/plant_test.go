package hunt_test

import (
	"context"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness/hunt"
	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut/drafts"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// TestPlantedFaultsAreFound plants a fault of each kind in what the sender is built on. The hunt finds it within 500 seeds and
// shrinks it to at most five steps; the scenario that it writes shows it again, with the same digest, until the fault is gone.
func TestPlantedFaultsAreFound(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, p := range []struct {
		name  string
		plant local.Plant
		want  []string // any of these promises
	}{
		{"lost acknowledgement", local.Plant{Queue: func(q queue.Queue) queue.Queue { return &forgetful{Queue: q} }}, []string{"acknowledged", "drained"}},
		{"double send after a crash", local.Plant{Disk: func(d drafts.Disk) drafts.Disk { return amnesiac{d} }}, []string{"patient", "proven"}},
		{"goroutine left behind", local.Plant{Transport: func(rt http.RoundTripper) http.RoundTripper { return leaky{rt} }}, []string{"ends"}},
		{"starvation", local.Plant{Queue: func(q queue.Queue) queue.Queue { return starving{q} }}, []string{"drained", "let-go"}},
	} {
		t.Run(p.name, func(t *testing.T) {
			trial := &hunt.Trial{Plant: p.plant, Dir: t.TempDir()}
			tried := 0
			h := &hunt.Hunt{Base: reference(t), Ours: true, Try: trial.Run, Budget: 80, Tried: func(int64, hunt.Evidence) { tried++ }}
			found, err := h.Run(context.Background(), hunt.Range(1, 500))
			if err != nil {
				t.Fatal(err)
			}
			if len(found) == 0 {
				t.Fatalf("not found within %d seeds", tried)
			}
			f := found[0]
			t.Logf("seed %d of %d tried, %d of %d steps: %s", f.Seed, tried, f.Steps, f.Drawn, f.Broken.Says)
			if !slices.Contains(p.want, f.Broken.ID) {
				t.Errorf("promise %q is broken, want one of %v", f.Broken.ID, p.want)
			}
			if f.Steps > 5 {
				t.Errorf("%d steps are left", f.Steps)
			}
			again, err := scenarios.Read("found.yaml", f.Scenario.YAML(), scenarios.Options{Blocks: local.Blocks()})
			if err != nil {
				t.Fatal(err)
			}
			e, err := trial.Run(context.Background(), again)
			if err != nil {
				t.Fatal(err)
			}
			if !raced && e.Digest != f.Evidence.Digest || len(e.Broken) == 0 || e.Broken[0].ID != f.Broken.ID {
				t.Errorf("the scenario that was written shows %+v with digest %.12s, not %q with %.12s", e.Broken, e.Digest, f.Broken.ID, f.Evidence.Digest)
			}
			e, err = (&hunt.Trial{Dir: t.TempDir()}).Run(context.Background(), again)
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Broken) > 0 {
				t.Errorf("without the fault it still shows %+v", e.Broken)
			}
		})
	}
}

// forgetful takes items that it does not keep.
type forgetful struct {
	queue.Queue
	n atomic.Int64
}

func (q *forgetful) Put(ctx context.Context, it queue.Item) error {
	if q.n.Add(1)%40 == 0 {
		return nil
	}
	return q.Queue.Put(ctx, it)
}

// amnesiac keeps no line that tells of an attempt that begins.
type amnesiac struct{ drafts.Disk }

func (d amnesiac) Append(name string) (drafts.File, error) {
	f, err := d.Disk.Append(name)
	return amnesiacFile{f}, err
}

type amnesiacFile struct{ drafts.File }

func (f amnesiacFile) Write(b []byte) (int, error) {
	kept := strings.Builder{}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "B ") {
			line = "#" + strings.Repeat(" ", len(line)-2) + "\n"
		}
		kept.WriteString(line)
	}
	return f.File.Write([]byte(kept.String()))
}

// leaky leaves a goroutine behind for every call that fails.
type leaky struct{ http.RoundTripper }

func (l leaky) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		never := make(chan struct{})
		go func() { <-never }()
	}
	return resp, err
}

// starving gives what is to wait for a minute or more back after a month.
type starving struct{ queue.Queue }

func (q starving) Take(ctx context.Context, lane string) (queue.Claim, error) {
	c, err := q.Queue.Take(ctx, lane)
	if c == nil {
		return nil, err
	}
	return starvingClaim{c}, err
}

type starvingClaim struct{ queue.Claim }

func (c starvingClaim) Retry(ctx context.Context, after time.Duration, body []byte) error {
	if after >= time.Minute {
		after = 30 * 24 * time.Hour
	}
	return c.Claim.Retry(ctx, after, body)
}

// TestFoundOnce replays the schedules that broke a promise once.
func TestFoundOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	files, err := filepath.Glob("testdata/found/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		s, err := scenarios.Open(file, scenarios.Options{Blocks: local.Blocks()})
		if err != nil {
			t.Error(err)
			continue
		}
		e, err := (&hunt.Trial{Dir: t.TempDir()}).Run(context.Background(), s)
		if err != nil || len(e.Broken) > 0 || len(e.Invalid) > 0 {
			t.Errorf("%s: %+v, %v", file, e, err)
		}
	}
}
