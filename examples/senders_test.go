//go:build senders

package examples

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sender is one of the senders that are not in Go.
type sender struct {
	name  string
	needs []string // programs
	npm   bool     // it has packages to install
}

// summary is what the tests read of a run.
type summary struct {
	Verdict    string
	Messages   struct{ Offered, Delivered int }
	Duplicates struct{ Messages, Copies int }
	Harness    struct{ Warnings []string }
}

// Each sender has a flaw that its scenario finds, and a variant without it. They run on the wall's clock, ten times as
// fast as they think, which takes a machine with some room: figures of a run that is not to be believed are looked at all
// the same, for the flaw is far from any doubt.
func TestSenders(t *testing.T) {
	if found, _ := filepath.Glob("/usr/lib/*/faketime/libfaketimeMT.so.1"); len(found) == 0 {
		t.Skip("libfaketime is not installed: apt-get install faketime")
	}
	tool := filepath.Join(t.TempDir(), "aftershock")
	if out, err := exec.Command("go", "build", "-o", tool, "../cmd/aftershock").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, s := range []sender{
		{"bullmq", []string{"node", "npm", "redis-server"}, true}, {"python", []string{"python3"}, false}, {"ruby", []string{"ruby"}, false},
	} {
		t.Run(s.name, func(t *testing.T) {
			for _, program := range s.needs {
				if _, err := exec.LookPath(program); err != nil {
					t.Skip(program + " is not installed")
				}
			}
			scenario := filepath.Join(s.name, "scenario.yaml")
			if s.npm {
				scenario = install(t, s.name)
			}
			flawed := replay(t, tool, scenario)
			if flawed.Duplicates.Messages < 50 || flawed.Messages.Delivered < flawed.Messages.Offered*98/100 {
				t.Errorf("its flaw was not found: %+v", flawed)
			}
			careful := replay(t, tool, scenario, "--variant", "careful")
			if careful.Duplicates.Copies > 0 || careful.Messages.Delivered < careful.Messages.Offered*98/100 {
				t.Errorf("without the flaw: %+v", careful)
			}
		})
	}
}

// install copies a sender to a folder of its own and installs its packages there; it returns the scenario's file.
func install(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(name)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("npm installs nothing here: %v\n%s", err, out)
	}
	return filepath.Join(dir, "scenario.yaml")
}

// replay runs a scenario ten times as fast and reads its summary.
func replay(t *testing.T, tool, scenario string, more ...string) (s summary) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "run")
	cmd := exec.Command(tool, append([]string{"run", scenario, "--compress", "10", "--ui", "none", "-o", "json", "--out", out}, more...)...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	b, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || json.Unmarshal(b, &s) != nil {
		t.Fatalf("%v\n%s%s", err, b, complaints.String())
	}
	t.Logf("%s %s: %d of %d delivered, %d sent twice (%d copies)", s.Verdict, strings.Join(more, " "), s.Messages.Delivered, s.Messages.Offered, s.Duplicates.Messages, s.Duplicates.Copies)
	return s
}
