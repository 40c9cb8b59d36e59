//go:build unix

package proc

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/harness/remote"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// runPart is what the command's hidden part does.
func runPart(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	spec, err := part.Load(args)
	if err == nil {
		err = part.Run(ctx, spec)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func scenario(t *testing.T, yaml string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Read("rush.yaml", []byte(yaml), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const rush = `
schema: aftershock/scenario/v1
name: rush
seed: 3
load:
  arrivals: even
  phases: [{name: rush, for: 6s, rate: 50/s}]
drain: 20s
messages: {mix: {text: 70%%, image: 30%%}, recipients: 500}
client: {timeout: 5s, retries: 3, backoff: 200ms, idempotency_key: true}
whatsapp: {latency: 20ms, limits: {throughput: 500/s, pair: {every: 0s}}}
sender:
  preset: hardened
  drafts: {rate_limit: 200/s, classes: {transactional: {hold: 1s}}}
  whatsapp: {replicas: {min: 2, max: 4, start: 200ms, probe: 500ms}, work: {send: 2ms, accept: 1ms, answer: 1ms}}
timeline:
%s
thresholds: [{id: no-loss, metric: messages.lost, is: "== 0"}]
`

// replay runs a scenario against a system and returns its messages by outcome.
func replay(t *testing.T, s *remote.System, dir string) (record.Info, map[record.Outcome]int, []record.Gauge) {
	t.Helper()
	w, err := record.Create(dir, record.Info{}, s.Scenario.YAML())
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var gauges []record.Gauge
	r := &harness.Runner{
		Scenario: s.Scenario, System: s.System, Writer: w, MediaBase: s.MediaBase, Every: s.Every, Lateness: time.Minute,
		OnGauge: func(g record.Gauge) { mu.Lock(); defer mu.Unlock(); gauges = append(gauges, g) },
	}
	info, err := r.Run(t.Context())
	if err != nil {
		t.Error(err)
	}
	if err := w.Close(info); err != nil {
		t.Fatal(err)
	}
	run, err := record.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[record.Outcome]int{}
	for _, m := range run.Messages {
		out[m.Outcome]++
		if m.Outcome != record.Delivered {
			t.Logf("%s %s: %s", m.ID, m.Outcome, m.Reason)
		}
	}
	return info, out, gauges
}

func TestSystemOfProcesses(t *testing.T) {
	sc := scenario(t, fmt.Sprintf(rush, `
  - {at: 1s, kill: whatsapp/1}
  - {at: 2s, pause: whatsapp/2, for: 1s}
  - {at: 2s, fault: {kind: error, code: 131000, share: 20%}, for: 1s}
  - {at: 3s, scale: {whatsapp: 3}}
  - {at: 4s, set: {sender.drafts.rate_limit: 300/s}}
  - {at: 5s, restart: whatsapp/1}`))
	dir := t.TempDir()
	s, err := Build(t.Context(), Options{Options: remote.Options{Scenario: sc, Every: time.Second, Run: "t1"}, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	info, outcomes, gauges := replay(t, s, dir+"/record")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if len(info.Harness.Invalid) > 0 || outcomes[record.Delivered] != 299 {
		t.Errorf("outcomes %v, invalid %v, warnings %v", outcomes, info.Harness.Invalid, info.Harness.Warnings)
	}
	last := gauges[len(gauges)-1].Values
	if last[record.GReplicasReady] != 3 || last[record.GRateLimit] != 300 || last[record.GDelivered] != 299 {
		t.Errorf("the last gauges: %v", last)
	}
	for _, name := range []string{"part_drafts_memory_bytes", "part_whatsapp_2_memory_bytes", "part_fake_cpu_cores", "part_gateway_cpu_cores"} {
		most := 0.0
		for _, g := range gauges {
			most = max(most, g.Values[name])
		}
		if most == 0 {
			t.Errorf("gauge %s is never above 0", name)
		}
	}
	if info.Effective["sender.drafts.rate_limit"] == "" || info.Effective["whatsapp.latency"] == "" {
		t.Errorf("settings in force: %v", info.Effective)
	}
}

func TestProcessesRefusePartitions(t *testing.T) {
	sc := scenario(t, fmt.Sprintf(rush, "  - {at: 1s, partition: whatsapp/1, for: 1s}"))
	_, err := Build(t.Context(), Options{Options: remote.Options{Scenario: sc}, Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "--env containers") {
		t.Errorf("a partition among processes: %v", err)
	}
}
