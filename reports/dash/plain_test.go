package dash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// told is a source that says what it was given.
type told []Item

func (s told) Items(ctx context.Context, _ string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for _, it := range s {
			if ctx.Err() != nil || !yield(it, nil) {
				return
			}
		}
	}
}

// TestPlainLines is the whole run in lines, played at twenty minutes a second.
func TestPlainLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		err := Run(t.Context(), Options{Source: told(synthetic(8 * time.Hour)), UI: Plain, Err: &out, Speed: 300, GitHub: true})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "plain.txt", out.String())
	})
}

// TestPlainLinesAfterDetaching: who watched until then is told what comes, and of every breach.
func TestPlainLinesAfterDetaching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		err := Run(t.Context(), Options{Source: told(synthetic(8 * time.Hour)), UI: Plain, Err: &out, Speed: 300, Since: 3 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if at, ok := strings.CutPrefix(line, "t="); ok && at < "03:00:00" {
				t.Errorf("it was seen already: %s", line)
			}
			if _, at, ok := strings.Cut(line, " t="); ok && at < "03:00:00" && !strings.HasPrefix(line, "slo breach") {
				t.Errorf("it was seen already: %s", line)
			}
		}
		if !strings.Contains(out.String(), "slo breach name=no-loss") || !strings.Contains(out.String(), "end state=") {
			t.Errorf("breach or end is missing:\n%s", out.String())
		}
	})
}

// TestPlainCadence: an eight-hour run on the wall clock stays readable and never falls silent for more than a minute.
func TestPlainCadence(t *testing.T) {
	for _, c := range []struct {
		every      time.Duration
		atLeast    int
		atMost     int
		maxSilence time.Duration
	}{{0, 500, 700, time.Minute}, {5 * time.Minute, 90, 130, 5 * time.Minute}, {-1, 5, 40, 8 * time.Hour}} {
		synctest.Test(t, func(t *testing.T) {
			w := &clocked{}
			if err := Run(t.Context(), Options{Source: told(synthetic(8 * time.Hour)), UI: Plain, Err: w, Speed: 1, Every: c.every}); err != nil {
				t.Fatal(err)
			}
			if len(w.at) < c.atLeast || len(w.at) > c.atMost {
				t.Errorf("every %v: %d lines, want %d to %d", c.every, len(w.at), c.atLeast, c.atMost)
			}
			for i := 1; i < len(w.at); i++ {
				if gap := w.at[i].Sub(w.at[i-1]); gap > c.maxSilence+11*time.Second {
					t.Errorf("every %v: silent for %v", c.every, gap)
				}
			}
		})
	}
}

// clocked writes down when it was written to.
type clocked struct{ at []time.Time }

func (c *clocked) Write(b []byte) (int, error) {
	c.at = append(c.at, time.Now())
	return len(b), nil
}

// TestPlainBurst: a flapping replica does not bury the log; a breach in the middle of it is still said.
func TestPlainBurst(t *testing.T) {
	items := synthetic(10 * time.Minute)
	for i := range 500 {
		items = append(items, Item{Event: &record.Event{Seq: int64(1000 + i), At: 10 * time.Minute, Kind: "replica", Source: "sender", Text: fmt.Sprint("flap ", i)}})
	}
	items = append(items, Item{Event: &record.Event{Seq: 2000, At: 10 * time.Minute, Kind: "threshold", ID: "no-loss", State: "missed", Text: "3 lost"}})
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Source: told(items), UI: Plain, Err: &out}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n > 40 {
		t.Errorf("%d lines for one burst", n)
	}
	if !strings.Contains(out.String(), "slo breach name=no-loss") {
		t.Error("the breach is missing")
	}
	if !strings.Contains(out.String(), "events skipped=48") {
		t.Errorf("what was left out is not counted:\n%s", out.String())
	}
}

func TestJSONIsTheStream(t *testing.T) {
	items := synthetic(2 * time.Hour)
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Source: told(append(items, Item{})), UI: JSON, Out: &out}); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(&out)
	n := 0
	for ; ; n++ {
		var it Item
		if err := dec.Decode(&it); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		want, _ := json.Marshal(items[n])
		if got, _ := json.Marshal(it); string(got) != string(want) {
			t.Fatalf("item %d is %s, want %s", n, got, want)
		}
	}
	if n != len(items) {
		t.Fatalf("%d items, want %d", n, len(items))
	}
}

