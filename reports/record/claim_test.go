package record

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// TestFoldersOfOthersAreLeftAlone: a folder that holds anything is not a run's.
func TestFoldersOfOthersAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	plots := filepath.Join(dir, "plots")
	if err := os.Mkdir(plots, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, testInfo(), nil); !errors.Is(err, ErrTaken) {
		t.Errorf("a project's folder: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v %v", entries, err)
	}
	hidden := t.TempDir()
	if err := os.WriteFile(filepath.Join(hidden, ".gitkeep"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	w, err := Create(hidden, testInfo(), nil)
	if err != nil {
		t.Fatalf("a folder with a hidden file: %v", err)
	}
	if err := w.Close(testInfo()); err != nil {
		t.Error(err)
	}
}

// TestOneRunAFolder: of many that begin at once in one folder, one does.
func TestOneRunAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	var begun atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			w, err := Create(dir, testInfo(), nil)
			if err != nil {
				if !errors.Is(err, ErrTaken) {
					t.Error(err)
				}
				return
			}
			begun.Add(1)
			if err := w.Close(testInfo()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if begun.Load() != 1 {
		t.Errorf("%d runs in one folder", begun.Load())
	}
}
