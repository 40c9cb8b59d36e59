//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Exit codes of aftershock that are a verdict.
const (
	met         = 0
	invalid     = 3
	missed      = 99
	interrupted = 130
)

var numbers = map[string]syscall.Signal{
	"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL, "STOP": syscall.SIGSTOP,
	"CONT": syscall.SIGCONT, "QUIT": syscall.SIGQUIT,
}

// signals ends a run by signals, at some time. Whatever of it is kept says how far it came, and earns no verdict unless
// the run came to its end.
func signals(names ...string) trial {
	return func(s *scene) error {
		dir := filepath.Join(s.dir, "run")
		defer os.RemoveAll(dir)
		got := s.run(func(p *os.Process) {
			for _, name := range names {
				time.Sleep(time.Duration(s.rand.Int64N(int64(1200*time.Millisecond) / int64(len(names)))))
				_ = p.Signal(numbers[name]) // it may have ended before
			}
		}, "run", "crash", "--ui", "none", "--out", dir)
		if names[len(names)-1] == "QUIT" && strings.Contains(got.text, "SIGQUIT") {
			got.text = "" // what was asked for is where everybody stands
		}
		if err := got.sane(); err != nil && got.code >= 0 {
			return err
		}
		if _, err := os.Stat(filepath.Join(dir, "run.json")); errors.Is(err, os.ErrNotExist) {
			return nil // it had not begun
		}
		rep := s.report(dir)
		if err := rep.sane(); err != nil {
			return err
		}
		if ended := got.code == met || got.code == missed; !ended && rep.code != invalid && rep.code != interrupted && rep.code != 1 {
			return fmt.Errorf("the run ended with %d, and its report with %d:\n%s", got.code, rep.code, rep.text)
		}
		if got.code == interrupted {
			if _, err := os.Stat(filepath.Join(dir, "report.html")); err != nil {
				return fmt.Errorf("an interrupted run has no report: %w", err)
			}
		}
		return nil
	}
}

// damagedRecord changes a file of a run that came to its end: what report then says is what it said before, or no verdict.
func damagedRecord(s *scene) error {
	dir := filepath.Join(s.dir, "damaged")
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, os.DirFS(s.whole)); err != nil {
		return err
	}
	files := []string{"run.json", "scenario.yaml", "events.jsonl", "gauges.jsonl", "messages.jsonl.zst", "attempts.jsonl.zst"}
	name := filepath.Join(dir, files[s.rand.IntN(len(files))])
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	how := s.rand.IntN(6)
	switch i := s.rand.IntN(len(b)); how {
	case 0:
		err = os.WriteFile(name, b[:i], 0o644)
	case 1:
		b[i] ^= 1 << s.rand.IntN(8)
		err = os.WriteFile(name, b, 0o644)
	case 2:
		err = os.Remove(name)
	case 3:
		err = os.WriteFile(name, append(b, b[i:]...), 0o644)
	case 4:
		err = errors.Join(os.Remove(name), syscall.Mkfifo(name, 0o644))
	case 5:
		err = errors.Join(os.Remove(name), os.Mkdir(name, 0o755))
	}
	if err != nil {
		return err
	}
	rep := s.report(dir)
	if err := rep.sane(); err != nil {
		return err
	}
	if rep.code != s.exit && rep.code != invalid && rep.code != 1 || rep.code == s.exit && how != 1 && how != 3 {
		return fmt.Errorf("%s, damaged in way %d: exit %d\n%s", filepath.Base(name), how, rep.code, rep.text)
	}
	return nil
}

// twoRuns lets two runs have one folder: one has it, the other says so.
func twoRuns(s *scene) error {
	dir := filepath.Join(s.dir, "both")
	defer os.RemoveAll(dir)
	var got [2]result
	var work sync.WaitGroup
	for i := range got {
		work.Go(func() { got[i] = s.run(nil, "run", "smoke", "--ui", "none", "--out", dir) })
	}
	work.Wait()
	ended := 0
	for _, g := range got {
		if err := g.sane(); err != nil {
			return err
		}
		if g.code == met {
			ended++
		}
	}
	if ended != 1 {
		return fmt.Errorf("%d of two runs in one folder came to an end:\n%s\n%s", ended, got[0].text, got[1].text)
	}
	if rep := s.report(dir); rep.code != met {
		return fmt.Errorf("what the first of them left is not whole: exit %d\n%s", rep.code, rep.text)
	}
	return nil
}

// foreignFolder writes into a folder that is no run's.
func foreignFolder(s *scene) error {
	for _, dir := range []string{"others", "."} {
		got := s.run(nil, "run", "smoke", "--ui", "none", "--out", dir)
		if err := got.sane(); err != nil {
			return err
		}
		if got.code == met {
			return fmt.Errorf("--out %s was taken", dir)
		}
	}
	return nil
}

// badFolder writes to where no folder can be.
func badFolder(s *scene) error {
	link := filepath.Join(s.dir, "dangling")
	if err := os.Symlink(filepath.Join(s.dir, "nowhere", "deep"), link); err != nil {
		return err
	}
	defer os.Remove(link)
	for _, dir := range []string{"notes.txt", "notes.txt/run", "/proc/run", strings.Repeat("long", 80), "dangling"} {
		got := s.run(nil, "run", "smoke", "--ui", "none", "--out", dir)
		if err := got.sane(); err != nil {
			return err
		}
		if got.code == met && dir != "dangling" {
			return fmt.Errorf("--out %s was taken", dir)
		}
	}
	return os.RemoveAll(filepath.Join(s.dir, "nowhere"))
}
