//go:build unix

package proc

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness/remote"
)

// aProgram is a shell script that is not ours: $0 is a server, $1 where it is to listen.
func aProgram(name, script string) remote.Part {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return remote.Part{
		Name: name, Doors: []string{"http"}, Ready: "/readyz", Within: 10 * time.Second,
		Program: &remote.Program{Name: "sh", Folder: filepath.Dir(exe), Env: func(map[string]string) []string {
			return append(os.Environ(), "AFTERSHOCK_TEST_CHILD=serve")
		}},
		Args: func(listen map[string]string, _ func(string) string) []string {
			return []string{"-c", script, exe, listen["http"]}
		},
	}
}

// gone waits until nobody answers at a URL any more.
func gone(t *testing.T, url string) {
	t.Helper()
	for range 500 {
		resp, err := probe.Get(url)
		if err != nil {
			return
		}
		resp.Body.Close()
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%s still answers", url)
}

// All that a program has started ends with it, however that ends, and is counted with it.
func TestProgramEndsWhole(t *testing.T) {
	e := newTestEngine(t)
	u, err := begin(t.Context(), e, aProgram("target/1", `"$0" "$1" & wait`))
	if err != nil {
		t.Fatal(err)
	}
	url := u.URL("http") + "/pid"
	first := get(t, url)
	if use, err := u.Usage(t.Context()); err != nil || use.Memory < 4<<20 {
		t.Errorf("usage %+v, %v: the shell's alone?", use, err)
	}
	if err := u.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone(t, url)
	if err := u.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if get(t, url) == first {
		t.Error("the same server after a kill")
	}
	if err := u.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone(t, url)
	left, err := begin(t.Context(), e, aProgram("target/2", `"$0" "$1" & sleep 1; exit 3`))
	if err != nil {
		t.Fatal(err)
	}
	<-left.(*child).ended
	gone(t, left.URL("http")+"/pid")
	if ok, why := left.Alive(); ok || !strings.Contains(why, "exit status 3") {
		t.Errorf("alive %v, %q", ok, why)
	}
	log, err := os.ReadFile(filepath.Join(e.dir, "target-1", "log.txt"))
	if err != nil || strings.Count(string(log), "serving") != 2 {
		t.Errorf("log of two lives: %q, %v", log, err)
	}
}

func TestProgramThatCannotStart(t *testing.T) {
	e := newTestEngine(t)
	p := aProgram("target/1", `echo "no licence" >&2; exit 7`)
	if _, err := begin(t.Context(), e, p); err == nil || !strings.Contains(err.Error(), "exit status 7") || !strings.Contains(err.Error(), "no licence") {
		t.Errorf("one that ends at once: %v", err)
	}
	p = aProgram("target/2", "")
	p.Program.Name = "no-such-program-here"
	if _, err := begin(t.Context(), e, p); err == nil || !strings.Contains(err.Error(), "no-such-program-here is not a program that can be found") {
		t.Errorf("one that is not installed: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p = aProgram("target/3", `"$0" "$1"`)
	p.Listen = map[string]string{"http": l.Addr().String()}
	if _, err := begin(t.Context(), e, p); err == nil || !strings.Contains(err.Error(), "its port is taken") {
		t.Errorf("one whose port is taken: %v", err)
	}
}

// A program that prints without end does not fill the disk; its last words are kept.
func TestLogIsBounded(t *testing.T) {
	dir := t.TempDir()
	l, err := openLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	l.most = 1000
	for i := range 100 {
		if n, err := l.Write(bytes.Repeat([]byte{byte('a' + i%26)}, 100)); n != 100 || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	now, err1 := os.ReadFile(filepath.Join(dir, logName))
	earlier, err2 := os.ReadFile(filepath.Join(dir, earlierName))
	if err1 != nil || err2 != nil || len(now)+len(earlier) != 2000 || !bytes.HasSuffix(now, []byte("vvv")) {
		t.Errorf("%d and %d bytes, %q; %v %v", len(now), len(earlier), now[max(0, len(now)-9):], err1, err2)
	}
}
