package record

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzFolder: whatever one file of a run's folder holds, the record is loaded or refused, in bounded time, and never
// stands for more than was written.
func FuzzFolder(f *testing.F) {
	whole := filepath.Join(f.TempDir(), "run")
	w := create(f, whole)
	for _, a := range attemptsOfEveryKind {
		w.Attempt(a)
	}
	w.Gauge(Gauge{At: 5 * time.Second})
	for _, m := range rowsOfEveryKind {
		w.Message(m)
	}
	info := testInfo()
	info.State = Finished
	if err := w.Close(info); err != nil {
		f.Fatal(err)
	}
	entries, err := os.ReadDir(whole)
	if err != nil {
		f.Fatal(err)
	}
	for i, e := range entries {
		b, err := os.ReadFile(filepath.Join(whole, e.Name()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(i, b)
		f.Add(i, b[:len(b)/2])
		f.Add((i+1)%len(entries), b)
	}
	f.Fuzz(func(t *testing.T, which int, content []byte) {
		dir := filepath.Join(t.TempDir(), "run")
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		name := entries[uint(which)%uint(len(entries))].Name()
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if run, err := Load(dir); err == nil && len(run.Messages) > len(rowsOfEveryKind)+len(content) {
			t.Fatalf("%d messages from %d bytes of %s", len(run.Messages), len(content), name)
		}
		for _, err := range Attempts(dir) {
			if err != nil {
				break
			}
		}
	})
}
