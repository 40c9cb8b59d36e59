package harness

import (
	"testing"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// A trace that does not say who a message went to leaves that to the scenario: to say nothing is not to say one.
func TestTraceWithoutRecipients(t *testing.T) {
	m, err := newMint(scenarios.Messages{Recipients: 1000}, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	m.rows = make([]scenarios.Arrival, 100)
	m.rows[98].To, m.rows[99].To = "ra", "ra"
	seen := map[string]bool{}
	for n := range uint64(98) {
		seen[m.make(n+1).to] = true
	}
	if len(seen) < 80 {
		t.Errorf("98 messages of nobody in particular went to %d recipients", len(seen))
	}
	if a, b := m.make(99).to, m.make(100).to; a != b || seen[a] {
		t.Errorf("the trace's one recipient is %s and %s", a, b)
	}
}
