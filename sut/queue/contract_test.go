package queue_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/sut/queue"
)

// contract is one promise both engines keep.
type contract struct {
	name string
	cfg  queue.Config
	long bool // takes minutes: in virtual time only
	run  func(b bench)
}

func TestContract(t *testing.T) {
	all := contracts()
	for _, e := range engines() {
		for _, c := range all {
			t.Run(e.name+"/virtual/"+c.name, func(t *testing.T) { virtually(t, e, c.cfg, c.run) })
			if !c.long {
				t.Run(e.name+"/wall/"+c.name, func(t *testing.T) { really(t, e, c.cfg, c.run) })
			}
		}
	}
}

func contracts() []contract {
	return []contract{
		{name: "a lane hands out items in the order they were put", run: inOrder},
		{name: "lanes, tenants and ids may be any text", run: anyText},
		{name: "everything about an item comes through", run: allFields},
		{name: "many takers share the items without overlap", run: noOverlap},
		{name: "a taker that gives up takes nothing with it", run: givesUp},
		{name: "a claim is settled once", run: settledOnce},
		{name: "an item needs an ID and text that is text", run: badItems},

		{name: "an item whose claim ran out is taken again", cfg: queue.Config{Lease: 90 * time.Second}, long: true, run: redelivered},
		{name: "a late acknowledgement counts", cfg: queue.Config{Lease: 90 * time.Second}, long: true, run: lateAck},
		{name: "a claim can be extended", cfg: queue.Config{Lease: 90 * time.Second}, long: true, run: extended},
		{name: "without a lease a claim lasts", long: true, run: noLease},

		{name: "an ID is refused within the dedupe window", long: true, run: dedupe},
		{name: "a dedupe window can be set", cfg: queue.Config{DedupeWindow: 15 * time.Minute}, long: true, run: longDedupe},
		{name: "the dedupe window can be off", cfg: queue.Config{DedupeWindow: -1}, run: noDedupe},

		{name: "an item waits for its time", run: notBefore},
		{name: "a retry comes when it is due, ahead of fresh items", run: retried},
		{name: "a retry can bring a new body", run: newBody},
		{name: "a retry may be hours away", long: true, run: longRetry},
		{name: "delayed retries let fresh items pass", cfg: queue.Config{MaxClaims: 2}, long: true, run: freshPass},
		{name: "held retries stop fresh items", cfg: queue.Config{MaxClaims: 2, HoldRetries: true}, long: true, run: heldStop},
		{name: "a lane has so many claims at once", cfg: queue.Config{MaxClaims: 2}, run: maxClaims},
		{name: "a claim that ran out makes room", cfg: queue.Config{MaxClaims: 1, Lease: time.Minute}, long: true, run: claimRoom},

		{name: "what does not fit is refused", cfg: queue.Config{MaxItems: 3}, run: bounded},
		{name: "delayed items count", cfg: queue.Config{MaxItems: 3}, run: boundedDelayed},
		{name: "a tenant has its share of each lane", cfg: queue.Config{MaxPerTenant: 2}, run: tenantBound},

		{name: "dead letters can be read in pages", run: deadPages},
		{name: "a dead letter is replayed whatever the dedupe window", run: deadReplay},
		{name: "a replay needs room", cfg: queue.Config{MaxItems: 1}, run: replayFull},
		{name: "a dead letter can be purged", run: deadPurge},

		{name: "stats tell what is where", run: stats},
		{name: "the oldest item stays the oldest over its retries", long: true, run: oldest},
		{name: "a lane can be paused", run: paused},
		{name: "a pause can end by itself", long: true, run: pausedUntil},
		{name: "closing ends the takers", run: closed},
	}
}