func TestEscapingForGitHub(t *testing.T) {
	if got, want := escapeGitHub("50% a:b,\r\n", true), "50%25 a%3Ab%2C%0D%0A"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestChooseUI is the table of rules: no terminal is touched to decide.
func TestChooseUI(t *testing.T) {
	both := TTY{In: true, Out: true, Err: true}
	for _, c := range []struct {
		want string
		env  string
		tty  TTY
		ui   UI
		err  bool
	}{
		{"auto", "TERM=xterm", both, TUI, false},
		{"", "TERM=xterm", both, TUI, false},
		{"auto", "TERM=dumb", both, Plain, false},
		{"auto", "", both, Plain, false},
		{"auto", "TERM=xterm CI=true", both, Plain, false},
		{"auto", "TERM=xterm AFTERSHOCK_ACCESSIBLE=1", both, Plain, false},
		{"auto", "TERM=xterm", TTY{Out: true, Err: true}, Plain, false},
		{"auto", "TERM=xterm", TTY{In: true, Err: true}, Plain, false},
		{"tui", "TERM=xterm CI=true", both, TUI, false},
		{"tui", "TERM=xterm", TTY{}, None, true},
		{"plain", "TERM=xterm", both, Plain, false},
		{"json", "", TTY{}, JSON, false},
		{"none", "", both, None, false},
		{"fancy", "", both, None, true},
	} {
		ui, err := ChooseUI(c.want, env(c.env), c.tty)
		if ui != c.ui || (err != nil) != c.err {
			t.Errorf("ui %q env %q tty %v: %v, %v", c.want, c.env, c.tty, ui, err)
		}
	}
}

func TestChooseCapabilities(t *testing.T) {
	for _, c := range []struct {
		glyphs, color, env string
		want               Capabilities
		err                bool
	}{
		{"auto", "auto", "LANG=en_US.UTF-8 TERM=xterm-256color", Capabilities{Braille, Color256, 0}, false},
		{"auto", "auto", "LC_ALL=C LANG=en_US.UTF-8 TERM=xterm", Capabilities{ASCII, Color16, 0}, false},
		{"", "", "LANG=C.utf8 TERM=linux", Capabilities{ASCII, Color16, 0}, false},
		{"", "", "LANG=C.utf8 TERM=xterm AFTERSHOCK_GLYPHS=block", Capabilities{Block, Color16, 0}, false},
		{"braille", "", "AFTERSHOCK_GLYPHS=block", Capabilities{Braille, NoColor, 0}, false},
		{"ascii", "auto", "TERM=xterm NO_COLOR=0", Capabilities{ASCII, NoColor, 0}, false},
		{"ascii", "auto", "TERM=xterm NO_COLOR=", Capabilities{ASCII, Color16, 0}, false},
		{"ascii", "auto", "TERM=xterm AFTERSHOCK_NO_COLOR=1", Capabilities{ASCII, NoColor, 0}, false},
		{"ascii", "always", "NO_COLOR=1", Capabilities{ASCII, Color16, 0}, false},
		{"ascii", "never", "TERM=xterm COLORTERM=truecolor", Capabilities{ASCII, NoColor, 0}, false},
		{"block", "auto", "TERM=xterm COLORTERM=truecolor SSH_TTY=/dev/pts/1", Capabilities{Block, Color256, 10_000}, false},
		{"emoji", "", "", Capabilities{}, true},
		{"ascii", "sometimes", "", Capabilities{Glyphs: ASCII}, true},
	} {
		got, err := ChooseCapabilities(c.glyphs, c.color, env(c.env))
		if got != c.want || (err != nil) != c.err {
			t.Errorf("%q %q %q: %+v, %v", c.glyphs, c.color, c.env, got, err)
		}
	}
}

// env makes a lookup of "A=1 B=2".
func env(s string) func(string) string {
	m := map[string]string{}
	for _, kv := range strings.Fields(s) {
		k, v, _ := strings.Cut(kv, "=")
		m[k] = v
	}
	return func(k string) string { return m[k] }
}
