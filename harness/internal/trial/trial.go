// Package trial runs a scenario against a system that runs elsewhere and reads the record back: what the tests of
// harness/local/proc and harness/docker have in common.
package trial

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/remote"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// Rush is six busy seconds; timeline steps are written below it, each indented by two.
const Rush = `
schema: aftershock/scenario/v1
name: rush
seed: 3
load:
  arrivals: even
  phases: [{name: rush, for: 6s, rate: 50/s}]
drain: 40s
messages: {mix: {text: 70%, image: 30%}, recipients: 500}
client: {timeout: 5s, retries: 5, backoff: 300ms, idempotency_key: true}
whatsapp: {latency: 20ms, limits: {throughput: 500/s, pair: {every: 0s}}}
sender:
  preset: hardened
  drafts: {rate_limit: 200/s, classes: {transactional: {hold: 1s}}, dispatch: {lease: 5s}, replicas: {start: 200ms}}
  whatsapp: {replicas: {min: 2, max: 4, start: 200ms, probe: 500ms}, work: {send: 2ms, accept: 1ms, answer: 1ms}}
thresholds: [{id: no-loss, metric: messages.lost, is: "== 0"}]
timeline:
`

// RushMessages is how many messages Rush offers.
const RushMessages = 299

// Scenario reads Rush with a timeline.
func Scenario(timeline string) (*scenarios.Scenario, error) {
	if timeline == "" {
		timeline = "  - {at: 1s, note: nothing happens}\n"
	}
	return scenarios.Read("rush.yaml", []byte(Rush+timeline), scenarios.Options{})
}

// Result is what a trial tells.
type Result struct {
	Info     record.Info
	Outcomes map[record.Outcome]int
	Copies   int      // accepted beyond the first, over all messages
	Others   []string // messages that were not delivered, and why
	Gauges   []record.Gauge
}

// Run runs the system's scenario; the record is kept in dir.
func Run(ctx context.Context, s *remote.System, dir string) (Result, error) {
	w, err := record.Create(dir, record.Info{}, s.Scenario.YAML())
	if err != nil {
		return Result{}, err
	}
	var mu sync.Mutex
	out := Result{Outcomes: map[record.Outcome]int{}}
	r := &harness.Runner{
		Scenario: s.Scenario, System: s.System, Writer: w, MediaBase: s.MediaBase, Every: s.Every, Lateness: time.Minute, Busy: 9,
		OnGauge: func(g record.Gauge) {
			mu.Lock()
			defer mu.Unlock()
			out.Gauges = append(out.Gauges, g)
		},
	}
	info, runErr := r.Run(ctx)
	out.Info = info
	if err := w.Close(info); err != nil {
		return out, err
	}
	run, err := record.Load(dir)
	if err != nil {
		return out, err
	}
	for _, m := range run.Messages {
		out.Outcomes[m.Outcome]++
		out.Copies += max(0, m.Copies-1)
		if m.Outcome != record.Delivered {
			out.Others = append(out.Others, fmt.Sprintf("%s %s: %s", m.ID, m.Outcome, m.Reason))
		}
	}
	return out, runErr
}

// Most is the highest value that a gauge had.
func (r Result) Most(gauge string) float64 {
	most := 0.0
	for _, g := range r.Gauges {
		most = max(most, g.Values[gauge])
	}
	return most
}

// Last is the last reading.
func (r Result) Last() map[string]float64 { return r.Gauges[len(r.Gauges)-1].Values }