func inOrder(b bench) {
	for i := range 20 {
		b.putItem(queue.Item{ID: fmt.Sprint("a", i)})
		b.putItem(queue.Item{ID: fmt.Sprint("b", i), Lane: "bulk"})
	}
	for i := range 20 {
		b.done(b.take(fmt.Sprint("a", i)).Ack(b.Context()))
	}
	for i := range 20 {
		b.done(b.takeFrom("bulk", fmt.Sprint("b", i)).Ack(b.Context()))
	}
	b.counts(0, 0, 0, 0)
}

func anyText(b bench) {
	odd := []string{"", " ", ".", "*", ">", "a.b", "=", "=41", "línea\nnueva", "a/b\\c", "\x00ü"}
	n := 0
	for _, lane := range odd {
		for _, tenant := range odd {
			n++
			b.putItem(queue.Item{ID: lane + "|" + tenant, Lane: lane, Tenant: tenant})
		}
	}
	s := b.counts(n, 0, 0, 0)
	for _, name := range odd {
		if s.PerLane[name] != len(odd) || s.PerTenant[name] != len(odd) {
			b.Errorf("%q: %d in its lane, %d of its tenant, want %d", name, s.PerLane[name], s.PerTenant[name], len(odd))
		}
	}
	for _, lane := range odd {
		for _, tenant := range odd {
			c := b.takeFrom(lane, lane+"|"+tenant)
			if it := c.Item(); it.Lane != lane || it.Tenant != tenant {
				b.Fatalf("lane %q tenant %q came as %q %q", lane, tenant, it.Lane, it.Tenant)
			}
			defer func() { b.done(c.Ack(b.Context())) }()
		}
	}
	b.putItem(queue.Item{ID: "a.*>", Lane: "a.*>", Tenant: "a.*>"})
	b.done(b.takeFrom("a.*>", "a.*>").Retry(b.Context(), 0, []byte("again")))
	b.done(b.takeFrom("a.*>", "a.*>").Dead(b.Context(), ""))
}

func allFields(b bench) {
	before := time.Now()
	want := queue.Item{
		ID: "d1", Lane: "agent", Tenant: "acme", Key: "conversation 7", Body: []byte("\x00body"),
		NotBefore: time.Now().Add(-time.Minute), Expires: time.Now().Add(15 * time.Minute),
	}
	b.putItem(want)
	after := time.Now()
	c := b.takeFrom("agent", "d1")
	for delivery := range 3 {
		got := c.Item()
		if got.Lane != want.Lane || got.Tenant != want.Tenant || got.Key != want.Key || !bytes.Equal(got.Body, want.Body) ||
			!got.NotBefore.Equal(want.NotBefore) || !got.Expires.Equal(want.Expires) {
			b.Fatalf("delivery %d: got %+v, want %+v", delivery+1, got, want)
		}
		if got.Enqueued.Before(before.Round(0)) || got.Enqueued.After(after) || got.Delivery != delivery+1 {
			b.Fatalf("enqueued %v, delivery %d, want between %v and %v, %d", got.Enqueued, got.Delivery, before, after, delivery+1)
		}
		if delivery < 2 {
			want.Body = append(want.Body, 'x')
			b.done(c.Retry(b.Context(), 0, want.Body))
			c = b.takeFrom("agent", "d1")
		}
	}
	b.done(c.Dead(b.Context(), "for a reason"))
	dead, err := b.DeadLetters(b.Context(), "", 10)
	b.done(err)
	if len(dead) != 1 || dead[0].Reason != "for a reason" || !dead[0].Item.Expires.Equal(want.Expires) ||
		dead[0].Item.Delivery != 3 || dead[0].Item.Key != want.Key || !bytes.Equal(dead[0].Item.Body, want.Body) {
		b.Fatalf("dead letters: %+v", dead)
	}
}

