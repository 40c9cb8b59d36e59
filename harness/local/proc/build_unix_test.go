//go:build unix

package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness/internal/trial"
	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/harness/remote"
	"github.com/aftershock-dev/aftershock/reports/record"
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

func TestSystemOfProcesses(t *testing.T) {
	sc, err := trial.Scenario(`
  - {at: 1s, kill: whatsapp/1}
  - {at: 2s, pause: whatsapp/2, for: 1s}
  - {at: 2s, fault: {kind: error, code: 131000, share: 20%}, for: 1s}
  - {at: 3s, scale: {whatsapp: 3}}
  - {at: 4s, set: {sender.drafts.rate_limit: 300/s}}
  - {at: 5s, restart: whatsapp/1}`)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s, err := Build(t.Context(), Options{Options: remote.Options{Scenario: sc, Every: time.Second, Run: "t1"}, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	r, err := trial.Run(t.Context(), s, dir+"/record")
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
	if r.Outcomes[record.Delivered] != trial.RushMessages || len(r.Info.Harness.Invalid) > 0 {
		t.Errorf("outcomes %v, invalid %v, warnings %v\n%s", r.Outcomes, r.Info.Harness.Invalid, r.Info.Harness.Warnings, strings.Join(r.Others, "\n"))
	}
	last := r.Last()
	if last[record.GReplicasReady] != 3 || last[record.GRateLimit] != 300 || last[record.GDelivered] != trial.RushMessages {
		t.Errorf("the last gauges: %v", last)
	}
	for _, name := range []string{"part_drafts_memory_bytes", "part_whatsapp_2_memory_bytes", "part_fake_cpu_cores", "part_gateway_cpu_cores"} {
		if r.Most(name) == 0 {
			t.Errorf("gauge %s is never above 0", name)
		}
	}
	if r.Info.Effective["sender.drafts.rate_limit"] == "" || r.Info.Effective["whatsapp.latency"] == "" {
		t.Errorf("settings in force: %v", r.Info.Effective)
	}
}

func TestProcessesOnJetStream(t *testing.T) {
	sc, err := trial.Scenario(`
  - {at: 2s, kill: nats/2, for: 2s}
  - {at: 3s, kill: whatsapp/2}
  - {at: 4s, kill: drafts}`)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s, err := Build(t.Context(), Options{Options: remote.Options{Scenario: sc, Every: time.Second, Run: "t2", Queue: "jetstream"}, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	r, err := trial.Run(t.Context(), s, dir+"/record")
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
	if r.Outcomes[record.Delivered] != trial.RushMessages || len(r.Info.Harness.Invalid) > 0 {
		t.Errorf("outcomes %v, invalid %v, warnings %v\n%s", r.Outcomes, r.Info.Harness.Invalid, r.Info.Harness.Warnings, strings.Join(r.Others, "\n"))
	}
	t.Logf("outcomes %v, %d copies", r.Outcomes, r.Copies)
}

func TestProcessesRefusePartitions(t *testing.T) {
	sc, err := trial.Scenario("  - {at: 1s, partition: whatsapp/1, for: 1s}")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Build(t.Context(), Options{Options: remote.Options{Scenario: sc}, Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "--env containers") {
		t.Errorf("a partition among processes: %v", err)
	}
}
