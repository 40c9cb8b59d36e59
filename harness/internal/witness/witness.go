// Package witness turns the fake's summary into what the harness asks of it.
package witness

import (
	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/harness"
)

// Of is what the fake did besides answering.
func Of(sum fakewa.Summary) harness.Witnessed {
	w := harness.Witnessed{Faults: map[string]harness.Strikes{}, Posts: sum.Webhooks.Posts, Heard: sum.Webhooks.OK, Taken: sum.Accepted}
	for id, f := range sum.Faults {
		w.Faults[id] = harness.Strikes(f)
	}
	return w
}
