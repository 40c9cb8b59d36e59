package local_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// burst is a surge that overloads the incident's sender within minutes: everything that makes two runs differ when
// something is left to chance happens in it.
const burst = `schema: aftershock/scenario/v1
name: burst
seed: 1
start: 2025-06-06T13:03:00-04:00
load:
  arrivals: poisson
  phases:
    - {name: calm, for: 3m, rate: 150/min}
    - {name: surge, for: 6m, rate: 1500/min}
    - {name: after, for: 3m, rate: 100/min}
drain: 5m
messages: {mix: {text: 60%, image: 40%}, recipients: 5000}
client: {timeout: 10s, retries: 3, backoff: 1s}
whatsapp:
  latency: lognormal(p50=350ms, p99=1.5s)
  media: {upload_life: 2m}
sender:
  preset: incident
  whatsapp: {create: {timeout: 1s, retries: 1}}
timeline:
  - {at: 5m, for: 1m, fault: {kind: error, code: 131016, share: 20%}}
  - {at: 8m, set: {sender.whatsapp.replicas.max: 12}}
`

func read(t testing.TB, text string, seed int64) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Read("burst.yaml", []byte(text), scenarios.Options{Seed: &seed, Blocks: local.Blocks()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSameSeedSameRun(t *testing.T) {
	digest := func(seed int64) string {
		run := replay(t, local.Options{Scenario: read(t, burst, seed)})
		if run.Info.Digest == "" || run.Info.Digest != record.Digest(run.Messages) {
			t.Errorf("run.json says %q, the messages say %q", run.Info.Digest, record.Digest(run.Messages))
		}
		return run.Info.Digest
	}
	first := digest(1)
	if again := digest(1); again != first {
		t.Errorf("seed 1 gave %s, then %s", first, again)
	}
	if other := digest(2); other == first {
		t.Errorf("seeds 1 and 2 both gave %s", first)
	}
}

// conserved demands that every message ended exactly once, and that what the record counts agrees with itself.
func conserved(run *record.Run) error {
	known := map[record.Outcome]bool{}
	for _, o := range record.Outcomes {
		known[o] = true
	}
	for i, m := range run.Messages {
		switch {
		case m.ID != fmt.Sprintf("m%06d", i+1):
			return fmt.Errorf("row %d is %s", i+1, m.ID)
		case !known[m.Outcome]:
			return fmt.Errorf("%s ended as %q", m.ID, m.Outcome)
		case len(m.Causes) != max(0, m.Copies-1) && m.Outcome == record.Delivered:
			return fmt.Errorf("%s has %d copies and %d causes", m.ID, m.Copies, len(m.Causes))
		case m.Copies > m.API:
			return fmt.Errorf("%s was accepted %d times in %d attempts", m.ID, m.Copies, m.API)
		case m.Outcome == record.Delivered && m.Delivered < m.Accepted, m.Sent != record.Never && m.Sent < m.Scheduled:
			return fmt.Errorf("%s goes back in time: %+v", m.ID, m)
		case m.Outcome == record.Lost:
			return fmt.Errorf("%s was lost although nothing crashed: %+v", m.ID, m)
		}
	}
	last := run.Gauges[len(run.Gauges)-1].Values
	if n := float64(len(run.Messages)); last[record.GOffered] != n {
		return fmt.Errorf("gauges say %g offered, the record has %g", last[record.GOffered], n)
	}
	return nil
}

func TestEveryMessageEndsExactlyOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(rt, name) }
		text := fmt.Sprintf(`schema: aftershock/scenario/v1
name: random
seed: 1
start: 2025-06-06T13:03:00-04:00
load:
  arrivals: %s
  phases:
    - {name: a, for: %dm, rate: %d/min}
    - {name: b, for: %dm, from: %d/min, to: %d/min}
drain: 2m
messages: {mix: {text: 70%%, document: 30%%}, recipients: %d}
client: {timeout: %ds, retries: %d, backoff: 1s, idempotency_key: %v}
whatsapp: {latency: "%s", media: {upload_life: %s}}
sender: {preset: %s}
timeline:
  - {at: 1m, for: 1m, fault: {kind: %s}}
`,
			pick("arrivals", "even", "poisson"),
			rapid.IntRange(1, 2).Draw(rt, "a"), rapid.IntRange(1, 900).Draw(rt, "rate"),
			rapid.IntRange(1, 2).Draw(rt, "b"), rapid.IntRange(0, 900).Draw(rt, "from"), rapid.IntRange(1, 900).Draw(rt, "to"),
			rapid.IntRange(1, 3000).Draw(rt, "recipients"),
			rapid.IntRange(1, 12).Draw(rt, "timeout"), rapid.IntRange(0, 4).Draw(rt, "retries"), rapid.Bool().Draw(rt, "key"),
			pick("latency", "50ms", "lognormal(p50=350ms, p99=3s)", "pareto(min=100ms, alpha=1.5)"),
			pick("life", "30s", "2m", "720h"), pick("preset", "incident", "mitigated", "hardened"),
			pick("fault", "error, code: 131016, share: 50%", "latency, add: 20s", "refuse-connections", "reply-lost, share: 30%", "media-expiry, upload_life: 1s"))
		s, err := scenarios.Read("random.yaml", []byte(text), scenarios.Options{Blocks: local.Blocks()})
		if err != nil {
			rt.Fatalf("%v\n%s", err, text)
		}
		run := tried(t, local.Options{Scenario: s}) // a fault at random may strike nothing
		if err := conserved(run); err != nil {
			rt.Fatalf("%v\n%s", err, text)
		}
	})
}

// Without faults, load that fits and a key, nothing may come twice.
func TestNoFaultNoDuplicate(t *testing.T) {
	for _, m := range replay(t, local.Options{Scenario: open(t, "smoke", scenarios.Options{})}).Messages {
		if m.Copies != 1 {
			t.Errorf("%s was accepted %d times", m.ID, m.Copies)
		}
	}
}

func TestInterruptedRunKeepsItsRecord(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	o := local.Options{Scenario: read(t, burst, 1), Dir: filepath.Join(t.TempDir(), "run")}
	n := 0
	o.OnGauge = func(record.Gauge) {
		if n++; n == 20 {
			cancel()
		}
	}
	if _, err := local.Replay(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted run returned %v", err)
	}
	run, err := record.Load(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if run.Info.State != "interrupted" || len(run.Messages) == 0 || run.Info.Digest == "" {
		t.Errorf("state %q, %d messages", run.Info.State, len(run.Messages))
	}
	if err := conserved(run); err != nil {
		t.Error(err)
	}
}
