//go:build unix

package record

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipesAreNotWaitedFor: a file of a run that is a pipe is told as what it is; opening it would wait for ever.
func TestPipesAreNotWaitedFor(t *testing.T) {
	for _, name := range append([]string{FileInfo}, sealed...) {
		dir := filepath.Join(t.TempDir(), "run")
		info := testInfo()
		info.State = Finished
		if err := create(t, dir).Close(info); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Skip(err)
		}
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "a pipe") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
