package queue_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// crashDir in the environment makes the test binary the process to be killed.
const crashDir = "AFTERSHOCK_QUEUE_CRASH_DIR"

const crashLease = time.Second

// crashChild puts and takes until it is killed, and says what it was told by the queue.
func crashChild(dir string) int {
	ctx := context.Background()
	q, err := queue.OpenJetStream(ctx, queue.Config{Lease: crashLease}, queue.JetStream{Dir: dir})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	var work sync.WaitGroup
	for w := range 4 {
		work.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d", w, i)
				it := queue.Item{ID: id, Body: make([]byte, 200)}
				if i%10 == 9 {
					it.NotBefore = time.Now().Add(500 * time.Millisecond)
				}
				if err := q.Put(ctx, it); err != nil {
					fmt.Println("error", err)
					return
				}
				fmt.Println("put", id)
			}
		})
	}
	for range 2 {
		work.Go(func() {
			for i := 0; ; i++ {
				c, err := q.Take(ctx, "")
				if err != nil {
					fmt.Println("error", err)
					return
				}
				id := c.Item().ID
				switch i % 4 {
				case 0: // keep it
				case 1:
					err = c.Retry(ctx, 400*time.Millisecond, []byte("again"))
				default:
					fmt.Println("finishing", id)
					if err = c.Ack(ctx); err == nil {
						fmt.Println("finished", id)
					}
				}
				if err != nil {
					fmt.Println("error", err)
					return
				}
			}
		})
	}
	work.Wait()
	return 1
}

// A process that is killed loses nothing it was told is in the queue, and does not see again what it finished.
func TestKilledProcessLosesNothing(t *testing.T) {
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	put, finishing, finished := map[string]bool{}, map[string]bool{}, map[string]bool{}
	killed := false
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		word, id, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "put":
			put[id] = true
		case "finishing":
			finishing[id] = true
		case "finished":
			finished[id] = true
		case "error":
			t.Errorf("child: %s", id)
		}
		if len(put) >= 300 && len(finished) >= 20 && !killed {
			killed = true
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || !killed {
		t.Fatalf("the child ended by itself: %v", err)
	}

	q := openStreamed(t, queue.Config{Lease: crashLease}, queue.JetStream{Dir: dir})
	missing := map[string]bool{}
	for id := range put {
		if !finishing[id] {
			missing[id] = true
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(missing) > 0 {
		c, err := q.Take(ctx, "")
		if err != nil {
			t.Fatalf("%d of %d items were lost: %v", len(missing), len(put), err)
		}
		if id := c.Item().ID; finished[id] {
			t.Errorf("item %s was finished, and came again", id)
		}
		delete(missing, c.Item().ID)
		if err := c.Ack(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// What was claimed, delayed, paused and dead when a queue was closed is so when it is opened again.
func TestReopenedQueueIsWhatItWas(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		cfg := queue.Config{Lease: 90 * time.Second, MaxItems: 10, Lanes: instant.Lanes{On: true}}
		open := func() bench {
			return bench{t, openStreamed(t, cfg, queue.JetStream{Dir: dir, Unsynced: true}), time.Now()}
		}
		b := open()
		for _, id := range []string{"claimed", "retried", "dead"} {
			b.put(id)
		}
		b.putItem(queue.Item{ID: "planned", NotBefore: time.Now().Add(time.Hour)})
		b.putItem(queue.Item{ID: "paused", Lane: "bulk"})
		b.done(b.Queue.(queue.Pauser).Pause(t.Context(), "bulk", time.Time{}))
		expires := time.Now().Add(5 * time.Hour)
		b.putItem(queue.Item{ID: "fresh", Expires: expires})
		b.take("claimed")
		claimed := time.Now()
		b.done(b.take("retried").Retry(t.Context(), 10*time.Minute, []byte("new")))
		b.done(b.take("dead").Dead(t.Context(), "reason"))
		want := b.counts(2, 2, 1, 1)
		b.done(b.Close(t.Context()))

		b = open()
		b.refuses(queue.ErrDuplicate, queue.Item{ID: "fresh"}) // the IDs of items that are gone are not known any more
		if again, err := b.Stats(t.Context()); err != nil || again.Backlog() != want.Backlog() || again.Dead != 1 {
			t.Fatalf("stats %+v, %v, want %+v", again, err, want)
		}
		c := b.take("claimed")
		if late := time.Since(claimed); late > 5*time.Second || c.Item().Delivery != 2 { // nobody waits for the lease of a process that ended
			t.Fatalf("taken again after %v, delivery %d, want at once, 2", late, c.Item().Delivery)
		}
		b.done(c.Ack(t.Context()))
		c = b.take("fresh")
		if !c.Item().Expires.Equal(expires) {
			t.Fatalf("expires %v, want %v", c.Item().Expires, expires)
		}
		b.done(c.Ack(t.Context()))
		waiting, dead := map[string]bool{}, map[string]string{}
		b.done(b.Queue.(queue.Stored).Stored(t.Context(), func(it *queue.Item, reason string) {
			if reason != "" {
				dead[it.ID] = reason
				return
			}
			waiting[it.ID] = true
		}))
		if len(waiting) != 3 || !waiting["retried"] || !waiting["planned"] || !waiting["paused"] || len(dead) != 1 || dead["dead"] != "reason" {
			t.Fatalf("stored: %v, dead %v", waiting, dead)
		}
		c = b.take("retried")
		if string(c.Item().Body) != "new" || c.Item().Delivery != 2 {
			t.Fatalf("retried item: %+v", c.Item())
		}
		b.done(c.Ack(t.Context()))
		b.done(b.take("planned").Ack(t.Context()))
		if d := b.onlyDead(); d.Item.ID != "dead" || d.Reason != "reason" {
			t.Fatalf("dead letter: %+v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		if c, err := b.Take(ctx, "bulk"); err == nil {
			t.Fatalf("took %s from a paused lane", c.Item().ID)
		}
		cancel()
		b.done(b.Queue.(queue.Pauser).Resume(t.Context(), "bulk"))
		b.done(b.takeFrom("bulk", "paused").Ack(t.Context()))
		b.counts(0, 0, 0, 1)
		b.done(b.Close(t.Context()))
	})
}