func noOverlap(b bench) {
	const takers, items = 8, 400
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var mu sync.Mutex
	times := map[string]int{}
	var work sync.WaitGroup
	all := make(chan struct{})
	for range takers {
		work.Go(func() {
			for {
				c, err := b.Take(ctx, "")
				if err != nil {
					return
				}
				if err := c.Ack(ctx); err != nil {
					b.Error(err)
				}
				mu.Lock()
				times[c.Item().ID]++
				if len(times) == items {
					close(all)
				}
				mu.Unlock()
			}
		})
	}
	for i := range items {
		b.put(fmt.Sprint(i))
	}
	<-all
	cancel()
	work.Wait()
	for id, n := range times {
		if n != 1 {
			b.Errorf("item %s was taken %d times", id, n)
		}
	}
	b.counts(0, 0, 0, 0)
}

func givesUp(b bench) {
	b.nothing(20 * time.Millisecond)
	b.nothing(20 * time.Millisecond)
	b.put("a")
	b.put("b")
	b.done(b.take("a").Ack(b.Context()))
	b.done(b.take("b").Ack(b.Context()))
}

func settledOnce(b bench) {
	b.put("a")
	c := b.take("a")
	b.done(c.Extend(b.Context()))
	b.done(c.Ack(b.Context()))
	b.fails(queue.ErrSettled, c.Ack(b.Context()))
	b.fails(queue.ErrSettled, c.Retry(b.Context(), 0, nil))
	b.fails(queue.ErrSettled, c.Dead(b.Context(), "no"))
	b.fails(queue.ErrSettled, c.Extend(b.Context()))
	b.counts(0, 0, 0, 0)
}

func badItems(b bench) {
	b.refuses(queue.ErrBadItem, queue.Item{Body: []byte("x")})
	b.refuses(queue.ErrBadItem, queue.Item{ID: "a", Tenant: "\xff"})
}

func redelivered(b bench) {
	b.put("a")
	first := b.take("a")
	taken := time.Now()
	again := b.take("a")
	b.due(taken.Add(90 * time.Second))
	if n := again.Item().Delivery; n != 2 {
		b.Fatalf("delivery %d, want 2", n)
	}
	b.fails(queue.ErrStale, first.Retry(b.Context(), time.Hour, nil))
	b.fails(queue.ErrStale, first.Dead(b.Context(), "no"))
	b.fails(queue.ErrStale, first.Extend(b.Context()))
	b.counts(0, 0, 1, 0)
	b.done(again.Ack(b.Context()))
	b.counts(0, 0, 0, 0)
}

func lateAck(b bench) {
	b.put("a")
	first := b.take("a")
	second := b.take("a")
	b.done(first.Ack(b.Context()))
	b.nothing(5 * time.Minute)
	b.done(second.Ack(b.Context()))
	b.counts(0, 0, 0, 0)
}

func extended(b bench) {
	b.put("a")
	c := b.take("a")
	for range 10 {
		time.Sleep(time.Minute)
		b.done(c.Extend(b.Context()))
	}
	b.nothing(time.Minute)
	b.done(c.Ack(b.Context()))
	b.nothing(5 * time.Minute)
}

func noLease(b bench) {
	b.put("a")
	c := b.take("a")
	b.nothing(2 * time.Hour)
	b.done(c.Ack(b.Context()))
}

func dedupe(b bench) {
	b.put("a")
	b.refuses(queue.ErrDuplicate, queue.Item{ID: "a"})
	b.done(b.take("a").Ack(b.Context()))
	time.Sleep(queue.DefaultDedupeWindow - 2*time.Second)
	b.refuses(queue.ErrDuplicate, queue.Item{ID: "a"})
	time.Sleep(3 * time.Second)
	b.put("a")
	b.done(b.take("a").Ack(b.Context()))

	planned := queue.Item{ID: "p", NotBefore: time.Now().Add(time.Minute)}
	b.putItem(planned)
	b.refuses(queue.ErrDuplicate, planned)
	time.Sleep(90 * time.Second)
	b.refuses(queue.ErrDuplicate, planned) // though its time has come
}

func longDedupe(b bench) {
	b.put("a")
	time.Sleep(14 * time.Minute)
	b.refuses(queue.ErrDuplicate, queue.Item{ID: "a"})
	time.Sleep(2 * time.Minute)
	b.put("a")
}

