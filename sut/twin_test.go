package sut

import (
	"context"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// TestItemThatIsInTheQueueTwice: a crash between the storing of a retry and the end of its claim leaves an item in the queue
// twice. Its draft is on one flight at a time, and the second item shortens no hold of the first.
func TestItemThatIsInTheQueueTwice(t *testing.T) {
	for _, c := range []struct {
		name   string
		lost   bool // answers are lost, and no status comes
		copies int
		state  string
	}{
		{"answered", false, 1, "delivered"},
		{"held, sent once more, and given up", true, 2, "unknown: outcome unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				q := queue.NewMemory(queue.Config{Lanes: instant.Lanes{On: true}, Lease: 90 * time.Second, DedupeWindow: -1})
				w := wiredWorld(t, preset(t, "hardened"), func(w *Wiring) { w.Queue, w.DataDir = q, t.TempDir() })
				w.queue = q
				defer w.close()
				w.api.statuses = !c.lost
				w.api.decide = func(uint64, string) (int, string, bool) { return 200, "", c.lost }
				body := `{"id":"k1-1","to":"15550001","type":"text","text":"m1","key":"k","number":"1","print":7}`
				for _, envelope := range []string{"0 0 0 0 0\n", "0 0 0 1 0\n"} {
					it := queue.Item{ID: "k1-1", Lane: "transactional-0", Body: []byte(envelope + body)}
					if err := q.Put(context.Background(), it); err != nil {
						t.Fatal(err)
					}
				}
				settle(20 * time.Minute)
				if w.count("m1") != c.copies || w.state("k1") != c.state {
					t.Errorf("accepted %d times, %s; want %d, %s", w.count("m1"), w.state("k1"), c.copies, c.state)
				}
				if at := w.api.accepted["m1"]; len(at) == 2 && at[1].Sub(at[0]) < 2*time.Minute {
					t.Errorf("sent again after %v, before its hold was over", at[1].Sub(at[0]))
				}
				if st := w.sender.Stats(); st.Backlog != 0 {
					t.Errorf("backlog %d", st.Backlog)
				}
			})
		})
	}
}
