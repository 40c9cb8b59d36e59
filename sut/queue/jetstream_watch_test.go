package queue

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
)

// Finding "messages stuck in a work queue's consumer": a lane with items and takers that gets nothing is asked anew
// after a minute, and its consumer made anew after two.
func TestStalledLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, err := OpenJetStream(t.Context(), Config{Lease: time.Hour}, JetStream{Storage: StorageMemory})
		if err != nil {
			t.Fatal(err)
		}
		deaf := true
		ask := q.request
		q.request = func(m *nats.Msg) error { // stands for a consumer that does not answer until it is made anew
			if deaf && q.events.recreated.Load() == 0 {
				return nil
			}
			return ask(m)
		}
		if err := q.Put(t.Context(), Item{ID: "a"}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		c, err := q.Take(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 2*time.Minute || took > 150*time.Second {
			t.Errorf("the item came after %v, want 2 minutes", took)
		}
		h, err := q.Health(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if h.Stalls != 2 || h.Recreated != 1 {
			t.Errorf("health %+v, want 2 stalls, 1 consumer made anew", h)
		}
		if err := c.Ack(t.Context()); err != nil {
			t.Error(err)
		}
		if err := q.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
