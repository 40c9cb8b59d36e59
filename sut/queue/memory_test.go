package queue

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/aftershock-dev/aftershock/internal/instant"
)

// One timer serves all waits, and it fires on its own lane.
func TestMemoryTimerKeepsItsLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lanes := instant.Lanes{On: true}
		q := NewMemory(Config{Lanes: lanes})
		start := time.Now()
		for i := range 10 {
			it := Item{ID: fmt.Sprint(i), NotBefore: start.Add(time.Duration(10-i) * time.Second)}
			if err := q.Put(t.Context(), it); err != nil {
				t.Fatal(err)
			}
		}
		lane := lanes.Of(instant.System, instant.QueueTimer)
		for i := 9; i >= 0; i-- {
			c, err := q.Take(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Item().ID; got != fmt.Sprint(i) {
				t.Fatalf("took %s, want %d", got, i)
			}
			late := time.Since(c.Item().NotBefore)
			if late < 0 || late > instant.Grid || lane.After(time.Now(), 0) != 0 {
				t.Fatalf("item %d was handed out %v late, off its lane by %v", i, late, lane.After(time.Now(), 0))
			}
		}
		if err := q.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMemoryItemIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(node{}); size > 256 {
		t.Errorf("a waiting item takes %d bytes beside its strings, want at most 256", size)
	}
}

func BenchmarkMemory(b *testing.B) {
	q := NewMemory(Config{Lease: time.Minute})
	ctx := context.Background()
	id := 0
	put := func() {
		id++
		if err := q.Put(ctx, Item{ID: fmt.Sprint(id), Tenant: "acme"}); err != nil {
			b.Fatal(err)
		}
	}
	for range 60_000 {
		put()
	}
	b.ReportAllocs()
	for b.Loop() {
		put()
		c, err := q.Take(ctx, "")
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Ack(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
