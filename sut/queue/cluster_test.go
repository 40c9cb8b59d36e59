package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/queue/natsnode"
)

// Three nodes, each killed in turn while items are put and taken: nothing acknowledged is lost.
func TestClusterLosesNothing(t *testing.T) {
	cluster, err := natsnode.StartCluster(t.TempDir(), 3)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	q, err := queue.OpenJetStream(ctx, queue.Config{Lease: 5 * time.Second}, queue.JetStream{URL: cluster.URL()})
	if err != nil {
		t.Fatal(err)
	}
	threeCopies(ctx, t, cluster.URL())

	var mu sync.Mutex
	put, finished := map[string]bool{}, map[string]int{}
	taking, stopTaking := context.WithCancel(ctx)
	defer stopTaking()
	var takers sync.WaitGroup
	for range 4 {
		takers.Go(func() {
			for {
				c, err := q.Take(taking, "")
				if err != nil {
					if taking.Err() == nil {
						t.Error(err)
					}
					return
				}
				if err := c.Ack(ctx); err != nil {
					t.Error(err)
				}
				mu.Lock()
				finished[c.Item().ID]++
				mu.Unlock()
			}
		})
	}
	// putSome puts n items with four goroutines.
	putSome := func(round string, n int) {
		var puts sync.WaitGroup
		for w := range 4 {
			puts.Go(func() {
				for i := range n / 4 {
					id := fmt.Sprintf("%s-%d-%d", round, w, i)
					if err := q.Put(ctx, queue.Item{ID: id}); err != nil && !errors.Is(err, queue.ErrDuplicate) {
						t.Errorf("put %s: %v", id, err)
						continue
					}
					mu.Lock()
					put[id] = true
					mu.Unlock()
				}
			})
		}
		puts.Wait()
	}
	putSome("before", 40)
	for node := range 3 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			putSome(fmt.Sprint("kill", node), 200)
		}()
		if err := cluster.Kill(node); err != nil {
			t.Fatal(err)
		}
		<-done
		if err := cluster.Start(node); err != nil {
			t.Fatal(err)
		}
		putSome(fmt.Sprint("back", node), 40)
	}
	lost := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for id := range put {
			if finished[id] == 0 {
				n++
			}
		}
		return n
	}
	for lost() > 0 && ctx.Err() == nil {
		time.Sleep(100 * time.Millisecond)
	}
	stopTaking()
	takers.Wait()
	twice := 0
	for _, n := range finished {
		if n > 1 {
			twice++
		}
	}
	t.Logf("%d items put, %d lost, %d delivered more than once", len(put), lost(), twice)
	if n := lost(); n > 0 {
		t.Errorf("%d of %d items were lost", n, len(put))
	}
	if err := q.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// threeCopies demands that every stream of a cluster is kept by three of its nodes.
func threeCopies(ctx context.Context, t *testing.T, url string) {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	streams := 0
	list := js.ListStreams(ctx)
	for info := range list.Info() {
		if streams++; info.Config.Replicas != 3 {
			t.Errorf("stream %s has %d copies", info.Config.Name, info.Config.Replicas)
		}
	}
	if list.Err() != nil || streams == 0 {
		t.Errorf("%d streams, %v", streams, list.Err())
	}
}
