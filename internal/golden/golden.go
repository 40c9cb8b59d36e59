// Package golden compares what a test made with a file in testdata; go test -update rewrites the file.
package golden

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// Check compares got with the file at path (below the test's folder) and fails with the first lines that differ.
func Check(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update makes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update accepts it):\n%s", path, diff(string(want), string(got)))
	}
}

// diff shows the lines around the first difference.
func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	i := 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	var b strings.Builder
	show := func(sign string, lines []string) {
		for _, l := range lines[min(i, len(lines)):min(i+6, len(lines))] {
			if len(l) > 300 {
				l = l[:300] + "…"
			}
			b.WriteString(sign + l + "\n")
		}
	}
	show("- ", w)
	show("+ ", g)
	return b.String()
}
