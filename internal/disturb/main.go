//go:build unix

// disturb ends runs by signals and damages what they leave, many times over, and looks for what must never come of it: a
// verdict that the run did not earn, a crash, a hang, or a change to somebody else's files.
//
//	go run ./internal/disturb [-n 300] [-seed 1]
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	n := flag.Int("n", 300, "how many times")
	seed := flag.Uint64("seed", 1, "of the choices")
	flag.Parse()
	if err := disturb(*n, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "disturb:", err)
		os.Exit(1)
	}
}

// scene is a folder with runs in it, and with files that belong to somebody else.
type scene struct {
	dir    string
	exe    string
	rand   *rand.Rand
	theirs map[string]string // files of others, by what is in them
	whole  string            // a run that came to its end
	exit   int               // what report says of it
}

// trial is one way to disturb; it returns what went wrong.
type trial func(*scene) error

func disturb(n int, seed uint64) error {
	dir, err := os.MkdirTemp("", "aftershock-disturb-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := newScene(dir, rand.New(rand.NewPCG(seed, seed)))
	if err != nil {
		return err
	}
	trials := map[string]trial{
		"an interrupt": signals("INT"), "a second one": signals("INT", "INT"), "a termination": signals("TERM"), "a terminal that closes": signals("HUP"),
		"a kill": signals("KILL"), "a stop, and on": signals("STOP", "CONT"), "all of them": signals("HUP", "TERM", "INT", "QUIT"),
		"a damaged record": damagedRecord, "two runs in one folder": twoRuns, "a folder of others": foreignFolder, "a folder that cannot be": badFolder,
	}
	names := slices.Sorted(maps.Keys(trials))
	done, bad := map[string]int{}, 0
	for i := range n {
		name := names[i%len(names)]
		err := trials[name](s)
		if err == nil {
			err = s.untouched()
		}
		if err != nil {
			bad++
			fmt.Printf("%d, %s: %v\n", i+1, name, err)
		}
		done[name]++
	}
	for _, name := range names {
		fmt.Printf("%4d  %s\n", done[name], name)
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d went wrong", bad, n)
	}
	fmt.Printf("%4d  in all: a clear error or an honest report each, and nobody else's file was touched\n", n)
	return nil
}

func newScene(dir string, r *rand.Rand) (*scene, error) {
	s := &scene{dir: dir, exe: filepath.Join(dir, "aftershock"), rand: r, whole: filepath.Join(dir, "whole"), theirs: map[string]string{
		"notes.txt": "buy milk\n", "plots/mine.csv": "a,b\n1,2\n", "others/scenario.yaml": "# mine, with comments\n", "others/plots/q.svg": "<svg/>",
		"others/summary.json": "{}", "others/hdr/x": "x",
	}}
	if out, err := exec.Command("go", "build", "-o", s.exe, "./cmd/aftershock").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build aftershock: %w\n%s", err, out)
	}
	for name, text := range s.theirs {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	if got := s.run(nil, "run", "smoke", "--ui", "none", "--out", s.whole); got.code != 0 {
		return nil, fmt.Errorf("smoke alone: exit %d\n%s", got.code, got.text)
	}
	s.exit = s.report(s.whole).code
	return s, nil
}

// untouched says whose file has changed.
func (s *scene) untouched() error {
	for name, want := range s.theirs {
		got, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil || string(got) != want {
			return fmt.Errorf("%s was somebody else's, and is %q now, %v", name, got, err)
		}
	}
	return nil
}

// result is what a command came to; a code of -1 is a signal's, -2 a hang's.
type result struct {
	code int
	text string
}

// longest is how long a command may take before it hangs.
const longest = 60 * time.Second

// run runs aftershock; meanwhile does something to it while it runs.
func (s *scene) run(meanwhile func(*os.Process), args ...string) result {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.exe, args...)
	cmd.Dir = s.dir
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return result{-2, err.Error()}
	}
	if meanwhile != nil {
		meanwhile(cmd.Process)
	}
	_ = cmd.Wait() // the state tells
	if ctx.Err() != nil {
		return result{-2, out.String()}
	}
	return result{cmd.ProcessState.ExitCode(), out.String()}
}

func (s *scene) report(run string) result { return s.run(nil, "report", run, "--exit-code") }

// sane is an error for what no command may ever do.
func (r result) sane() error {
	switch {
	case r.code == -2:
		return fmt.Errorf("it hangs:\n%s", r.text)
	case strings.Contains(r.text, "goroutine ") || strings.Contains(r.text, "panic:"):
		return fmt.Errorf("it crashes:\n%s", r.text)
	case r.code > 0 && strings.TrimSpace(r.text) == "":
		return fmt.Errorf("exit %d without a word", r.code)
	}
	return nil
}
