package sut

import (
	"testing"
	"time"
)

func TestOneMessageGoesThrough(t *testing.T) {
	for _, name := range Presets() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWorld(t, preset(t, name))
				defer w.close()
				for i, body := range []string{text("m000001"), image("m000002")} {
					id := []string{"m000001", "m000002"}[i]
					if status, answer := w.post(t.Context(), id, 1, body); status != 202 {
						t.Fatalf("%s: answered %d %s", id, status, answer)
					}
				}
				settle(10 * time.Second)
				for _, id := range []string{"m000001", "m000002"} {
					if n := len(w.api.accepted[id]); n != 1 {
						t.Errorf("%s was accepted %d times, want 1", id, n)
					}
					if state, reason, final, known := w.sender.State(id); state != "delivered" || !final || !known {
						t.Errorf("state of %s: %s %q final=%v known=%v, want delivered", id, state, reason, final, known)
					}
				}
			})
		})
	}
}
