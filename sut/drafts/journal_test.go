package drafts

import (
	"fmt"
	"log/slog"
	"maps"
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
	s := &Service{w: Wiring{Journal: j, Log: slog.New(slog.DiscardHandler)}, books: newBooks()}
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

// TestUnreadableLinesArePassedOver: a line that nobody can read stops no start, and those behind it count.
func TestUnreadableLinesArePassedOver(t *testing.T) {
	dir := t.TempDir()
	text := "B m1-1 1\nF m1-1 99 =x\nnonsense\n\nB m2-1\nC m3\nQ m4 1\n" + strings.Repeat("x", 3*mostLine) + "\nB m5-1 2\n# -\n"
	if err := os.WriteFile(filepath.Join(dir, journalFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := recalled(t, dir)
	if got := s.count.Skipped.Load(); got != 7 {
		t.Errorf("%d lines were passed over, want 7", got)
	}
	if b := s.books; b.begun["m1-1"] != 1 || b.begun["m5-1"] != 2 || len(b.begun) != 2 {
		t.Errorf("begun: %v", s.books.begun)
	}
}

// TestTornTails: whatever a kill or a full disk cuts off the last line, every later start reads what is whole, and what is
// written then does not stand behind the torn part.
func TestTornTails(t *testing.T) {
	const whole = "B m1-1 1\nB m2-1 1\n"
	const last = "F m2-1 4 =the+reason\n"
	for cut := range len(last) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, journalFile), []byte(whole+last[:cut]), 0o600); err != nil {
			t.Fatal(err)
		}
		for start := range 3 {
			j := openJournal(t, dir)
			s := &Service{w: Wiring{Journal: j, Log: slog.New(slog.DiscardHandler)}, books: newBooks()}
			if err := s.recall(); err != nil || s.count.Skipped.Load() != 0 {
				t.Fatalf("%d bytes of the last line, start %d: %v, %d passed over", cut, start, err, s.count.Skipped.Load())
			}
			if len(s.books.begun) != 2+start {
				t.Errorf("%d bytes of the last line, start %d: begun %v", cut, start, s.books.begun)
			}
			if err := j.write(lineBegun(fmt.Sprintf("later%d-1", start), 1)); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestDiskThatFillsUp: writes fail while there is no room, whatever they left behind is cut off, and nothing that was said
// meanwhile is missing afterwards.
func TestDiskThatFillsUp(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	if err := j.write(lineBegun("m1-1", 1)); err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile(filepath.Join(dir, journalFile), os.O_RDONLY, 0) // a handle that cannot be written
	if err != nil {
		t.Fatal(err)
	}
	good := j.file
	j.file = osFile{full}
	if err := j.write(lineBegun("m2-1", 1)); err == nil {
		t.Fatal("a write to a full disk succeeded")
	}
	if _, err := good.Write([]byte("F m1-1 4 =half of a li")); err != nil { // what a short write leaves
		t.Fatal(err)
	}
	if err := j.later(lineLanded("m1-1")); err != nil {
		t.Error(err)
	}
	j.mu.Lock()
	j.file = good
	j.mu.Unlock()
	if err := j.write(lineBegun("m3-1", 1)); err != nil {
		t.Errorf("there is room again: %v", err)
	}
	full.Close()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	s := recalled(t, dir)
	if b := s.books.begun; s.count.Skipped.Load() != 0 || len(b) != 2 || b["m2-1"] != 1 || b["m3-1"] != 1 {
		t.Errorf("begun %v, %d lines passed over", b, s.count.Skipped.Load())
	}
}

// TestReadinessComesBack: a journal that fails is trouble while it fails, and no longer.
func TestReadinessComesBack(t *testing.T) {
	s := &Service{w: Wiring{Log: slog.New(slog.DiscardHandler)}}
	for _, c := range []struct {
		err     error
		trouble int
	}{{nil, 0}, {os.ErrClosed, 1}, {os.ErrClosed, 1}, {nil, 0}} {
		if s.remember(c.err) != (c.err == nil) || len(s.Trouble()) != c.trouble {
			t.Errorf("after %v: trouble %v", c.err, s.Trouble())
		}
	}
}

// TestJournalWinsOverTheEnvelope: an attempt that the journal knows is newer than what the queue's envelope says, so the
// draft is held for its outcome and not sent at once.
func TestJournalWinsOverTheEnvelope(t *testing.T) {
	b := newBooks()
	b.begun["m1-1"] = 2
	d := b.add(&wire.Draft{ID: "m1-1", To: "1"}, time.Unix(0, 0), past{attempts: 1, counted: 1, unknowns: 1, held: true}, false)
	b.recollect(d)
	if d.state != Queued || d.attempts != 2 || !d.begun {
		t.Errorf("state %v, %d attempts, begun %v", d.state, d.attempts, d.begun)
	}
	b.begun["m2-1"] = 1
	d = b.add(&wire.Draft{ID: "m2-1", To: "1"}, time.Unix(0, 0), past{attempts: 1, unknowns: 1, held: true}, false)
	if b.recollect(d); d.state != Held {
		t.Errorf("the envelope knows of the hold that this attempt led to: state %v", d.state)
	}
}

// TestStatusBeforeItsDraft: a status that comes before its draft has come out of the queue counts, with and without the
// line of its creation, also over another restart.
func TestStatusBeforeItsDraft(t *testing.T) {
	for _, created := range []bool{true, false} {
		dir := t.TempDir()
		j := openJournal(t, dir)
		lines := []string{lineBegun("m1-1", 1)}
		if created {
			lines = append(lines, lineCreated(&wire.Draft{ID: "m1-1", Created: 1, Key: "m1"}))
		}
		if err := j.write(lines...); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		s := recalled(t, dir)
		cfg := &Config{}
		s.cfg.Store(cfg)
		id, to, ok := s.note(&wire.Status{State: "sent", Callback: "m1-1.1", WAMID: "w"})
		if !ok || id != "m1-1" {
			t.Fatalf("created %v: the status was not taken: %s %v", created, id, ok)
		}
		j = openJournal(t, dir)
		if err := j.write(lineStatus(id, to)); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		for name, of := range map[string]*Service{"this process": s, "the next": recalled(t, dir)} {
			if d := of.finishedBefore(&wire.Draft{ID: "m1-1"}); d == nil {
				t.Errorf("created %v: %s would send it again", created, name)
			}
		}
	}
}

// FuzzJournal: no file stops a start, and every line that was whole before a torn one is read.
func FuzzJournal(f *testing.F) {
	for _, s := range []string{"B m1-1 1\n", "F m1-1 4 =x\nS m1-1 5\n", "C m1-1 1 7 =t =k\nP =all = 1 0\nR =all =\n", "B m1", "\x00\n\n B", "F m1-1 -1 =%zz\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, journalFile), data, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			j, err := OpenJournal(dir, false)
			if err != nil {
				t.Fatal(err)
			}
			s := &Service{w: Wiring{Journal: j, Log: slog.New(slog.DiscardHandler)}, books: newBooks()}
			if err := s.recall(); err != nil {
				t.Fatal(err)
			}
			if err := j.write(lineBegun("after-1", 1)); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if n := recalled(t, dir).books.begun["after-1"]; n != 1 {
			t.Errorf("the line behind is read as %d", n)
		}
	})
}

// TestAttemptThatWasNotDurableWasNotMade: a process makes no call before the line of its attempt is durable, so an attempt
// that the file does not say that of was not made, and its draft is nobody's doubt. A machine that was started anew may have
// forgotten what the file said.
func TestAttemptThatWasNotDurableWasNotMade(t *testing.T) {
	here := bootID()
	if here == noBoot {
		t.Skip("this machine does not name its starts")
	}
	for _, c := range []struct {
		name, text string
		synced     bool
		want       map[string]int
	}{
		{"killed before it was durable", "O " + here + "\nB a-1 1\n# +\nB b-1 1\nB a-1 2\n", true, map[string]int{"a-1": 1}},
		{"killed twice", "O " + here + "\nB a-1 1\nO " + here + "\nB b-1 1\n# +\nO " + here + "\nB c-1 1\n", true, map[string]int{"b-1": 1}},
		{"told once more", "O " + here + "\nB a-1 1\n# +\nO " + here + "\nB a-1 1\n", true, map[string]int{"a-1": 1}},
		{"the machine was started anew", "O other\nB a-1 1\n# +\nB b-1 1\n", true, map[string]int{"a-1": 1, "b-1": 1}},
		{"an earlier version", "B a-1 1\n", true, map[string]int{"a-1": 1}},
		{"not synced now", "O " + here + "\nB a-1 1\n", false, map[string]int{"a-1": 1}},
		{"not synced then", "O -\nB a-1 1\n", true, map[string]int{"a-1": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, journalFile), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the next process reads the same
				j, err := OpenJournal(dir, c.synced)
				if err != nil {
					t.Fatal(err)
				}
				s := &Service{w: Wiring{Journal: j, Log: slog.New(slog.DiscardHandler)}, books: newBooks()}
				if err := s.recall(); err != nil || s.count.Skipped.Load() != 0 {
					t.Fatalf("%v, %d lines passed over", err, s.count.Skipped.Load())
				}
				if !maps.Equal(s.books.begun, c.want) {
					t.Errorf("begun: %v, want %v", s.books.begun, c.want)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestNothingIsWrittenAfterTheEnd: a request that outlives its service is told that the journal is closed, and harms nobody.
func TestNothingIsWrittenAfterTheEnd(t *testing.T) {
	j, err := OpenJournal(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.later("# late"); err == nil {
		t.Error("a line was taken after the end")
	}
	if err := j.write("# late"); err == nil {
		t.Error("a line was written after the end")
	}
}
