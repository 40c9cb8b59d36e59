//go:build unix

package proc

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness/internal/trial"
	"github.com/aftershock-dev/aftershock/harness/remote"
	"github.com/aftershock-dev/aftershock/internal/offlimits"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// examples is where the documentation keeps its programs.
const examples = "../../../docs/examples"

// theirs starts the example sender, which is not ours, and returns its front door.
func theirs(t *testing.T, fake string, args ...string) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed: ", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	args = append([]string{filepath.Join(examples, "sender.py"), "--port", "0", "--api", "http://" + fake}, args...)
	cmd := exec.CommandContext(ctx, python, args...)
	cmd.SysProcAttr = attributes()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "listening on ")) + "/send"
}

// freeAddr is an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// againstTheirs replays the documentation's scenario against the documentation's sender.
func againstTheirs(t *testing.T, args ...string) trial.Result {
	t.Helper()
	sc, err := scenarios.Open(filepath.Join(examples, "your-sender.yaml"), scenarios.Options{Set: map[string]string{
		"load.phases.calm.for": "1s", "load.phases.slow.for": "5s", "load.phases.after.for": "1s", "timeline[0].at": "1s", "timeline[0].for": "5s",
	}})
	if err != nil {
		t.Fatal(err)
	}
	fake, dir := freeAddr(t), t.TempDir()
	o := remote.Options{Scenario: sc, Every: time.Second, Run: "yours", Outside: remote.Outside{URL: theirs(t, fake, args...), FakeListen: fake}}
	s, err := Build(t.Context(), Options{Options: o, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.FakeWA(); got != "http://"+fake {
		t.Errorf("the fake is at %s, not at %s", got, fake)
	}
	r, err := trial.Run(t.Context(), s, dir+"/record")
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
	if len(r.Info.Harness.Invalid) > 0 {
		t.Errorf("invalid: %v", r.Info.Harness.Invalid)
	}
	t.Logf("%v, %d copies", r.Outcomes, r.Copies)
	return r
}

func TestTheirFlawIsFound(t *testing.T) {
	r := againstTheirs(t)
	if r.Copies < 3 || r.Outcomes[record.Lost] > 0 {
		t.Errorf("a sender that retries what it knows nothing about: %d copies, %v", r.Copies, r.Outcomes)
	}
	careful := againstTheirs(t, "--on-timeout", "give-up")
	if careful.Copies != 0 || careful.Outcomes[record.Lost] > 0 {
		t.Errorf("a sender that does not: %d copies, %v", careful.Copies, careful.Outcomes)
	}
}

func TestNobodySendsLoadToMeta(t *testing.T) {
	sc, err := trial.Scenario("")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []remote.Outside{
		{URL: "https://graph.facebook.com/v24.0/1/messages"}, {URL: "http://127.0.0.1:1", FakeURL: "http://157.240.1.35"},
	} {
		_, err = Build(t.Context(), Options{Options: remote.Options{Scenario: sc, Outside: o}, Dir: t.TempDir()})
		if !errors.Is(err, offlimits.ErrMeta) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestPortThatIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sc, err := trial.Scenario("")
	if err != nil {
		t.Fatal(err)
	}
	o := remote.Outside{URL: "http://127.0.0.1:1/send", FakeListen: l.Addr().String()}
	_, err = Build(t.Context(), Options{Options: remote.Options{Scenario: sc, Outside: o}, Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "address already in use") || !strings.Contains(err.Error(), "start fake") {
		t.Errorf("a port that is taken: %v", err)
	}
}

// started is the documentation's sender, started by the run: two copies, killed and restarted by the timeline.
const started = `
schema: aftershock/scenario/v1
name: started
seed: 5
load: {arrivals: even, phases: [{name: busy, for: 4s, rate: 20/s}]}
drain: 10s
messages: {recipients: 100}
client: {timeout: 5s, retries: 8, backoff: 300ms}
whatsapp: {latency: 20ms, limits: {throughput: 0/s, pair: {every: 0s}}, statuses: {sent: 50ms, delivered: 100ms}}
target:
  url: /send
  body: '{"to": "{{.To}}", "text": "{{.Text}}"}'
  command: [python3, sender.py, --port, "{{.Port}}", --api, "{{.FakeWA}}", --token, "{{.Secret.token}}"]
  environment: {RATE: "7"}
  secrets: {token: {env: THEIR_TOKEN}}
  replicas: 2
timeline:
  - {at: 1s, for: 1s, kill: target}
  - {at: 3s, restart: target/2}
thresholds: [{id: no-duplicates, metric: duplicates.messages, is: "== 0"}]
`

// A program is started in copies, told where the fake is and where to listen, acted upon by the timeline, and kept down
// for as long as a kill says.
func TestTheirProgram(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed: ", err)
	}
	const token = "EAAnobody-knows-4711"
	t.Setenv("THEIR_TOKEN", token)
	sc, err := scenarios.Read(filepath.Join(examples, "started.yaml"), []byte(started), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s, err := Build(t.Context(), Options{Options: remote.Options{Scenario: sc, Every: 200 * time.Millisecond}, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	r, err := trial.Run(t.Context(), s, filepath.Join(dir, "record"))
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
	if len(r.Info.Harness.Invalid) > 0 || r.Copies > 0 || r.Outcomes[record.Delivered] < 70 {
		t.Errorf("invalid: %v, %d copies, %v", r.Info.Harness.Invalid, r.Copies, r.Outcomes)
	}
	if got := r.Info.Effective["target.environment.RATE"]; got != "7" {
		t.Errorf("the record says RATE is %q", got)
	}
	down, up := 0, 0
	for _, g := range r.Gauges {
		switch ready := g.Values[record.GReplicasReady]; {
		case g.At > 1200*time.Millisecond && g.At < 1900*time.Millisecond:
			down += int(ready)
		case g.At > 4*time.Second && ready == 2:
			up++
		}
	}
	if down > 0 || up == 0 {
		t.Errorf("%d copies while they were killed, %d readings with both afterwards", down, up)
	}
	for _, name := range []string{"target-1", "target-2"} {
		log, err := os.ReadFile(filepath.Join(dir, "parts", name, "log.txt"))
		if err != nil || !bytes.Contains(log, []byte("listening on http://127.0.0.1:")) {
			t.Errorf("%s: %q, %v", name, log, err)
		}
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(token)) {
			t.Errorf("the secret is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
