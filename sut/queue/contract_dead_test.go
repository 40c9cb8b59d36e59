package queue_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aftershock-dev/aftershock/sut/queue"
)

// bury puts an item and gives it up.
func (b bench) bury(id string) {
	b.Helper()
	b.put(id)
	b.done(b.take(id).Dead(b.Context(), "reason of "+id))
}

func deadPages(b bench) {
	for i := range 5 {
		b.bury(fmt.Sprint(i))
	}
	var got []string
	after := ""
	for {
		page, err := b.DeadLetters(b.Context(), after, 2)
		b.done(err)
		if len(page) == 0 {
			break
		}
		if len(page) > 2 {
			b.Fatalf("a page of %d, want 2 at most", len(page))
		}
		for _, d := range page {
			got = append(got, d.Item.ID)
			if d.Reason != "reason of "+d.Item.ID || d.Since.Before(b.start.Round(0)) || d.Since.After(time.Now()) {
				b.Fatalf("dead letter: %+v", d)
			}
			after = d.ID
		}
	}
	if want := "[0 1 2 3 4]"; fmt.Sprint(got) != want {
		b.Fatalf("dead letters %v, want %s", got, want)
	}
	b.counts(0, 0, 0, 5)
	_, err := b.DeadLetters(b.Context(), "no number", 2)
	b.fails(queue.ErrNotFound, err)
}

func (b bench) onlyDead() queue.DeadItem {
	b.Helper()
	dead, err := b.DeadLetters(b.Context(), "", 10)
	b.done(err)
	if len(dead) != 1 {
		b.Fatalf("%d dead letters, want 1", len(dead))
	}
	return dead[0]
}

func deadReplay(b bench) {
	b.bury("a")
	for range 2 {
		d := b.onlyDead()
		b.done(b.Replay(b.Context(), d.ID))
		b.fails(queue.ErrNotFound, b.Replay(b.Context(), d.ID))
		b.counts(1, 0, 0, 0)
		c := b.take("a")
		if n := c.Item().Delivery; n != 1 {
			b.Fatalf("delivery %d, want 1", n)
		}
		b.done(c.Retry(b.Context(), 0, []byte("again")))
		b.done(b.take("a").Dead(b.Context(), "again"))
	}
	b.fails(queue.ErrNotFound, b.Replay(b.Context(), "x"))
	b.fails(queue.ErrNotFound, b.Replay(b.Context(), "77"))
}

func replayFull(b bench) {
	b.bury("a")
	b.put("b")
	d := b.onlyDead()
	b.fails(queue.ErrFull, b.Replay(b.Context(), d.ID))
	b.done(b.take("b").Ack(b.Context()))
	b.done(b.Replay(b.Context(), d.ID))
	b.done(b.take("a").Ack(b.Context()))
}

func deadPurge(b bench) {
	b.bury("a")
	b.bury("b")
	dead, err := b.DeadLetters(b.Context(), "", 10)
	b.done(err)
	b.done(b.Purge(b.Context(), dead[0].ID))
	b.fails(queue.ErrNotFound, b.Purge(b.Context(), dead[0].ID))
	if left := b.onlyDead(); left.Item.ID != "b" {
		b.Fatalf("%s is left, want b", left.Item.ID)
	}
	b.fails(queue.ErrNotFound, b.Purge(b.Context(), "0"))
}

func stats(b bench) {
	if s := b.counts(0, 0, 0, 0); !s.Oldest.IsZero() {
		b.Fatalf("oldest %v in an empty queue", s.Oldest)
	}
	for i := range 10 {
		b.put(fmt.Sprint(i))
	}
	b.putItem(queue.Item{ID: "later", NotBefore: time.Now().Add(time.Hour)})
	claims := []queue.Claim{b.take("0"), b.take("1"), b.take("2"), b.take("3"), b.take("4")}
	b.counts(5, 1, 5, 0)
	b.done(claims[0].Ack(b.Context()))
	b.done(claims[1].Retry(b.Context(), time.Hour, nil))
	b.done(claims[2].Dead(b.Context(), "no"))
	b.done(claims[3].Retry(b.Context(), 2*time.Second, nil))
	s := b.counts(5, 3, 1, 1)
	if n := s.Backlog(); n != 9 {
		b.Fatalf("backlog %d, want 9", n)
	}
}

func oldest(b bench) {
	first := time.Now()
	b.put("a")
	time.Sleep(time.Minute)
	second := time.Now()
	b.put("b")
	b.putItem(queue.Item{ID: "planned", NotBefore: time.Now().Add(time.Hour)})
	isOldest := func(want time.Time) {
		b.Helper()
		s, err := b.Stats(b.Context())
		b.done(err)
		if d := s.Oldest.Sub(want); d < -time.Second || d > time.Second {
			b.Fatalf("oldest %v, want %v", s.Oldest, want)
		}
	}
	isOldest(first)
	b.done(b.take("a").Retry(b.Context(), 10*time.Minute, nil))
	isOldest(first)
	time.Sleep(11 * time.Minute)
	isOldest(first)
	b.done(b.take("a").Ack(b.Context()))
	isOldest(second)
	b.done(b.take("b").Ack(b.Context()))
	if s, _ := b.Stats(b.Context()); !s.Oldest.IsZero() {
		b.Fatalf("oldest %v though the one item is not due", s.Oldest)
	}
	b.take("planned")
	isOldest(second.Add(time.Hour))
}

func paused(b bench) {
	p := b.Queue.(queue.Pauser)
	b.done(p.Pause(b.Context(), "", time.Time{}))
	b.put("a")
	b.putItem(queue.Item{ID: "x", Lane: "agent"})
	b.nothing(100 * time.Millisecond)
	b.done(b.takeFrom("agent", "x").Ack(b.Context()))
	b.done(p.Resume(b.Context(), ""))
	b.done(b.take("a").Ack(b.Context()))
}

func pausedUntil(b bench) {
	p := b.Queue.(queue.Pauser)
	at := time.Now().Add(10 * time.Minute)
	b.done(p.Pause(b.Context(), "", at))
	b.put("a")
	c := b.take("a")
	b.due(at)
	b.done(c.Ack(b.Context()))
}

func closed(b bench) {
	ended := make(chan error)
	for range 3 {
		go func() {
			_, err := b.Take(context.Background(), "")
			ended <- err
		}()
	}
	b.put("a")
	b.fails(nil, <-ended)
	b.done(b.Close(b.Context()))
	b.fails(queue.ErrClosed, <-ended)
	b.fails(queue.ErrClosed, <-ended)
	b.refuses(queue.ErrClosed, queue.Item{ID: "b"})
	_, err := b.Take(b.Context(), "")
	b.fails(queue.ErrClosed, err)
	_, err = b.Stats(b.Context())
	b.fails(queue.ErrClosed, err)
	b.fails(queue.ErrClosed, b.Close(b.Context()))
}
