//go:build unix

package proc

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness/remote"
)

// The test's own program plays the children: with AFTERSHOCK_TEST_CHILD set it is one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "part" {
		os.Exit(runPart(os.Args[2:]))
	}
	switch os.Getenv("AFTERSHOCK_TEST_CHILD") {
	case "serve":
		os.Exit(serve(os.Args[1]))
	case "fail":
		fmt.Fprintln(os.Stderr, "cannot read the file it was given")
		os.Exit(7)
	case "mute":
		<-make(chan struct{})
	case "parent":
		os.Exit(parent(os.Args[1], aPart("orphan", "serve")))
	case "employer":
		os.Exit(parent(os.Args[1], aProgram("orphan", `"$0" "$1" & wait`)))
	}
	os.Exit(m.Run())
}

// tellSlack tells a child's slack, where there is such a thing.
var tellSlack http.HandlerFunc

// serve answers on an address until it is told to stop.
func serve(addr string) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {})
	mux.HandleFunc("GET /pid", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getpid()) })
	if tellSlack != nil {
		mux.HandleFunc("GET /slack", tellSlack)
	}
	srv := &http.Server{Addr: addr, Handler: mux}
	go func() { <-stop; srv.Close() }()
	fmt.Println("serving", addr)
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// parent starts a child through an engine, prints its process number and waits to be killed.
func parent(dir string, p remote.Part) int {
	e, err := NewEngine("", dir)
	if err == nil {
		_, err = begin(context.Background(), e, p)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	<-make(chan struct{})
	return 0
}

var probe = &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// begin adds a part and starts it.
func begin(ctx context.Context, e *Engine, p remote.Part) (remote.Unit, error) {
	u, err := e.Add(ctx, p)
	if err != nil {
		return nil, err
	}
	return u, u.Start(ctx)
}

func aPart(name, mode string) remote.Part {
	return remote.Part{
		Name: name, Doors: []string{"http"}, Ready: "/readyz", Env: map[string]string{"AFTERSHOCK_TEST_CHILD": mode},
		Args:   func(listen map[string]string, _ func(string) string) []string { return []string{listen["http"]} },
		Within: 10 * time.Second,
	}
}

func newTestEngine(t *testing.T) *Engine {
	t.Helper()
	e, err := NewEngine("", filepath.Join(t.TempDir(), "parts"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := probe.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestChildLivesAndEnds(t *testing.T) {
	e := newTestEngine(t)
	u, err := begin(t.Context(), e, aPart("whatsapp/1", "serve"))
	if err != nil {
		t.Fatal(err)
	}
	first := get(t, u.URL("http")+"/pid")
	if err := u.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ok, why := u.Alive(); ok || why != "" {
		t.Errorf("after a kill on purpose: alive %v, %q", ok, why)
	}
	if err := u.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := get(t, u.URL("http")+"/pid"); again == first {
		t.Errorf("it still is process %s", first)
	}
	log, err := os.ReadFile(filepath.Join(e.dir, "whatsapp-1", "log.txt"))
	if err != nil || strings.Count(string(log), "serving") != 2 {
		t.Errorf("log of two lives: %q, %v", log, err)
	}
	if use, err := u.Usage(t.Context()); err != nil || use.Memory == 0 || use.CPU == 0 {
		t.Errorf("usage %+v, %v", use, err)
	}
	if err := u.Start(t.Context()); err == nil {
		t.Error("a running part was started twice")
	}
}

func TestPausedChildDoesNotAnswer(t *testing.T) {
	e := newTestEngine(t)
	u, err := begin(t.Context(), e, aPart("drafts", "serve"))
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, u.URL("http")+"/pid", nil)
	if resp, err := probe.Do(req); err == nil {
		resp.Body.Close()
		t.Error("a paused part answered")
	}
	if err := u.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	get(t, u.URL("http")+"/pid")
	if err := u.Pause(t.Context()); err != nil { // Close has to end a paused one, too
		t.Fatal(err)
	}
	if err := u.Cut(t.Context()); err == nil || !strings.Contains(err.Error(), "--env containers") {
		t.Errorf("cutting a process off: %v", err)
	}
}

func TestChildThatCannotStart(t *testing.T) {
	e := newTestEngine(t)
	_, err := begin(t.Context(), e, aPart("fake", "fail"))
	if err == nil || !strings.Contains(err.Error(), "exit status 7") || !strings.Contains(err.Error(), "cannot read the file") {
		t.Errorf("a part that ends at once: %v", err)
	}
	p := aPart("mute", "mute")
	p.Within = 200 * time.Millisecond
	if _, err = begin(t.Context(), e, p); err == nil || !strings.Contains(err.Error(), "not ready") {
		t.Errorf("a part that never answers: %v", err)
	}
	p = aPart("image", "serve")
	p.Image = "busybox"
	if _, err = begin(t.Context(), e, p); err == nil || !strings.Contains(err.Error(), "--env containers") {
		t.Errorf("an image as a process: %v", err)
	}
}

func TestChildThatEndsByItself(t *testing.T) {
	e := newTestEngine(t)
	u, err := begin(t.Context(), e, aPart("whatsapp/2", "serve"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(get(t, u.URL("http")+"/pid"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	<-u.(*child).ended
	if ok, why := u.Alive(); ok || !strings.Contains(why, "by itself") {
		t.Errorf("alive %v, %q", ok, why)
	}
}

// A run that is killed leaves no process behind.
func TestChildrenEndWithTheirParent(t *testing.T) {
	for _, mode := range []string{"parent", "employer"} { // of our own part, and of a shell's child
		t.Run(mode, func(t *testing.T) { endsWithItsParent(t, mode) })
	}
}

func endsWithItsParent(t *testing.T, mode string) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(exe, dir)
	cmd.Env = append(os.Environ(), "AFTERSHOCK_TEST_CHILD="+mode)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var addr string
	deadline := time.Now().Add(10 * time.Second)
	for addr == "" {
		if time.Now().After(deadline) {
			t.Fatal("the child of the child did not start")
		}
		time.Sleep(10 * time.Millisecond)
		if b, err := os.ReadFile(filepath.Join(dir, "orphan", "log.txt")); err == nil {
			addr = strings.TrimSpace(strings.TrimPrefix(string(b), "serving"))
		}
	}
	for range 500 { // it may print before it listens
		if resp, err := probe.Get("http://" + addr + "/pid"); err == nil {
			resp.Body.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for range 500 {
		resp, err := probe.Get("http://" + addr + "/pid")
		if err != nil {
			return
		}
		resp.Body.Close()
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the child outlives its parent")
}
