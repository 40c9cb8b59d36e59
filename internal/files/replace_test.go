package files

import (
	"os"
	"path/filepath"
	"testing"
)

// TestReplace: what has the name is replaced, and what it points to is left alone.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	theirs, name := filepath.Join(dir, "theirs"), filepath.Join(dir, "report.html")
	if err := os.WriteFile(theirs, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(theirs, name); err != nil {
		t.Skip(err)
	}
	for _, text := range []string{"one", "two"} {
		if err := Replace(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(name); err != nil || string(b) != text {
			t.Errorf("%q %v", b, err)
		}
	}
	if b, _ := os.ReadFile(theirs); string(b) != "mine" {
		t.Errorf("what the link pointed to is %q now", b)
	}
	if err := Replace(filepath.Join(dir, "none", "x"), nil); err == nil {
		t.Error("written into a folder that is not there")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("%d files, and there were two", len(entries))
	}
}
