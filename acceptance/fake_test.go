// Package acceptance drives fakewa over the wire with clients that others wrote, unmodified: this file and
// piusalfred_test.go with one in Go, the .mjs files with three for Node.
package acceptance

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const (
	number    = "106540352242922"
	appSecret = "acceptance-app-secret"
)

// hook is one webhook as it came.
type hook struct {
	body   []byte
	header http.Header
}

// fake starts the command that $AFTERSHOCK names, with a callback of ours, and returns where it listens.
func fake(t *testing.T, args ...string) (graph, control string, hooks chan hook) {
	t.Helper()
	command := os.Getenv("AFTERSHOCK")
	if command == "" {
		t.Fatal("AFTERSHOCK does not name the command: run acceptance/run.sh")
	}
	hooks = make(chan hook, 100)
	callback := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a webhook that came in half fails its signature
		hooks <- hook{body, r.Header}
	}))
	t.Cleanup(callback.Close)
	cmd := exec.Command(command, append([]string{"fakewa", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0",
		"--webhook", callback.URL + "/hook", "--app-secret", appSecret, "--set", "latency=5ms", "--set", "media.latency=5ms",
		"--set", "statuses={sent: 10ms, delivered: 1s}"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the fake ended badly: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		switch f := strings.Fields(lines.Text()); {
		case len(f) == 3 && f[0] == "Graph":
			graph = f[2]
		case len(f) == 2 && f[0] == "control":
			control = f[1]
		case len(f) > 0 && f[0] == "curl" && graph != "":
			go io.Copy(io.Discard, out)
			return graph, control, hooks
		}
	}
	t.Fatalf("the fake did not say where it listens: %v", lines.Err())
	return "", "", nil
}
