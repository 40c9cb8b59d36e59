package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/virtual"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// The benchmark's target is a process of its own: this program, with an address to listen on.
func TestMain(m *testing.M) {
	if addr := os.Getenv("AFTERSHOCK_TEST_CLOCK"); addr != "" {
		if err := http.ListenAndServe(addr, &clock{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// clock is a target that notes when requests arrive, and may hold those of a stretch of time.
type clock struct {
	mu       sync.Mutex
	arrivals []time.Time
	freeze   func(at time.Time) time.Duration // how long to hold a request
}

func (c *clock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	switch r.URL.Path {
	case "/arrivals": // tells, and forgets
		c.mu.Lock()
		list := c.arrivals
		c.arrivals = nil
		c.mu.Unlock()
		_ = json.NewEncoder(w).Encode(list)
		return
	case "/ready":
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	c.mu.Lock()
	c.arrivals = append(c.arrivals, now)
	freeze := c.freeze
	c.mu.Unlock()
	if freeze != nil {
		time.Sleep(freeze(now))
	}
	w.WriteHeader(http.StatusAccepted)
}

// steady is a scenario of even load.
func steady(tb testing.TB, rate int, length time.Duration) *scenarios.Scenario {
	tb.Helper()
	yaml := fmt.Sprintf(`
schema: aftershock/scenario/v1
name: pacing
seed: 1
load: {arrivals: even, phases: [{name: steady, for: %v, rate: %d/s}]}
client: {timeout: 30s}
drain: 1s
thresholds: [{id: sent, metric: messages.unsent, is: "== 0"}]
`, length, rate)
	s, err := scenarios.Read("pacing.yaml", []byte(yaml), scenarios.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// shoot lets a Runner send a scenario's load and returns its messages.
func shoot(ctx context.Context, sc *scenarios.Scenario, url string, transport http.RoundTripper, inVirtualTime bool, dir string) (record.Info, []record.Message, error) {
	w, err := record.Create(dir, record.Info{}, sc.YAML())
	if err != nil {
		return record.Info{}, nil, err
	}
	r := &harness.Runner{
		Scenario: sc, System: harness.System{Name: "bare", URL: url, Transport: transport}, Writer: w, Virtual: inVirtualTime, Every: time.Second,
	}
	info, err := r.Run(ctx)
	if err = errors.Join(err, w.Close(info)); err != nil {
		return info, nil, err
	}
	run, err := record.Load(dir)
	if err != nil {
		return info, nil, err
	}
	return info, run.Messages, nil
}

func quantile(d []time.Duration, q float64) time.Duration {
	slices.Sort(d)
	return d[min(len(d)-1, int(q*float64(len(d))))]
}

// A target that holds every request for two of ten seconds: a generator that waits for answers before it sends the next
// hit sees nothing of it.
func TestFreezeIsSeen(t *testing.T) {
	network := virtual.NewNetwork()
	var info record.Info
	var messages []record.Message
	var err error
	dir := t.TempDir()
	sc := steady(t, 500, 10*time.Second)
	virtual.Run(time.Time{}, func() {
		begin := time.Now()
		c := &clock{freeze: func(at time.Time) time.Duration {
			if since := at.Sub(begin); since >= 4*time.Second && since < 6*time.Second {
				return 6*time.Second - since
			}
			return 0
		}}
		network.Handle("target", c)
		info, messages, err = shoot(context.Background(), sc, "http://target", network, true, dir)
		network.Wait()
	})
	if err != nil {
		t.Fatal(err)
	}
	var response []time.Duration
	for _, m := range messages {
		response = append(response, m.Answered-m.Scheduled)
	}
	if p99 := quantile(response, .99); len(response) < 4999 || p99 < 1800*time.Millisecond || info.Harness.Unsent > 0 {
		t.Errorf("%d hits, %d unsent, p90 %v, p99 %v", len(response), info.Harness.Unsent, quantile(response, .9), p99)
	}
}

// clockProcess starts the target and returns its address.
func clockProcess(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "AFTERSHOCK_TEST_CLOCK="+addr)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 500 {
		if resp, err := http.Get("http://" + addr + "/ready"); err == nil {
			resp.Body.Close()
			return addr
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Fatal("the target does not answer")
	return ""
}

// lateness is by how much each arrival was behind the ideal line; the most punctual one is on it.
func lateness(b *testing.B, addr string, rate int) []time.Duration {
	b.Helper()
	resp, err := http.Get("http://" + addr + "/arrivals")
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	var at []time.Time
	if err := json.NewDecoder(resp.Body).Decode(&at); err != nil || len(at) == 0 {
		b.Fatalf("%d arrivals, %v", len(at), err)
	}
	slices.SortFunc(at, time.Time.Compare)
	out := make([]time.Duration, len(at))
	first := time.Duration(math.MaxInt64)
	for i := range at {
		out[i] = at[i].Sub(at[0]) - time.Duration(i)*time.Second/time.Duration(rate)
		first = min(first, out[i])
	}
	for i := range out {
		out[i] -= first
	}
	return out
}

// paces are the rates to compare at, a second, and for how long.
var paces = []struct {
	rate int
	over time.Duration
}{{200, 10 * time.Second}, {1000, 30 * time.Second}, {5000, 10 * time.Second}}

// BenchmarkPacing compares how punctual hits leave: ours, the vegeta command's, and k6's where it can be had. The target
// is one process, its clock the judge of all. The tools take turns, so that a busy moment of the machine strikes all
// alike; of each tool the median round counts.
func BenchmarkPacing(b *testing.B) {
	addr := clockProcess(b)
	vegeta := filepath.Join(b.TempDir(), "vegeta")
	if out, err := exec.Command("go", "build", "-o", vegeta, "github.com/tsenart/vegeta/v12").CombinedOutput(); err != nil {
		b.Fatalf("build the vegeta command: %v\n%s", err, out)
	}
	tools := []shooter{
		{"aftershock", func(b *testing.B, rate int, over time.Duration) {
			defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the command does
			transport := &http.Transport{MaxIdleConnsPerHost: 4096}
			defer transport.CloseIdleConnections()
			if _, _, err := shoot(b.Context(), steady(b, rate, over), "http://"+addr, transport, false, b.TempDir()); err != nil {
				b.Fatal(err)
			}
		}},
		{"vegeta", func(b *testing.B, rate int, over time.Duration) {
			cmd := exec.Command(vegeta, "attack", fmt.Sprintf("-rate=%d", rate), "-duration="+over.String(), "-output="+os.DevNull)
			cmd.Stdin = strings.NewReader("POST http://" + addr + "/v1/messages\n")
			command(b, cmd)
		}},
	}
	if k6, err := k6Command(b); err == nil {
		tools = append(tools, shooter{"k6", func(b *testing.B, rate int, over time.Duration) {
			script := filepath.Join(b.TempDir(), "pacing.js")
			if err := os.WriteFile(script, []byte(k6Script(addr, rate, over)), 0o600); err != nil {
				b.Fatal(err)
			}
			command(b, exec.Command(k6, "run", "--quiet", "--no-usage-report", script))
		}})
	} else {
		b.Logf("compared with vegeta alone: %v", err)
	}
	for _, p := range paces {
		b.Run(fmt.Sprint(p.rate), func(b *testing.B) { takeTurns(b, tools, addr, p.rate, p.over) })
	}
}

// k6Module is the k6 command. It is not among the tools of go.mod: its many modules would then come with every clone.
const k6Module = "go.k6.io/k6@v1.8.1"

// k6Command builds the k6 command, where the module proxy can be reached, or finds the one that is installed.
func k6Command(b *testing.B) (string, error) {
	dir := b.TempDir()
	install := exec.Command("go", "install", k6Module)
	install.Env = append(os.Environ(), "GOBIN="+dir)
	out, err := install.CombinedOutput()
	if err == nil {
		return filepath.Join(dir, "k6"), nil
	}
	if path, none := exec.LookPath("k6"); none == nil {
		return path, nil
	}
	return "", fmt.Errorf("k6 is not installed, and %s cannot be built: %w\n%s", k6Module, err, out)
}

// shooter is a tool that sends even load for a while.
type shooter struct {
	name string
	run  func(b *testing.B, rate int, over time.Duration)
}

// takeTurns lets the tools send in turn and reports each one's median round.
func takeTurns(b *testing.B, tools []shooter, addr string, rate int, over time.Duration) {
	p50, p99, hits := map[string][]time.Duration{}, map[string][]time.Duration{}, map[string]int{}
	for b.Loop() {
		for _, t := range tools {
			t.run(b, rate, over)
			late := lateness(b, addr, rate)
			p50[t.name] = append(p50[t.name], quantile(late, .5))
			p99[t.name] = append(p99[t.name], quantile(late, .99))
			hits[t.name] += len(late)
		}
	}
	for _, t := range tools {
		b.ReportMetric(quantile(p50[t.name], .5).Seconds()*1e3, t.name+"-p50-ms")
		b.ReportMetric(quantile(p99[t.name], .5).Seconds()*1e3, t.name+"-p99-ms")
		b.ReportMetric(float64(hits[t.name])/float64(b.N), t.name+"-hits")
	}
}

func command(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s: %v\n%s", cmd.Path, err, out.Bytes())
	}
}

func k6Script(addr string, rate int, over time.Duration) string {
	return fmt.Sprintf(`
import http from 'k6/http';
export const options = { discardResponseBodies: true, scenarios: { steady: {
  executor: 'constant-arrival-rate', rate: %d, timeUnit: '1s', duration: '%v', preAllocatedVUs: 500, maxVUs: 2000 } } };
export default function () { http.post('http://%s/v1/messages', '{}'); }
`, rate, over, addr)
}
