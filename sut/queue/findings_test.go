package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/queue/natsnode"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// onNode runs a test in a bubble, with a queue and a second connection to its server.
func onNode(t *testing.T, cfg queue.Config, run func(b bench, node *natsnode.Node, js jetstream.JetStream)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		node, err := natsnode.Start(natsnode.Config{})
		if err != nil {
			t.Fatal(err)
		}
		nc, err := node.Connect()
		if err != nil {
			t.Fatal(err)
		}
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		q := openStreamed(t, cfg, queue.JetStream{Node: node, Storage: queue.StorageMemory})
		defer func() {
			if err := q.Close(context.Background()); err != nil {
				t.Error(err)
			}
			nc.Close()
			if err := node.Stop(); err != nil {
				t.Error(err)
			}
		}()
		run(bench{t, q, time.Now()}, node, js)
	})
}

func health(b bench) queue.Health {
	b.Helper()
	h, err := b.Queue.(*queue.Streamed).Health(b.Context())
	b.done(err)
	return h
}

// Finding "messages at MaxDeliver stay in a work queue, unseen": no consumer has a limit, or a backoff that would change
// its ack wait, and what no consumer will deliver is counted.
func TestNothingIsGivenUpUnseen(t *testing.T) {
	onNode(t, queue.Config{Lease: 90 * time.Second, MaxClaims: 8}, func(b bench, _ *natsnode.Node, js jetstream.JetStream) {
		b.put("a")
		if h := health(b); h.Orphaned != 1 {
			b.Fatalf("%d orphans, want the item of a lane that nobody takes from", h.Orphaned)
		}
		for n := 1; n <= 50; n++ { // more than any default limit of deliveries
			c := b.take("a")
			if c.Item().Delivery != n {
				b.Fatalf("delivery %d, want %d", c.Item().Delivery, n)
			}
			b.done(c.Retry(b.Context(), 0, nil))
		}
		if h := health(b); h.Orphaned != 0 {
			b.Fatalf("%d orphans, want 0", h.Orphaned)
		}
		for stream, name := range map[string]string{"aftershock_OUT": "fresh-=", "aftershock_LATER": "due-="} {
			c, err := js.Consumer(b.Context(), stream, name)
			b.done(err)
			cfg := c.CachedInfo().Config
			if cfg.MaxDeliver != -1 || len(cfg.BackOff) != 0 || cfg.AckWait != 90*time.Second || cfg.AckPolicy != jetstream.AckExplicitPolicy {
				b.Errorf("consumer %s: %+v", name, cfg)
			}
		}
	})
}

// Finding "memory grows with subjects": drafts have none of their own, except while they wait in LATER.
func TestSubjectsAreCoarse(t *testing.T) {
	onNode(t, queue.Config{}, func(b bench, _ *natsnode.Node, js jetstream.JetStream) {
		for i := range 300 {
			it := queue.Item{ID: fmt.Sprint(i), Tenant: fmt.Sprint(i % 3)}
			if i%2 == 0 {
				it.NotBefore = time.Now().Add(time.Minute)
			}
			b.putItem(it)
		}
		subjects := func(stream string) uint64 {
			s, err := js.Stream(b.Context(), stream)
			b.done(err)
			return s.CachedInfo().State.NumSubjects
		}
		if n := subjects("aftershock_OUT"); n != 3 {
			b.Errorf("OUT has %d subjects, want one a tenant", n)
		}
		if n := subjects("aftershock_LATER"); n != 150 {
			b.Errorf("LATER has %d subjects, want one a waiting item", n)
		}
		time.Sleep(2 * time.Minute)
		if n := subjects("aftershock_LATER"); n != 3 {
			b.Errorf("LATER has %d subjects when all is due, want one a tenant", n)
		}
		b.counts(300, 0, 0, 0)
	})
}

