package dash

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tmux is a terminal of its own that keys are sent to and screens are read from.
type tmux struct {
	t    *testing.T
	name string
	env  []string
}

func newTmux(t *testing.T, w, h int, env map[string]string) *tmux {
	t.Helper()
	if testing.Short() {
		t.Skip("drives a real terminal for some seconds")
	}
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed: apt-get install tmux")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "dash") // short: a socket's path has a limit
	if err != nil {
		t.Fatal(err)
	}
	m := &tmux{t: t, name: "dash", env: append(os.Environ(), "TMUX_TMPDIR="+dir, "LC_ALL=C.UTF-8", "TERM=xterm-256color")}
	t.Cleanup(func() {
		m.run("kill-server")
		os.RemoveAll(dir)
	})
	words := []string{"env", "-u", "CI", "-u", "TMUX", "LC_ALL=C.UTF-8"}
	for k, v := range env {
		words = append(words, k+"="+v)
	}
	command := fmt.Sprintf("%s %s; echo; echo 'the shell is back'; sleep 1000", strings.Join(words, " "), self)
	m.run("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h), command)
	return m
}

func (m *tmux) run(args ...string) string {
	cmd := exec.Command("tmux", append([]string{"-L", m.name}, args...)...)
	cmd.Env = m.env
	out, err := cmd.CombinedOutput()
	if err != nil && args[0] != "kill-server" {
		m.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (m *tmux) screen() string { return m.run("capture-pane", "-p", "-t", "0") }

// until waits for a text on the screen.
func (m *tmux) until(want string) string {
	m.t.Helper()
	var s string
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if s = m.screen(); strings.Contains(s, want) {
			return s
		}
	}
	m.t.Fatalf("%q never came; the screen is\n%s", want, s)
	return ""
}

// keys sends keys, by tmux's names.
func (m *tmux) keys(keys ...string) { m.run(append([]string{"send-keys", "-t", "0"}, keys...)...) }

// TestTmuxSizes looks at the three layouts in a real terminal: every panel is there, nothing is torn.
func TestTmuxSizes(t *testing.T) {
	for _, c := range []struct {
		w, h   int
		panels []string
	}{
		{80, 24, []string{"1 Rate", "2 Backlog", "3 Deliv.", "SLO ", "ERR ", "EVT "}},
		{120, 40, []string{"1 Rate", "2 Backlog", "3 Delivery", "4 In flight", "5 Amplification", "6 SLO", "7 Errors", "EVT "}},
		{200, 60, []string{"1 Rate", "2 Backlog", "3 Delivery", "4 In flight", "5 Amplification", "6 SLO", "7 Errors", "8 Replicas", "9 Oldest", "Events", "Timeline"}},
	} {
		t.Run(fmt.Sprintf("%dx%d", c.w, c.h), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			m := newTmux(t, c.w, c.h, map[string]string{
				"DASH_TEST": "run", "DASH_DIR": filepath.Join(dir, "run"), "DASH_SPEED": "1500", "XDG_RUNTIME_DIR": dir,
			})
			s := m.until("DRAINING")
			for _, p := range c.panels {
				if !strings.Contains(s, p) {
					t.Errorf("no %q on the screen:\n%s", p, s)
				}
			}
			lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
			if len(lines) != c.h {
				t.Fatalf("%d lines, want %d", len(lines), c.h)
			}
			for i, l := range lines {
				if n := strings.Count(l, "┌") + strings.Count(l, "└"); n > 0 && n != strings.Count(l, "┐")+strings.Count(l, "┘") {
					t.Errorf("line %d is torn: %q", i+1, l)
				}
			}
			m.keys("d")
			m.until("the shell is back")
		})
	}
}

// TestTmuxSession is an evening on call: watch, freeze, scrub, zoom, look at events and help, mark, pause, detach,
// attach again from another terminal, go on, leave.
func TestTmuxSession(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := newTmux(t, 120, 40, map[string]string{
		"DASH_TEST": "run", "DASH_DIR": filepath.Join(dir, "run"), "DASH_SPEED": "600", "XDG_RUNTIME_DIR": dir,
	})
	m.until("GROWING")
	m.keys("Space")
	m.until("HELD")
	m.keys("[", "[")
	m.keys("g", "}")
	m.until("0:30:00 1  plan")
	m.keys("2", "Enter")
	m.until(">2 Backlog")
	m.keys("Escape")
	m.until("7 Errors")
	m.keys("e")
	m.until("13:33 incident created")
	m.keys("Escape")
	m.until("1 Rate")
	m.keys("?")
	m.until("this help")
	m.keys("?", "G")
	m.until(" RUN ")
	m.keys("m")
	m.until("note:")
	m.keys("-l", "is 3 to blame?")
	m.keys("Enter")
	m.until("is 3 to blame?")
	m.keys("p")
	m.until("PAUSED")
	m.run("resize-window", "-x", "80", "-y", "24")
	m.until("ERR ")
	m.keys("q")
	m.until("stop the run?")
	m.keys("d")
	m.until("attach again: watch june6")

	v := newTmux(t, 100, 30, map[string]string{"DASH_TEST": "watch", "DASH_TARGET": "june6-20250606T170300Z-s606", "XDG_RUNTIME_DIR": dir})
	v.until("PAUSED")
	v.keys("p")
	v.until("press o to take control first")
	v.keys("o")
	v.until("in control")
	v.keys("p")
	v.until("running again")
	v.until(" RUN ")
	v.keys("x")
	v.until("abort the run for everybody?")
	v.keys("y")
	v.until("INTERRUPTED")
	v.keys("q")
	v.until("left: <nil>")
	m.until("run over")
}

// TestTmuxReplay plays a finished run's folder, and shows how it ended.
func TestTmuxReplay(t *testing.T) {
	t.Parallel()
	w, items := begin(t, "name: june6\n")
	write(w, items)
	finish(t, w, *synthetic(0)[0].Info)
	m := newTmux(t, 80, 24, map[string]string{"DASH_TEST": "watch", "DASH_TARGET": w.Dir(), "DASH_SPEED": "600"})
	m.until("PLAY")
	m.until("GROWING")
	m.keys("Space", "g")
	m.until("0:00:00/")
	m.keys("G")
	m.until("ENDED")
	m.keys("q")
	s := m.until("the shell is back")
	if !strings.Contains(s, "BACKLOG DRAINING") {
		t.Errorf("the last word is not left in the scrollback:\n%s", s)
	}
}

// TestNoTerminal: without one the dashboard is refused in words, and plain lines work.
func TestNoTerminal(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w, items := begin(t, "name: june6\n")
	write(w, items)
	finish(t, w, *synthetic(0)[0].Info)
	for ui, want := range map[string]string{"tui": "--ui tui needs a terminal", "auto": "end state=finished", "plain": "end state=finished", "json": `"state":"finished"`} {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "DASH_TEST=watch", "DASH_UI="+ui, "DASH_TARGET="+w.Dir(), "TERM=dumb")
		out, err := cmd.CombinedOutput()
		if (ui == "tui") != (err != nil) || !strings.Contains(string(out), want) {
			t.Errorf("--ui %s: %v\n%.400s", ui, err, out)
		}
		if strings.ContainsRune(string(out), 0x1b) {
			t.Errorf("--ui %s writes escape sequences", ui)
		}
	}
}
