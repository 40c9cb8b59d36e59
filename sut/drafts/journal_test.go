package drafts

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

func openJournal(t *testing.T, dir string) *Journal {
	j, err := OpenJournal(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func recalled(t *testing.T, dir string) *Service {
	j := openJournal(t, dir)
	s := &Service{w: Wiring{Journal: j}, books: newBooks()}
	if err := s.recall(); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJournalTellsWhatWasBegunAndWhatBecameOfIt(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	for _, err := range []error{
		j.later(lineCreated(&wire.Draft{ID: "m1-1", Created: 1, Print: 7, Tenant: "a b", Key: "key with spaces"})),
		j.write(lineBegun("m1-1", 2)),
		j.write(lineBegun("m2-1", 1), lineFinished("m2-1", Accepted, "")),
		j.write(lineBegun("m3-1", 1), lineLanded("m3-1"), lineFinished("m3-1", Failed, "the reason")),
		j.write(lineStatus("m2-1", Delivered)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, journalFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("F m1-1 4 =to"); err != nil { // what a kill in the middle of a write leaves
		t.Fatal(err)
	}
	f.Close()

	b := recalled(t, dir).books
	if n, begun := b.begun["m1-1"]; !begun || n != 2 || len(b.begun) != 1 {
		t.Errorf("begun: %v, want m1-1 at its second attempt alone", b.begun)
	}
	if k := b.keys["a b\x00key with spaces"]; k.draft != "m1-1" || k.print != 7 {
		t.Errorf("key: %+v", k)
	}
	if state, _, final, known := b.state("m2"); state != "delivered" || !final || !known {
		t.Errorf("m2: %s", state)
	}
	if state, reason, _, _ := b.state("m3"); state != "failed" || reason != "the reason" {
		t.Errorf("m3: %s %q", state, reason)
	}
}

func TestJournalGroupsItsWriters(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	var writers sync.WaitGroup
	for w := range 16 {
		writers.Go(func() {
			for i := range 50 {
				if err := j.write(lineBegun(fmt.Sprintf("m%d-%d", w, i), 1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(recalled(t, dir).books.begun); n != 16*50 {
		t.Errorf("%d of %d lines are there", n, 16*50)
	}
}

func TestJournalForgetsTwoGenerationsBack(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	for gen := range 3 {
		if err := j.write(lineBegun(fmt.Sprintf("m%d-1", gen), 1)); err != nil {
			t.Fatal(err)
		}
		if err := j.rotate([]string{lineBegun("held-1", 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	b := recalled(t, dir).books
	if _, old := b.begun["m0-1"]; old || len(b.begun) != 2 {
		t.Errorf("begun: %v, want m2-1 and held-1", b.begun)
	}
}

func TestPausesOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	s := &Service{w: Wiring{Journal: j, Log: slog.New(slog.DiscardHandler)}, books: newBooks(), gates: newGates()}
	s.desk = &desk{bell: make(chan struct{}, 1)}
	since := time.Unix(1_700_000_000, 5)
	for _, st := range []Stop{
		{Scope: "all", Since: since}, {Scope: "tenant", Name: "a b", Since: since, Until: since.Add(time.Hour)}, {Scope: "number", Name: "1", Since: since},
	} {
		if err := s.Pause(st); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // also when the journal has forgotten the lines themselves
		if err := j.rotate(s.stops.lines()); err != nil {
			t.Fatal(err)
		}
	}
	s.Resume(Stop{Scope: "number", Name: "1"})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	want := []Stop{{Scope: "all", Since: since}, {Scope: "tenant", Name: "a b", Since: since, Until: since.Add(time.Hour)}}
	if got := recalled(t, dir).stops.all(); !slices.Equal(got, want) {
		t.Errorf("after a restart %v is paused, want %v", got, want)
	}
}

func TestBrokenJournalIsAnErrorWithItsLine(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, journalFile), []byte("B m1-1 1\nF m1-1 99 =x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	j := openJournal(t, dir)
	defer j.Close()
	err := (&Service{w: Wiring{Journal: j}, books: newBooks()}).recall()
	if err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("recall: %v", err)
	}
}
