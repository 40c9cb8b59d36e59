package queue_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		os.Exit(crashChild(dir))
	}
	queue.Prepare()
	os.Exit(m.Run())
}

// engine is one way to get a queue.
type engine struct {
	name string
	open func(t *testing.T, cfg queue.Config) queue.Queue
}

func engines() []engine {
	return []engine{
		{"memory", func(_ *testing.T, cfg queue.Config) queue.Queue { return queue.NewMemory(cfg) }},
		{"jetstream", func(t *testing.T, cfg queue.Config) queue.Queue {
			return openStreamed(t, cfg, queue.JetStream{Storage: queue.StorageMemory})
		}},
		{"jetstream-file", func(t *testing.T, cfg queue.Config) queue.Queue {
			return openStreamed(t, cfg, queue.JetStream{Dir: t.TempDir(), Unsynced: cfg.Lanes.On})
		}},
	}
}

func openStreamed(t testing.TB, cfg queue.Config, js queue.JetStream) *queue.Streamed {
	t.Helper()
	q, err := queue.OpenJetStream(t.Context(), cfg, js)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// bench is a queue under test.
type bench struct {
	*testing.T
	queue.Queue
	start time.Time
}

// virtually runs a test in a bubble, with lanes of instants, and the memory engine without them too.
func virtually(t *testing.T, e engine, cfg queue.Config, run func(b bench)) {
	t.Helper()
	if e.name == "memory" {
		synctest.Test(t, func(t *testing.T) { really(t, e, cfg, run) })
	}
	cfg.Lanes = instant.Lanes{On: true}
	synctest.Test(t, func(t *testing.T) { really(t, e, cfg, run) })
}

// really runs a test on the clock there is.
func really(t *testing.T, e engine, cfg queue.Config, run func(b bench)) {
	t.Helper()
	q := e.open(t, cfg)
	defer func() {
		if err := q.Close(context.Background()); err != nil && !errors.Is(err, queue.ErrClosed) {
			t.Errorf("close: %v", err)
		}
	}()
	run(bench{t, q, time.Now()})
}

func (b bench) put(id string) { b.putItem(queue.Item{ID: id}) }

func (b bench) putItem(it queue.Item) {
	b.Helper()
	if err := b.Put(b.Context(), it); err != nil {
		b.Fatalf("put %s: %v", it.ID, err)
	}
}

func (b bench) refuses(want error, it queue.Item) {
	b.Helper()
	if err := b.Put(b.Context(), it); !errors.Is(err, want) {
		b.Fatalf("put %s: %v, want %v", it.ID, err, want)
	}
}

// take takes the next item of the lane "" and checks which it is.
func (b bench) take(id string) queue.Claim {
	b.Helper()
	return b.takeFrom("", id)
}

func (b bench) takeFrom(lane, id string) queue.Claim {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 24*time.Hour)
	defer cancel()
	c, err := b.Take(ctx, lane)
	if err != nil {
		b.Fatalf("take %s: %v", id, err)
	}
	if got := c.Item().ID; got != id {
		b.Fatalf("took %s, want %s", got, id)
	}
	return c
}

// nothing checks that for a while there is nothing to take.
func (b bench) nothing(d time.Duration) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), d)
	defer cancel()
	if c, err := b.Take(ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
		if err == nil {
			b.Fatalf("took %s, want nothing", c.Item().ID)
		}
		b.Fatalf("take: %v", err)
	}
}

func (b bench) done(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b bench) fails(want, err error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Fatalf("got error %v, want %v", err, want)
	}
}

// counts compares ready, delayed, claimed, dead. An item may be on its way to this process, so it looks again.
func (b bench) counts(ready, delayed, claimed, dead int) queue.Stats {
	b.Helper()
	want := fmt.Sprintf("ready %d delayed %d claimed %d dead %d", ready, delayed, claimed, dead)
	var got string
	for range 100 {
		s, err := b.Stats(b.Context())
		b.done(err)
		got = fmt.Sprintf("ready %d delayed %d claimed %d dead %d", s.Ready, s.Delayed, s.Claimed, s.Dead)
		if got == want {
			return s
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.Fatalf("stats: %s, want %s", got, want)
	return queue.Stats{}
}

// due checks that time has reached an instant, and in virtual time has not gone far beyond: JetStream's schedules fire
// within a quarter of a second, and requests for items are renewed every few.
func (b bench) due(at time.Time) {
	b.Helper()
	late := time.Since(at)
	if late < 0 {
		b.Fatalf("%v too early", -late)
	}
	if virtual := b.start.Year() < 2020; virtual && late > 300*time.Millisecond {
		b.Fatalf("%v too late", late)
	}
}
