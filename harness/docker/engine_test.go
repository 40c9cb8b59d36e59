package docker

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/harness/remote"
)

// Testcontainers reads its settings once, and some tests call it before our engine has made them.
func TestMain(m *testing.M) {
	if err := os.Setenv(noJanitor, "true"); err != nil {
		panic(err)
	}
	switch what := os.Getenv(roleVariable); what {
	case "janitor":
		if err := Clean(context.Background(), os.Stdin, os.Args[1], os.Args[2]); err != nil {
			panic(err)
		}
		os.Exit(0)
	case "":
		os.Exit(m.Run())
	default:
		os.Exit(beKilled(what))
	}
}

// roleVariable is the variable that makes this test's program something else than tests.
const roleVariable = "AFTERSHOCK_TEST_ROLE"

// beKilled starts a part from an image in containers, and waits for its end.
func beKilled(exe string) int {
	e, err := NewEngine(context.Background(), Config{
		Exe: exe, Dir: os.Getenv("DIR"), Run: os.Getenv("RUN"), Janitor: []string{"/usr/bin/env", roleVariable + "=janitor", os.Args[0]},
	})
	if err != nil {
		panic(err)
	}
	u, err := e.Add(context.Background(), aPart("drafts"))
	if err == nil {
		err = u.Start(context.Background())
	}
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString("up\n")
	select {}
}

// buildStatic builds a package as a static Linux binary.
func buildStatic(t *testing.T, pkg string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "part")
	cmd := exec.Command("go", "build", "-o", exe, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return exe
}

// needEngine skips the test when err says that no Docker engine answers.
func needEngine(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, errNoEngine) {
		t.Skip(err)
	}
}

// newTestEngine skips the test when no Docker engine answers.
func newTestEngine(t *testing.T, cfg Config) *Engine {
	t.Helper()
	cfg.Dir, cfg.Run = t.TempDir(), "test-"+strings.ToLower(t.Name())
	e, err := NewEngine(t.Context(), cfg)
	if err != nil {
		needEngine(t, err)
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		nothingLeft(t, cfg.Run)
	})
	return e
}

// nothingLeft looks for containers and networks of a run.
func nothingLeft(t *testing.T, run string) {
	t.Helper()
	c, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	mine := make(client.Filters).Add("label", label+"="+run)
	boxes, err := c.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: mine})
	if err != nil || len(boxes.Items) > 0 {
		t.Errorf("%d containers are left behind, %v", len(boxes.Items), err)
	}
	nets, err := c.NetworkList(context.Background(), client.NetworkListOptions{Filters: mine})
	if err != nil || len(nets.Items) > 0 {
		t.Errorf("%d networks are left behind, %v", len(nets.Items), err)
	}
}

// TestE2ENothingStaysBehindWhenKilled: containers, networks and the image go when the process that made them is killed in
// a way that it cannot catch.
func TestE2ENothingStaysBehindWhenKilled(t *testing.T) {
	newTestEngine(t, Config{Exe: buildStatic(t, "./testdata/part")}) // is there an engine at all?
	const run = "test-killed"
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+buildStatic(t, "./testdata/part"), "DIR="+t.TempDir(), "RUN="+run)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	up := make([]byte, 3)
	_, readErr := io.ReadFull(out, up)
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed
	if readErr != nil {
		t.Fatal(readErr)
	}
	c, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	mine := make(client.Filters).Add("label", label+"="+run)
	for until := time.Now().Add(closeWithin); time.Now().Before(until); time.Sleep(200 * time.Millisecond) {
		boxes, err := c.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: mine})
		if err != nil {
			t.Fatal(err)
		}
		nets, err := c.NetworkList(t.Context(), client.NetworkListOptions{Filters: mine})
		if err != nil {
			t.Fatal(err)
		}
		if len(boxes.Items)+len(nets.Items) == 0 {
			return
		}
	}
	nothingLeft(t, run)
}

func aPart(name string) remote.Part {
	return remote.Part{
		Name: name, Doors: []string{"http"}, Ready: "/readyz", Files: map[string][]byte{"config.yaml": []byte("a: 1")},
		Args:   func(listen map[string]string, _ func(string) string) []string { return []string{listen["http"]} },
		Within: 20 * time.Second,
	}
}

