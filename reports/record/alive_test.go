//go:build unix

package record

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

// TestDeadRunsAreKnown: a record is alive while its writer is, and following one whose process is gone ends.
func TestDeadRunsAreKnown(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, testInfo(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !Alive(dir) {
		t.Error("a record that is being written counts as dead")
	}
	w.Event(Event{Kind: "start", Text: "x"})
	w.closeFiles() // as a kill does: nothing says that the run has ended
	if Alive(dir) {
		t.Error("a record without a writer counts as alive")
	}
	var seen int
	var end error
	for _, err := range Follow(context.Background(), dir, Cursor{}, nil) {
		if end = err; err == nil {
			seen++
		}
	}
	if seen != 1 || !errors.Is(end, ErrDied) {
		t.Errorf("%d items, then %v", seen, end)
	}
}
