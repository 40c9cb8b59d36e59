package dash

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/aftershock-dev/aftershock/reports/record"
)

var sizes = [][2]int{{80, 24}, {120, 40}, {200, 60}, {160, 45}, {110, 30}, {79, 23}, {40, 10}, {20, 5}, {1, 1}}

// exact checks that a screen has h lines of w cells, and no escape sequences without colour.
func exact(t *testing.T, screen string, w, h int, c Color) {
	t.Helper()
	lines := strings.Split(screen, "\n")
	if len(lines) != h {
		t.Fatalf("%d lines, want %d", len(lines), h)
	}
	for i, l := range lines {
		if got := ansi.StringWidth(l); got != w {
			t.Fatalf("line %d is %d cells wide, want %d: %q", i+1, got, w, l)
		}
	}
	if c == NoColor && strings.ContainsRune(screen, 0x1b) {
		t.Fatal("escape sequences without colour")
	}
}

// TestScreens is every layout at every size with every glyph set and depth of colour, in the middle of the incident.
func TestScreens(t *testing.T) {
	m := at(100*time.Minute, Options{})
	s := m.Snapshot()
	for _, size := range sizes {
		w, h := size[0], size[1]
		for _, g := range []Glyphs{Braille, Block, ASCII} {
			bare := Render(s, w, h, Capabilities{Glyphs: g})
			exact(t, bare, w, h, NoColor)
			golden(t, fmt.Sprintf("screens/%dx%d-%s.txt", w, h, g), bare+"\n")
			if g == ASCII && strings.ContainsFunc(bare, func(r rune) bool { return r > 127 }) {
				t.Errorf("%dx%d: more than 7 bits in ASCII", w, h)
			}
			for _, c := range []Color{Color16, Color256} {
				coloured := Render(s, w, h, Capabilities{Glyphs: g, Color: c})
				exact(t, coloured, w, h, c)
				if ansi.Strip(coloured) != bare {
					t.Errorf("%dx%d %s: colour changes the text", w, h, g)
				}
				if g == Braille && w <= 120 && h >= 10 {
					golden(t, fmt.Sprintf("screens/%dx%d-color%s.txt", w, h, c), strings.ReplaceAll(coloured, "\x1b", "ESC")+"\n")
				}
			}
		}
	}
}

// TestStates is what the user can make of the screen.
func TestStates(t *testing.T) {
	base := NewHistory()
	for _, it := range synthetic(8 * time.Hour) {
		if it.Gauge != nil {
			for k := range it.Gauge.Values {
				it.Gauge.Values[k] *= 0.7
			}
		}
		base.Feed(it)
	}
	for _, c := range []struct {
		name string
		keys string
		opts Options
		base *History
	}{
		{name: "held", keys: "space [ [ ["},
		{name: "zoom-rate", keys: "1 enter"},
		{name: "zoom-errors", keys: "7 enter"},
		{name: "zoom-replicas", keys: "8 enter"},
		{name: "zoom-slo", keys: "6 enter"},
		{name: "linear", keys: "3 l"},
		{name: "window", keys: "- - -"},
		{name: "help", keys: "?"},
		{name: "events", keys: "e"},
		{name: "filtered", keys: "/ t h r enter e"},
		{name: "menu", keys: "i", opts: Options{Owner: true, Control: &recorder{}}},
		{name: "question", keys: "q", opts: Options{Owner: true, Control: &recorder{}}},
		{name: "note", keys: "m h i", opts: Options{Owner: true, Control: &recorder{}}},
		{name: "baseline", keys: "1 enter", base: base},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := at(100*time.Minute, c.opts)
			m.base, m.view.HasBase, m.view.Baseline = c.base, c.base != nil, c.base != nil
			m.width, m.height = 120, 36
			press(m, c.keys)
			got := m.View()
			exact(t, got, 120, 36, NoColor)
			golden(t, "states/"+c.name+".txt", got+"\n")
		})
	}
}

// TestMoments is the run from its first item to its end.
func TestMoments(t *testing.T) {
	for _, c := range []struct {
		name string
		at   time.Duration
	}{{"start", 10 * time.Second}, {"calm", 20 * time.Minute}, {"surge", 45 * time.Minute}, {"draining", 170 * time.Minute}, {"ended", 8 * time.Hour}} {
		got := at(c.at, Options{}).View()
		exact(t, got, 80, 24, NoColor)
		golden(t, "moments/"+c.name+".txt", got+"\n")
	}
	empty := NewModel(Options{}, nil).View()
	exact(t, empty, 80, 24, NoColor)
	golden(t, "moments/nothing-yet.txt", empty+"\n")
}

