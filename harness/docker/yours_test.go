package docker

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/aftershock-dev/aftershock/harness/internal/trial"
	"github.com/aftershock-dev/aftershock/harness/remote"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// yours is a scenario with somebody else's sender in an image.
const yours = `
schema: aftershock/scenario/v1
name: yours
seed: 5
load: {arrivals: even, phases: [{name: busy, for: 8s, rate: 25/s}]}
drain: 20s
messages: {recipients: 100}
client: {timeout: 5s, retries: 3, backoff: 500ms}
whatsapp: {latency: 20ms, limits: {throughput: 0/s, pair: {every: 0s}}, statuses: {sent: 50ms, delivered: 100ms}}
target:
  url: /send
  headers: {X-Api-Key: "{{.Secret.door}}"}
  body: '{"to": "{{.To}}", "text": "{{.Text}}"}'
  secrets: {door: {env: YOURS_DOOR}, token: {file: token.txt}}
  success: [202]
  webhook: /hooks
  image: IMAGE
  command: [-timeout, 300ms, -again]
  environment: {CLOUD_API: "{{.FakeWA}}", TOKEN: "{{.Secret.token}}", API_KEY: "{{.Secret.door}}"}
  port: 9000
  ready: /healthz
  replicas: 2
timeline:
  - {at: 1s, kill: target/1}
  - {at: 2s, pause: target/2, for: 500ms}
  - {at: 3s, for: 2s, fault: {kind: latency, where: messages, add: 1s, share: 30%}}
  - {at: 3s, scale: {target: 3}}
  - {at: 6s, restart: target/3}
thresholds: [{id: no-duplicates, metric: duplicates.messages, is: "== 0"}]
`

// theirImage builds the image of somebody else's sender; the test removes it in the end.
func theirImage(t *testing.T) string {
	t.Helper()
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		needEngine(t, noEngine(err))
	}
	t.Cleanup(func() { _ = provider.Close() })
	if _, err := provider.Client().Ping(t.Context(), client.PingOptions{}); err != nil {
		needEngine(t, noEngine(err))
	}
	name, err := buildImage(t.Context(), provider, buildStatic(t, "./testdata/theirs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := provider.Client().ImageRemove(context.Background(), name, client.ImageRemoveOptions{PruneChildren: true}); err != nil {
			t.Error(err)
		}
	})
	return name
}

// Somebody else's image is run in copies, told where the fake is, acted upon by the timeline, and its flaw is found.
// What is secret stays out of the run's folder.
func TestE2EYourImage(t *testing.T) {
	const door, token = "open-sesame-4711", "EAAnobody-knows-0815"
	image, dir := theirImage(t), t.TempDir()
	t.Setenv("YOURS_DOOR", door)
	if err := os.WriteFile(filepath.Join(dir, "token.txt"), []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Read(filepath.Join(dir, "yours.yaml"), []byte(strings.Replace(yours, "IMAGE", image, 1)), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(dir, "run")
	s, err := Build(t.Context(), Options{
		Options: remote.Options{Scenario: sc, Every: time.Second, Run: "e2e-yours"}, Exe: buildStatic(t, "./testdata/whole"), Dir: run,
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := trial.Run(t.Context(), s, filepath.Join(run, "record"))
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
	nothingLeft(t, "e2e-yours")
	if n := r.Outcomes[record.Delivered]; n < 150 || r.Copies == 0 || len(r.Info.Harness.Invalid) > 0 {
		t.Errorf("%v, %d copies, invalid %v\n%s", r.Outcomes, r.Copies, r.Info.Harness.Invalid, strings.Join(r.Others, "\n"))
	}
	for _, name := range []string{"part_target_1_memory_bytes", "part_target_3_cpu_cores"} {
		if r.Most(name) == 0 {
			t.Errorf("gauge %s is never above 0", name)
		}
	}
	log, err := os.ReadFile(filepath.Join(run, "parts", "target-2", "log.txt"))
	if err != nil || !strings.Contains(string(log), "status true") {
		t.Errorf("signed webhooks: %.200s, %v", log, err)
	}
	err = filepath.WalkDir(run, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), door) || strings.Contains(string(b), token) {
			t.Errorf("%s holds a secret", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("outcomes %v, %d copies", r.Outcomes, r.Copies)
}

func TestE2EYourImageNeverReady(t *testing.T) {
	image := theirImage(t)
	text := strings.NewReplacer("IMAGE", image, "ready: /healthz", "ready: /never\n  within: 2s", "{env: YOURS_DOOR}", "{file: /etc/hostname}", "{file: token.txt}", "{file: /etc/hostname}").Replace(yours)
	sc, err := scenarios.Read("yours.yaml", []byte(text), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Build(t.Context(), Options{Options: remote.Options{Scenario: sc, Run: "e2e-never"}, Exe: buildStatic(t, "./testdata/whole"), Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), `no answer from "/never" within 2s`) || !strings.Contains(err.Error(), "target/") {
		t.Errorf("an image that never gets ready: %v", err)
	}
	nothingLeft(t, "e2e-never")
}
