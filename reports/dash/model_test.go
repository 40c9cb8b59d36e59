package dash

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// recorder is a Control that writes down what it was asked.
type recorder struct {
	did []string
	err error
}

func (r *recorder) note(format string, args ...any) error {
	r.did = append(r.did, fmt.Sprintf(format, args...))
	return r.err
}

func (r *recorder) Pause(on bool) error     { return r.note("pause %v", on) }
func (r *recorder) Abort() error            { return r.note("abort") }
func (r *recorder) Speed(x float64) error   { return r.note("speed %v", x) }
func (r *recorder) Mark(note string) error  { return r.note("mark %q", note) }
func (r *recorder) Apply(step string) error { return r.note("apply %s", step) }
func (r *recorder) Report() (string, error) { return "report.html", r.note("report") }

// key is the message of a key by its name.
func key(name string) tea.KeyMsg {
	types := map[string]tea.KeyType{
		"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab, "up": tea.KeyUp, "down": tea.KeyDown,
		"ctrl+c": tea.KeyCtrlC, "backspace": tea.KeyBackspace, "ctrl+u": tea.KeyCtrlU, "left": tea.KeyLeft, "right": tea.KeyRight,
		"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd,
	}
	if name == "space" {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	if k, ok := types[name]; ok {
		return tea.KeyMsg{Type: k}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// press sends keys and does what they ask for; quit reports whether the view was closed.
func press(m *Model, keys string) (quit bool) {
	for _, k := range strings.Fields(keys) {
		_, cmd := m.Update(key(k))
		if cmd == nil {
			continue
		}
		msg := cmd()
		if _, ok := msg.(tea.QuitMsg); ok {
			return true
		}
		m.Update(msg)
	}
	return false
}

// transcript says what a person would notice.
func transcript(m *Model) string {
	s := m.Snapshot()
	d := &drawing{f: newFrame(120, 1, true), s: s}
	state, _ := d.state()
	out := fmt.Sprintf("%s now=%s seen=%s window=%s..%s focus=%d", strings.Fields(state)[0], hms(s.Now), hms(s.Seen), hms(s.From), hms(s.To), s.View.Focus)
	if s.View.Zoom {
		out += " zoomed"
	}
	if s.View.Overlay != NoOverlay {
		out += fmt.Sprintf(" overlay=%d pick=%d", s.View.Overlay, s.View.Pick)
	}
	if s.View.Prompt != "" {
		out += fmt.Sprintf(" asks=%q %q", s.View.Prompt, s.View.Input)
	}
	if s.View.Notice != "" {
		out += fmt.Sprintf(" says=%q", s.View.Notice)
	}
	return out
}

// TestTranscript presses keys and writes down what each does.
func TestTranscript(t *testing.T) {
	for _, c := range []struct {
		name, keys string
		opts       func(*recorder) Options
		at         time.Duration
	}{
		{"looking", "space space [ [ ] } { g G tab tab shift+tab 3 l l enter esc esc + - - - + + 0 e up up enter G ? ? / s u r enter e esc esc esc b p m o t t t y", nil, 100 * time.Minute},
		{"owner", "p x esc x n i down enter i end enter backspace backspace k } enter m a b enter > < R q esc q d", func(r *recorder) Options { return Options{Owner: true, Control: r} }, 100 * time.Minute},
		{"viewer", "p o p m n o t e enter o p d", func(r *recorder) Options { return Options{Control: r} }, 100 * time.Minute},
		{"finished", "[ { > > < space G g q", nil, 8 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recorder{}
			var o Options
			if c.opts != nil {
				o = c.opts(r)
			}
			m := at(c.at, o)
			var b strings.Builder
			fmt.Fprintf(&b, "%-10s %s\n", "", transcript(m))
			for _, k := range strings.Fields(c.keys) {
				before := len(r.did)
				quit := press(m, k)
				fmt.Fprintf(&b, "%-10s %s", k, transcript(m))
				for _, did := range r.did[before:] {
					fmt.Fprintf(&b, " does=%q", did)
				}
				if quit {
					fmt.Fprintf(&b, " left=%v", m.Left())
				}
				b.WriteByte('\n')
			}
			golden(t, "transcripts/"+c.name+".txt", b.String())
		})
	}
}

// TestQuickKeys: keys that come before the run has answered count from what was ordered, and are done in their order;
// what is refused is taken back.
func TestQuickKeys(t *testing.T) {
	r := &recorder{}
	m := at(100*time.Minute, Options{Owner: true, Control: r})
	m.Update(Items{{Status: &Status{Speed: 600}}})
	var cmds []tea.Cmd
	for _, k := range []string{">", ">", "p", "p"} {
		_, cmd := m.Update(key(k))
		cmds = append(cmds, cmd)
	}
	var doing sync.WaitGroup
	for _, cmd := range slices.Backward(cmds) {
		doing.Go(func() { cmd() })
	}
	doing.Wait()
	if got := strings.Join(r.did, ", "); got != "speed 1200, speed 2400, pause true, pause false" {
		t.Errorf("did %s", got)
	}
	r.err = errors.New("not on the wall clock")
	press(m, ">")
	if s := m.Snapshot().Status; s.Speed != 600 {
		t.Errorf("after a refusal the speed is shown as %v", s.Speed)
	}
}

// TestCatchingUp: a viewer who is told that there is more says so, rather than pass the past off as the present.
func TestCatchingUp(t *testing.T) {
	m := at(40*time.Minute, Options{})
	m.Update(Items{{Status: &Status{At: 50 * time.Minute}}})
	if s := transcript(m); !strings.HasPrefix(s, "CATCHING") {
		t.Errorf("ten minutes behind: %s", s)
	}
	m.Update(Items{{Status: &Status{At: 40 * time.Minute}}})
	if s := transcript(m); !strings.HasPrefix(s, "RUN") {
		t.Errorf("not behind: %s", s)
	}
}

// TestThirdCtrlC: an owner whose run takes its time to stop gets the terminal back, and ctrl-c is a signal again.
func TestThirdCtrlC(t *testing.T) {
	r := &recorder{}
	m := at(100*time.Minute, Options{Owner: true, Control: r})
	if press(m, "ctrl+c ctrl+c") || len(r.did) != 1 {
		t.Fatalf("after two: left %v, did %q", m.closed, r.did)
	}
	if !press(m, "ctrl+c") || !errors.Is(m.Left(), ErrLeft) {
		t.Errorf("after three: left=%v", m.Left())
	}
}

// TestKeysThatComeTogether: a slow line delivers several keys in one read, and an escape just before a letter.
func TestKeysThatComeTogether(t *testing.T) {
	m := at(100*time.Minute, Options{})
	m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("[[g}")})
	if now := m.Snapshot().Now; now != 30*time.Minute {
		t.Errorf("at %v, want the first event", now)
	}
	press(m, "e")
	m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("?"), Alt: true})
	if got := m.Snapshot().View.Overlay; got != HelpOverlay {
		t.Errorf("overlay %d, want the help", got)
	}
}