// Finding "schedules cannot be combined with DiscardNew": the reason for two streams. When the server learns to, one
// will do.
func TestSchedulesNeedAStreamOfTheirOwn(t *testing.T) {
	onNode(t, queue.Config{}, func(b bench, _ *natsnode.Node, js jetstream.JetStream) {
		_, err := js.CreateStream(b.Context(), jetstream.StreamConfig{
			Name: "BOTH", Subjects: []string{"both.>"}, Storage: jetstream.MemoryStorage,
			Discard: jetstream.DiscardNew, MaxMsgs: 10, AllowMsgSchedules: true,
		})
		if api, ok := errors.AsType[*jetstream.APIError](err); !ok || api.ErrorCode != 10052 {
			b.Fatalf("a stream with both: %v, want error 10052", err)
		}
	})
}

// A consumer that somebody deletes comes back by itself, and what was claimed comes again.
func TestDeletedConsumerComesBack(t *testing.T) {
	onNode(t, queue.Config{Lease: 90 * time.Second}, func(b bench, _ *natsnode.Node, js jetstream.JetStream) {
		b.put("a")
		b.take("a")
		got := make(chan string)
		go func() {
			c, err := b.Take(context.Background(), "")
			if err != nil {
				got <- err.Error()
				return
			}
			got <- c.Item().ID
		}()
		time.Sleep(time.Second)
		b.done(js.DeleteConsumer(b.Context(), "aftershock_OUT", "fresh-="))
		b.put("b")
		if id := <-got; id != "a" && id != "b" {
			b.Fatalf("took %s, want a or b", id)
		}
		if late := time.Since(b.start); late > 10*time.Second {
			b.Fatalf("it took %v", late)
		}
	})
}

// A message that somebody else put into the stream is dispatched as well: losing it would be worse.
func TestForeignMessageIsAnItem(t *testing.T) {
	onNode(t, queue.Config{}, func(b bench, _ *natsnode.Node, js jetstream.JetStream) {
		_, err := js.PublishMsg(b.Context(), &nats.Msg{Subject: "aftershock.out.agent.acme", Data: []byte("hello")}, jetstream.WithMsgID("x1"))
		b.done(err)
		c := b.takeFrom("agent", "x1")
		if it := c.Item(); it.Tenant != "acme" || string(it.Body) != "hello" || it.Delivery != 1 || it.Enqueued.IsZero() {
			b.Fatalf("foreign item: %+v", it)
		}
		b.done(c.Dead(b.Context(), "not ours"))
		if h := health(b); h.Foreign != 1 {
			b.Fatalf("%d foreign messages, want 1", h.Foreign)
		}
		b.counts(0, 0, 0, 1)
	})
}

// Processes share the streams: every item goes to one of them, bounds and pauses hold for all.
func TestQueuesShareStreams(t *testing.T) {
	onNode(t, queue.Config{MaxItems: 500}, func(b bench, node *natsnode.Node, _ jetstream.JetStream) {
		other := openStreamed(b.T, queue.Config{MaxItems: 500}, queue.JetStream{Node: node, Storage: queue.StorageMemory})
		var mu sync.Mutex
		times := map[string]int{}
		ctx, cancel := context.WithCancel(b.Context())
		var work sync.WaitGroup
		for _, q := range []queue.Queue{b.Queue, other} {
			for range 3 {
				work.Go(func() {
					for {
						c, err := q.Take(ctx, "")
						if err != nil {
							return
						}
						time.Sleep(10 * time.Millisecond)
						mu.Lock()
						times[c.Item().ID]++
						again := times[c.Item().ID] == 1
						mu.Unlock()
						if again {
							err = c.Retry(context.Background(), 3*time.Second, nil)
						} else {
							err = c.Ack(context.Background())
						}
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
		}
		for i := range 400 {
			b.put(fmt.Sprint(i))
		}
		time.Sleep(time.Minute)
		cancel()
		work.Wait()
		for id, n := range times {
			if n != 2 {
				b.Errorf("item %s was taken %d times, want 2", id, n)
			}
		}
		b.counts(0, 0, 0, 0)
		b.refuses(queue.ErrDuplicate, queue.Item{ID: "7"})
		b.fails(queue.ErrDuplicate, other.Put(b.Context(), queue.Item{ID: "7"}))

		b.done(other.Pause(b.Context(), "", time.Time{}))
		b.put("paused")
		b.nothing(time.Minute)
		b.done(b.Queue.(queue.Pauser).Resume(b.Context(), ""))
		b.done(b.take("paused").Ack(b.Context()))
		b.done(other.Close(b.Context()))
	})
}