// TestSayings are the sentences on which people act.
func TestSayings(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		v    Verdict
		want string
	}{
		{Verdict{Growing, 52e3, 39, 324, 3.1, 80, 37}, "BACKLOG GROWING +39/s   oldest 05:24   drain ETA: never at this rate"},
		{Verdict{Draining, 3600, -2, 90, 1, nan, nan}, "BACKLOG DRAINING -2/s   oldest 01:30   drain ETA: 30:00"},
		{Verdict{Empty, 0, 0, 0, nan, nan, nan}, "BACKLOG EMPTY   oldest 00:00   drain ETA: drained"},
		{Verdict{Steady, 41, 0, 3, 1, nan, nan}, "BACKLOG STEADY at 41   oldest 00:03   drain ETA: none, it holds"},
		{Verdict{Unknown, nan, nan, nan, nan, nan, nan}, "BACKLOG no reading yet"},
	} {
		s := Snapshot{Verdict: c.v}
		line := strings.Split(Render(s, 100, 30, Capabilities{}), "\n")[1]
		if !strings.HasPrefix(line, c.want) {
			t.Errorf("got %q, want %q", line, c.want)
		}
	}
}

// TestNothingFromOutsideMovesTheCursor: texts of senders and APIs reach the screen.
func TestNothingFromOutsideMovesTheCursor(t *testing.T) {
	evil := "a\x1b[2Jb\x07c\rd\u202ee\u0301f漢字g\xffh🇩🇪"
	s := at(100*time.Minute, Options{}).Snapshot()
	s.Info.Scenario.Name, s.Info.Scenario.Title = evil, evil
	s.Events = append(s.Events, record.Event{At: s.Now, Kind: "mark", Source: evil, Text: evil, Number: 7})
	s.Thresholds = append(s.Thresholds, Threshold{ID: evil, State: "missed", Text: evil})
	s.Errors = append([]ErrorRow{{Code: evil, Name: evil, Total: 5, Rate: 1}}, s.Errors...)
	for _, size := range sizes {
		for _, g := range []Glyphs{Braille, ASCII} {
			exact(t, Render(s, size[0], size[1], Capabilities{Glyphs: g}), size[0], size[1], NoColor)
		}
	}
}

// FuzzRender draws absurd snapshots: whatever the numbers, the screen has its size and nothing panics.
func FuzzRender(f *testing.F) {
	f.Add(80, 24, 1.0, int64(1), 1, uint8(0), "text")
	f.Add(1, 1, math.NaN(), int64(-5), -3, uint8(9), "")
	f.Add(200, 60, math.Inf(1), int64(math.MaxInt64), 8, uint8(77), "\x1b[31m漢")
	f.Add(120, 40, math.Inf(-1), int64(math.MinInt64), 7, uint8(33), "a\x00")
	f.Add(0, 0, -1e300, int64(0), 100, uint8(255), "\xff")
	f.Add(133, 37, 1e12, int64(time.Hour), 3, uint8(21), "ok")
	f.Fuzz(func(t *testing.T, w, h int, v float64, at int64, focus int, bits uint8, text string) {
		if w < 0 || h < 0 || w > 300 || h > 100 || len(text) > 200 {
			t.Skip("outside of what terminals are")
		}
		d := time.Duration(at)
		odd := []float64{v, -v, math.NaN(), math.Inf(1), 0, v * 1e9, v / 1e9}
		series := Series{}
		for i, x := range odd {
			series.At = append(series.At, d/7*time.Duration(i))
			series.Min, series.Max, series.Last = append(series.Min, -x), append(series.Max, x), append(series.Last, odd[len(odd)-1-i])
		}
		s := Snapshot{
			Info: record.Info{ID: text, State: text, Compress: v, Scenario: record.ScenarioInfo{Name: text, Title: text, SHA256: text}},
			Now:  d, Seen: d + 1, End: -d, From: d / 2, To: d, Series: map[string]Series{}, Base: map[string]Series{}, Values: map[string]float64{},
			Verdict:    Verdict{Trend(text), v, -v, v, v, v, v},
			Events:     []record.Event{{At: d, Number: focus, Text: text, Kind: "threshold", State: "missed"}, {At: -d, Number: 1, Text: text}},
			Ahead:      []record.Event{{At: 2 * d, Number: 12345678, Text: text}},
			Thresholds: []Threshold{{text, "missed", text, d}, {text, text, text, -d}},
			Errors:     []ErrorRow{{text, text, text, v, -v}, {"1", "", "", math.NaN(), math.Inf(1)}},
			Link:       Link{Live: bits&1 > 0, Age: d, Lost: text},
			Status:     Status{Paused: bits&2 > 0, Speed: v, Viewers: focus},
			View: View{Focus: focus, Zoom: bits&4 > 0, Held: bits&8 > 0, HeldFor: d, Baseline: true, Overlay: Overlay(bits % 5),
				Pick: focus, Filter: text[:min(len(text), 1)], Input: text, Menu: []string{text}, Keys: keyHelp(), Rate: v, Play: bits&16 > 0},
		}
		if bits&32 > 0 {
			s.View.Prompt = "ask"
		}
		for name := range drawn() {
			s.Series[name], s.Base[name], s.Values[name] = series, series, v
		}
		for i := range s.View.Flip {
			s.View.Flip[i] = bits&64 > 0
		}
		got := Render(s, w, h, Capabilities{Glyphs: Glyphs(bits % 3), Color: NoColor})
		if w == 0 || h == 0 {
			return
		}
		exact(t, got, w, h, NoColor)
	})
}