func begin(t *testing.T, e *Engine, p remote.Part) remote.Unit {
	t.Helper()
	u, err := e.Add(t.Context(), p)
	if err == nil {
		err = u.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func get(url string) (string, error) {
	c := http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func ask(from, to remote.Unit) (string, error) {
	return get(from.URL("http") + "/ask?url=" + url.QueryEscape(to.Inside("http")+"/who"))
}

func TestE2EEngine(t *testing.T) {
	e := newTestEngine(t, Config{Exe: buildStatic(t, "./testdata/part")})
	a, b := begin(t, e, aPart("drafts")), begin(t, e, aPart("whatsapp/1"))

	if who, err := ask(a, b); err != nil || who != "whatsapp-1 65534" {
		t.Errorf("over the network, one part says %q, %v", who, err)
	}
	if use, err := b.Usage(t.Context()); err != nil || use.CPU <= 0 || use.Memory <= 0 {
		t.Errorf("usage %+v, %v", use, err)
	}
	began := time.Now()
	for _, act := range []struct {
		name     string
		do, undo func(context.Context) error
	}{{"kill", b.Kill, b.Start}, {"pause", b.Pause, b.Resume}, {"partition", b.Cut, b.Heal}, {"stop", b.Stop, b.Start}} {
		t.Log(act.name, time.Since(began).Round(time.Millisecond))
		if err := act.do(t.Context()); err != nil {
			t.Fatalf("%s: %v", act.name, err)
		}
		if who, err := ask(a, b); err == nil && who == "whatsapp-1 65534" {
			t.Errorf("after %s it answers", act.name)
		}
		if err := act.undo(t.Context()); err != nil {
			t.Fatalf("undo %s: %v", act.name, err)
		}
		if who, err := ask(a, b); err != nil || who != "whatsapp-1 65534" {
			t.Errorf("after the end of %s: %q, %v", act.name, who, err)
		}
		if who, err := get(b.URL("http") + "/who"); err != nil || who != "whatsapp-1 65534" {
			t.Errorf("from here, after the end of %s: %q, %v", act.name, who, err)
		}
	}
	t.Log("close", time.Since(began).Round(time.Millisecond))
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	t.Log("closed", time.Since(began).Round(time.Millisecond))
	log, err := os.ReadFile(filepath.Join(e.cfg.Dir, "whatsapp-1", "log.txt"))
	if err != nil || strings.Count(string(log), "serving") != 3 || !strings.Contains(string(log), "config: a: 1") || strings.Contains(string(log), "denied") {
		t.Errorf("the log of three lives: %q, %v", log, err)
	}
}

// A delay is felt where the kernel can hold packets back, and refused with the reason where it cannot.
func TestE2EDelay(t *testing.T) {
	e := newTestEngine(t, Config{Exe: buildStatic(t, "./testdata/whole")})
	spec := func(name string) remote.Part {
		return remote.Part{
			Name: name, Doors: part.Doors(part.Gateway), Ready: part.Ready(part.Gateway), Within: 20 * time.Second,
			Files: map[string][]byte{"spec.json": []byte(`{"kind": "gateway", "name": "gateway"}`)},
			Args: func(listen map[string]string, file func(string) string) []string {
				return part.Args(file("spec.json"), file("store"), listen)
			},
		}
	}
	u := begin(t, e, spec("gateway"))
	const by = 200 * time.Millisecond
	err := u.(remote.Delayer).Delay(t.Context(), by)
	if err != nil {
		if !strings.Contains(err.Error(), "kernel has no netem") {
			t.Fatal(err)
		}
		t.Log(err)
		return
	}
	took := func() time.Duration {
		began := time.Now()
		if _, err := get(u.URL(part.HTTP) + "/readyz"); err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	if slow := took(); slow < by {
		t.Errorf("delayed by %v, it answers within %v", by, slow)
	}
	if err := errors.Join(u.(remote.Delayer).Delay(t.Context(), 0), u.(remote.Delayer).Delay(t.Context(), 0)); err != nil {
		t.Fatal(err)
	}
	if quick := took(); quick >= by {
		t.Errorf("delayed no more, it still takes %v", quick)
	}
}

func TestE2EPartsThatCannotStart(t *testing.T) {
	e := newTestEngine(t, Config{Exe: buildStatic(t, "./testdata/part")})
	p := aPart("fake")
	p.Args = func(map[string]string, func(string) string) []string { return nil }
	u, err := e.Add(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	err = u.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "exit status 7") || !strings.Contains(err.Error(), "no address was given") {
		t.Errorf("a part that ends at once: %v", err)
	}
	p = aPart("slow")
	p.Ready, p.Within = "/never", 2*time.Second
	if u, err = e.Add(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err = u.Start(t.Context()); err == nil || !strings.Contains(err.Error(), `no answer from "/never" within 2s`) {
		t.Errorf("a part that never gets ready: %v", err)
	}
	p = aPart("strange")
	p.Image = "registry.invalid/nobody/nothing:1"
	if _, err = e.Add(t.Context(), p); err == nil || !strings.Contains(err.Error(), "registry.invalid") {
		t.Errorf("an image that nobody has: %v", err)
	}
}

func TestOnlyStaticBinariesRunInAnEmptyImage(t *testing.T) {
	if err := checkStatic("script", []byte("#!/bin/sh\n")); err == nil || !strings.Contains(err.Error(), "not a Linux program") {
		t.Errorf("a script: %v", err)
	}
	for _, shell := range []string{"/bin/sh", "/usr/bin/env"} {
		b, err := os.ReadFile(shell)
		if err != nil {
			continue
		}
		if err := checkStatic(shell, b); err != nil && strings.Contains(err.Error(), "linked dynamically") && strings.Contains(err.Error(), "CGO_ENABLED=0") {
			return
		}
	}
	t.Log("no dynamically linked program was found here")
}

// An engine that is named and does not answer is an error, whatever other engines there are.
func TestNoEngineAnswers(t *testing.T) {
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
	e, err := NewEngine(t.Context(), Config{Dir: t.TempDir()})
	if err == nil {
		t.Error("another engine than the one that was named has answered", e.Close())
	} else if !errors.Is(err, errNoEngine) || !strings.Contains(err.Error(), "hint:") {
		t.Errorf("without an engine: %v", err)
	}
}

func TestOnlyAnEngineOnThisMachineSharesItsCores(t *testing.T) {
	t.Setenv("TESTCONTAINERS_HOST_OVERRIDE", "")
	for host, want := range map[string]int{"unix:///var/run/docker.sock": runtime.NumCPU(), "tcp://docker.example:2375": 0} {
		c, err := client.New(client.WithHost(host))
		if err != nil {
			t.Fatal(err)
		}
		e := &Engine{client: c}
		e.locate()
		if got := e.Cores(); got != want {
			t.Errorf("%s shares %d cores with us, want %d", host, got, want)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
