package scenarios

import (
	"strings"
	"testing"
)

// TestAFaultsOwnDurationsAreSqueezed: what the fault itself is made of runs as fast as the rest, and the file stays as it is.
func TestAFaultsOwnDurationsAreSqueezed(t *testing.T) {
	s, err := Read("t.yaml", []byte(`
schema: aftershock/scenario/v1
name: t
load: {phases: [{name: a, for: 1h, rate: 1/s}]}
thresholds: [{id: a, metric: messages.lost, is: "== 0"}]
timeline:
  - {at: 10m, for: 5m, fault: {kind: latency, delay: 60s}}
`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	before := string(s.Timeline[0].Fault.Raw)
	if got := string(s.Squeeze(60).Timeline[0].Fault.Raw); !strings.Contains(got, "delay: 1s") {
		t.Errorf("squeezed: %s", got)
	}
	if after := string(s.Timeline[0].Fault.Raw); after != before || !strings.Contains(after, "60s") {
		t.Errorf("the scenario itself changed: %s", after)
	}
}