// TestOwnerStopsTheRun: the first ctrl-c asks, the second one means it.
func TestOwnerStopsTheRun(t *testing.T) {
	r := &recorder{}
	m := at(100*time.Minute, Options{Owner: true, Control: r})
	if press(m, "ctrl+c") || len(r.did) != 0 {
		t.Fatal("the first ctrl-c only asks")
	}
	if press(m, "ctrl+c") || strings.Join(r.did, " ") != "abort" {
		t.Fatalf("the second ctrl-c aborts and stays for the end: did %v", r.did)
	}
	_, cmd := m.Update(Ended{})
	if cmd == nil || m.Left() != nil {
		t.Fatalf("the view closes when the run has ended: %v", m.Left())
	}
}

// TestOwnerStaysWhileHeld: nobody's screen is closed under their eyes.
func TestOwnerStaysWhileHeld(t *testing.T) {
	m := at(100*time.Minute, Options{Owner: true, Control: &recorder{}})
	press(m, "space")
	if _, cmd := m.Update(Ended{}); cmd != nil {
		t.Fatal("closed while somebody was looking at something")
	}
	if !press(m, "q") || m.Left() != nil {
		t.Fatalf("q leaves an ended run at once: %v", m.Left())
	}
}

func TestFailedOrderIsSaid(t *testing.T) {
	m := at(100*time.Minute, Options{Owner: true, Control: &recorder{err: errors.New("only virtual time can be paused")}})
	press(m, "p")
	if want := "not done: only virtual time can be paused"; m.view.Notice != want {
		t.Fatalf("says %q, want %q", m.view.Notice, want)
	}
}

// TestFrozenViewStandsStill: data goes on, the picture does not.
func TestFrozenViewStandsStill(t *testing.T) {
	m := at(100*time.Minute, Options{})
	press(m, "space")
	before := m.Snapshot()
	m.Update(Items(synthetic(120 * time.Minute)[len(synthetic(100*time.Minute)):]))
	after := m.Snapshot()
	if before.Now != after.Now || before.Seen != after.Seen || before.To != after.To || m.history.newest != 120*time.Minute {
		t.Fatalf("moved from %v/%v to %v/%v", before.Now, before.Seen, after.Now, after.Seen)
	}
	press(m, "space")
	if now := m.Snapshot().Now; now != 120*time.Minute {
		t.Fatalf("following again at %v", now)
	}
}

// TestPlayback moves at its speed, stops when frozen, and goes on from where it was scrubbed to.
func TestPlayback(t *testing.T) {
	m := NewModel(Options{Speed: 600}, nil)
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m.Update(Tick(t0))
	m.Update(Items(synthetic(8 * time.Hour)))
	m.Update(Ended{})
	seconds := func(n int) {
		for range n {
			t0 = t0.Add(time.Second)
			m.Update(Tick(t0))
		}
	}
	at := func(want time.Duration) {
		t.Helper()
		if got := m.Snapshot().Now; got != want {
			t.Fatalf("at %v, want %v", got, want)
		}
	}
	at(0)
	seconds(6)
	at(time.Hour)
	press(m, "space")
	seconds(5)
	at(time.Hour)
	press(m, "g")
	at(0)
	seconds(3)
	at(30 * time.Minute)
	press(m, "} }")
	at(44 * time.Minute)
	press(m, "space >")
	seconds(1)
	at(64 * time.Minute)
	seconds(60)
	at(8 * time.Hour)
	if s := m.Snapshot(); s.View.Play {
		t.Fatal("still playing after the end")
	}
}

func TestSaveScreen(t *testing.T) {
	dir := t.TempDir()
	m := at(100*time.Minute, Options{SaveDir: dir})
	want := m.View() + "\n"
	press(m, "s")
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 2 {
		t.Fatalf("saved %v", files)
	}
	text, err := os.ReadFile(strings.TrimSuffix(files[0], filepath.Ext(files[0])) + ".txt")
	if err != nil || string(text) != want {
		t.Fatalf("the text is not the screen: %v", err)
	}
	svg, err := os.ReadFile(strings.TrimSuffix(files[0], filepath.Ext(files[0])) + ".svg")
	if err != nil || !strings.Contains(string(svg), "GROWING") {
		t.Fatalf("the picture lacks the verdict: %v", err)
	}
}
