//go:build unix

package proc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"slices"
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

// A proxy on the way of every hit would need as much of the machine as the service that is measured.
func TestHitsGoToTheCopiesWithoutADetour(t *testing.T) {
	sc, err := trial.Scenario("")
	if err != nil {
		t.Fatal(err)
	}
	engine := newTestEngine(t)
	s, err := remote.Build(t.Context(), remote.Options{Engine: engine, Scenario: sc, Run: "t3"})
	if err != nil {
		t.Fatal(err)
	}
	gateway := engine.children[slices.IndexFunc(engine.children, func(c *child) bool { return c.Name() == part.Gateway })]
	if err := gateway.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: s.Transport, Timeout: 10 * time.Second}
	resp, err := client.Post(s.URL+"/v1/messages", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode/100 != 4 { // it names no recipient
		t.Errorf("answered with %d", resp.StatusCode)
	}
	if err := errors.Join(gateway.Resume(t.Context()), s.Close()); err != nil {
		t.Error(err)
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