func noDedupe(b bench) {
	b.put("a")
	b.put("a")
	b.done(b.take("a").Ack(b.Context()))
	b.done(b.take("a").Ack(b.Context()))
}

func notBefore(b bench) {
	at := time.Now().Add(400 * time.Millisecond)
	b.putItem(queue.Item{ID: "later", NotBefore: at})
	b.put("now")
	b.counts(1, 1, 0, 0)
	b.done(b.take("now").Ack(b.Context()))
	c := b.take("later")
	b.due(at)
	if n := c.Item().Delivery; n != 1 {
		b.Fatalf("delivery %d, want 1", n)
	}
	b.done(c.Ack(b.Context()))
	b.counts(0, 0, 0, 0)
}

func retried(b bench) {
	b.put("a")
	b.put("b")
	b.put("c")
	at := time.Now().Add(300 * time.Millisecond)
	b.done(b.take("a").Retry(b.Context(), 300*time.Millisecond, nil))
	b.done(b.take("b").Ack(b.Context()))
	b.counts(1, 1, 0, 0)
	for range 1000 { // its time has come, though nobody has taken it
		if s, err := b.Stats(b.Context()); err != nil {
			b.Fatal(err)
		} else if s.Ready == 2 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.due(at)
	time.Sleep(50 * time.Millisecond)
	c := b.take("a")
	if n := c.Item().Delivery; n != 2 {
		b.Fatalf("delivery %d, want 2", n)
	}
	b.done(c.Ack(b.Context()))
	b.done(b.take("c").Ack(b.Context()))
}

func newBody(b bench) {
	b.putItem(queue.Item{ID: "a", Body: []byte("one")})
	b.done(b.take("a").Retry(b.Context(), 0, []byte("two")))
	c := b.take("a")
	if got := string(c.Item().Body); got != "two" {
		b.Fatalf("body %q, want two", got)
	}
	b.done(c.Retry(b.Context(), 0, nil))
	c = b.take("a")
	if got := string(c.Item().Body); got != "two" || c.Item().Delivery != 3 {
		b.Fatalf("body %q, delivery %d, want two, 3", got, c.Item().Delivery)
	}
	b.done(c.Ack(b.Context()))
}

func longRetry(b bench) {
	b.put("a")
	enqueued := time.Now()
	c := b.take("a")
	for n := 1; n < 4; n++ {
		at := time.Now().Add(time.Hour)
		b.done(c.Retry(b.Context(), time.Hour, nil))
		b.counts(0, 1, 0, 0)
		c = b.take("a")
		b.due(at)
		if it := c.Item(); it.Delivery != n+1 || !it.Enqueued.Equal(enqueued.Round(0)) {
			b.Fatalf("delivery %d, enqueued %v, want %d, %v", it.Delivery, it.Enqueued, n+1, enqueued)
		}
	}
	b.done(c.Ack(b.Context()))
	b.counts(0, 0, 0, 0)
}

func freshPass(b bench) {
	for _, id := range []string{"a", "b", "c", "d"} {
		b.put(id)
	}
	at := time.Now().Add(time.Minute)
	b.done(b.take("a").Retry(b.Context(), time.Minute, nil))
	b.done(b.take("b").Retry(b.Context(), time.Minute, nil))
	b.done(b.take("c").Retry(b.Context(), time.Second, nil))
	b.done(b.take("d").Ack(b.Context()))
	b.due(at.Add(-time.Minute))
	b.done(b.take("c").Ack(b.Context()))
	first, second := b.takeAny(), b.takeAny() // due at one instant
	b.due(at)
	b.done(first.Ack(b.Context()))
	b.done(second.Ack(b.Context()))
}

func (b bench) takeAny() queue.Claim {
	b.Helper()
	c, err := b.Take(b.Context(), "")
	b.done(err)
	return c
}

func heldStop(b bench) {
	for _, id := range []string{"a", "b", "c"} {
		b.put(id)
	}
	b.done(b.take("a").Retry(b.Context(), time.Minute, []byte("new")))
	time.Sleep(time.Second)
	at := time.Now().Add(time.Minute)
	b.done(b.take("b").Retry(b.Context(), time.Minute, nil))
	b.nothing(50 * time.Second) // c is ready, and nothing is delivered
	b.counts(1, 2, 0, 0)
	a := b.take("a")
	if got := string(a.Item().Body); got != "new" {
		b.Fatalf("body %q, want new", got)
	}
	second := b.take("b")
	b.due(at)
	b.done(a.Ack(b.Context()))
	b.done(b.take("c").Ack(b.Context()))
	b.done(second.Ack(b.Context()))
}

func maxClaims(b bench) {
	for _, id := range []string{"a", "b", "c"} {
		b.put(id)
	}
	a, second := b.take("a"), b.take("b")
	b.nothing(50 * time.Millisecond)
	b.done(a.Ack(b.Context()))
	c := b.take("c")
	b.done(second.Retry(b.Context(), 0, nil))
	second = b.take("b")
	b.nothing(50 * time.Millisecond)
	b.done(c.Ack(b.Context()))
	b.done(second.Ack(b.Context()))
}

func claimRoom(b bench) {
	b.put("a")
	b.take("a")
	taken := time.Now()
	c := b.take("a")
	if late := time.Since(taken); late < time.Minute || late > 70*time.Second {
		b.Fatalf("taken again after %v, want a minute", late)
	}
	b.done(c.Ack(b.Context()))
}

func bounded(b bench) {
	b.put("a")
	b.put("b")
	b.put("c")
	b.refuses(queue.ErrFull, queue.Item{ID: "d"})
	a := b.take("a")
	b.refuses(queue.ErrFull, queue.Item{ID: "d"}) // a claimed item is there still
	b.done(a.Retry(b.Context(), 0, []byte("x")))  // and never refused
	b.refuses(queue.ErrFull, queue.Item{ID: "d"})
	b.done(b.take("a").Ack(b.Context()))
	b.put("d")
	b.done(b.take("b").Dead(b.Context(), "no"))
	b.put("e")
	b.refuses(queue.ErrFull, queue.Item{ID: "f"})
	b.counts(3, 0, 0, 1)
}

func boundedDelayed(b bench) {
	b.putItem(queue.Item{ID: "a", NotBefore: time.Now().Add(time.Hour)})
	b.put("b")
	b.done(b.take("b").Retry(b.Context(), time.Hour, nil))
	b.put("c")
	b.refuses(queue.ErrFull, queue.Item{ID: "d"})
	b.refuses(queue.ErrFull, queue.Item{ID: "e", NotBefore: time.Now().Add(time.Hour)})
	b.done(b.take("c").Ack(b.Context()))
	b.put("d")
	b.counts(1, 2, 0, 0)
}

func tenantBound(b bench) {
	b.putItem(queue.Item{ID: "a1", Tenant: "a"})
	b.putItem(queue.Item{ID: "a2", Tenant: "a"})
	b.refuses(queue.ErrTenantFull, queue.Item{ID: "a3", Tenant: "a"})
	b.refuses(queue.ErrFull, queue.Item{ID: "a3", Tenant: "a"})
	b.putItem(queue.Item{ID: "b1", Tenant: "b"})
	b.putItem(queue.Item{ID: "a4", Tenant: "a", Lane: "agent"})
	b.done(b.take("a1").Ack(b.Context()))
	b.putItem(queue.Item{ID: "a5", Tenant: "a"})
	s := b.counts(4, 0, 0, 0)
	if s.PerTenant["a"] != 3 || s.PerTenant["b"] != 1 || s.PerLane["agent"] != 1 || s.PerLane[""] != 3 {
		b.Fatalf("stats: %+v", s)
	}
}
