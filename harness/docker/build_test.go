package docker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness/internal/trial"
	"github.com/aftershock-dev/aftershock/harness/remote"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// build starts the system in containers, or skips the test when no engine answers.
func build(t *testing.T, run, timeline string, o remote.Options) (*remote.System, string) {
	t.Helper()
	sc, err := trial.Scenario(timeline)
	if err != nil {
		t.Fatal(err)
	}
	o.Scenario, o.Every, o.Run = sc, time.Second, run
	dir := t.TempDir()
	s, err := Build(t.Context(), Options{Options: o, Exe: buildStatic(t, "./testdata/whole"), Dir: dir})
	if err != nil {
		needEngine(t, err)
		t.Fatal(err)
	}
	return s, dir
}

func TestE2ESystem(t *testing.T) {
	s, dir := build(t, "e2e-system", `
  - {at: 1s, kill: whatsapp/1}
  - {at: 2s, pause: whatsapp/2, for: 1s}
  - {at: 2s, fault: {kind: error, code: 131000, share: 20%}, for: 1s}
  - {at: 3s, scale: {whatsapp: 3}}
  - {at: 4s, set: {sender.drafts.rate_limit: 300/s}}
  - {at: 5s, restart: whatsapp/2}`, remote.Options{})
	r, err := trial.Run(t.Context(), s, dir+"/record")
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
	nothingLeft(t, "e2e-system")
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
	for _, p := range []string{"gateway", "fake", "drafts", "whatsapp-1", "whatsapp-3"} {
		if _, err := os.Stat(filepath.Join(dir, "parts", p, "log.txt")); err != nil {
			t.Error(err)
		}
	}
	t.Logf("outcomes %v, %d copies", r.Outcomes, r.Copies)
}

// A NATS node dies in the rush, a replica dies, another is cut off, and Drafts dies: nothing that was acknowledged is
// lost.
func TestE2ENothingIsLost(t *testing.T) {
	s, dir := build(t, "e2e-lost", `
  - {at: 2s, kill: nats/2, for: 3s}
  - {at: 3s, kill: whatsapp/1}
  - {at: 3s, partition: whatsapp/2, for: 2s}
  - {at: 5s, kill: drafts}`, remote.Options{Queue: "jetstream"})
	r, err := trial.Run(t.Context(), s, dir+"/record")
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
	nothingLeft(t, "e2e-lost")
	if r.Outcomes[record.Lost] != 0 || r.Outcomes[record.Pending] != 0 || len(r.Info.Harness.Invalid) > 0 {
		t.Errorf("outcomes %v, invalid %v, warnings %v\n%s", r.Outcomes, r.Info.Harness.Invalid, r.Info.Harness.Warnings, strings.Join(r.Others, "\n"))
	}
	t.Logf("outcomes %v, %d copies", r.Outcomes, r.Copies)
}

func TestE2EInterruptedLeavesNothing(t *testing.T) {
	s, dir := build(t, "e2e-interrupted", "", remote.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(2*time.Second, cancel)
	defer timer.Stop()
	r, err := trial.Run(ctx, s, dir+"/record")
	if !errors.Is(err, context.Canceled) || r.Info.State != "interrupted" {
		t.Errorf("interrupted: %v, state %q", err, r.Info.State)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	nothingLeft(t, "e2e-interrupted")
}

func TestE2EFailedBuildLeavesNothing(t *testing.T) {
	sc, err := trial.Scenario("")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	o := Options{Options: remote.Options{Scenario: sc, Run: "e2e-failed"}, Exe: buildStatic(t, "./testdata/part"), Dir: t.TempDir()}
	timer := time.AfterFunc(5*time.Second, cancel) // the stranger never gets ready: Ctrl-C
	defer timer.Stop()
	s, err := Build(ctx, o)
	if err == nil {
		t.Fatal(errors.Join(errors.New("a stranger's program made a system"), s.Close()))
	}
	needEngine(t, err)
	nothingLeft(t, "e2e-failed")
	t.Log(err)
}
