package drafts

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// TestBooksAndQueueAreCompared: what was taken in and is in no queue is told, once; what waits in the queue is backlog.
func TestBooksAndQueueAreCompared(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	made := func(id string) string { return lineCreated(&wire.Draft{ID: id, Created: 1, Key: wire.MessageOf(id)}) }
	for _, line := range []string{
		made("lost-1"), made("doubt-1"), lineBegun("doubt-1", 1), made("done-1"), lineBegun("done-1", 1), lineFinished("done-1", Accepted, ""),
		lineFinished("early-1", Accepted, ""), made("early-1"), // the line of the create follows in its own time
		made("told-1"), lineBegun("told-1", 1), lineStatus("told-1", Delivered), made("waits-1"), made("dead-1"), lineBegun("bare-1", 1),
		made("late-1"), lineBegun("late-1", 1),
	} {
		if err := j.write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	q := queue.NewMemory(queue.Config{})
	defer q.Close(context.Background())
	for _, id := range []string{"dead-1", "waits-1"} {
		if err := q.Put(ctx, queue.Item{ID: id, Body: pack(past{}, []byte(`{"id":"`+id+`","to":"1"}`))}); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := q.Take(ctx, ""); err != nil || c.Dead(ctx, "attempts used up") != nil {
		t.Fatal(err)
	}
	for start, vanished := range []int64{3, 0} {
		j := openJournal(t, dir)
		s, err := New(Config{}, Wiring{Queue: q, Journal: j, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, ok := s.note(&wire.Status{Callback: "late-1.1", State: "sent"}); !ok || j.write(lineStatus("late-1", Sent)) != nil {
			t.Error("a status that comes while the queue is read is not taken")
		}
		s.surveyed(ctx)
		if got := s.Snapshot(); got.Vanished != vanished || got.Backlog != 1 || s.Held() != 1 {
			t.Errorf("start %d: %d vanished, backlog %d, want %d and 1", start, got.Vanished, got.Backlog, vanished)
		}
		for ref, want := range map[string]string{
			"lost": "failed " + whyLost, "doubt": "unknown " + whyDoubt, "bare": "unknown " + whyDoubt, "done": "accepted", "late": "sent", "early": "accepted",
			"told": "delivered", "waits": "queued", "dead": "dead attempts used up",
		} {
			state, reason, _, _ := s.State(ref)
			if got := strings.TrimSpace(state + " " + reason); got != want {
				t.Errorf("start %d: %s is %q, want %q", start, ref, got, want)
			}
		}
		if n, oldest := s.Waiting(); n != 1 || oldest <= 0 {
			t.Errorf("start %d: %d wait, the oldest for %v", start, n, oldest)
		}
		c, err := q.Take(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := s.adopt(c.Item()); err != nil {
			t.Fatal(err)
		}
		if got := s.Snapshot(); got.Backlog != 1 {
			t.Errorf("start %d: backlog %d when it has come out, want 1", start, got.Backlog)
		}
		if err := c.Retry(ctx, 0, nil); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
