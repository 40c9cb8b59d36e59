package dash

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// vt is a terminal that understands what diff sends, and nothing else.
type vt struct {
	t     *testing.T
	cells [][]string
	x, y  int
}

func (s *vt) write(b []byte) {
	for len(b) > 0 {
		if b[0] == 0x1b {
			end := bytes.IndexAny(b, "HJm")
			if end < 0 || b[1] != '[' {
				s.t.Fatalf("a sequence this terminal does not know: %q", b)
			}
			args := string(b[2:end])
			switch b[end] {
			case 'H':
				row, col, _ := strings.Cut(args, ";")
				y, _ := strconv.Atoi(row)
				x, err := strconv.Atoi(col)
				if err != nil {
					x = 1
				}
				s.x, s.y = x-1, y-1
			case 'J':
				for y := range s.cells {
					for x := range s.cells[y] {
						s.cells[y][x] = " "
					}
				}
			}
			b = b[end+1:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		b = b[n:]
		s.cells[s.y][s.x] = string(r)
		s.x++
		if _, wide := printable(r, false); wide {
			s.cells[s.y][s.x] = ""
			s.x++
		}
	}
}

func (s *vt) String() string {
	var lines []string
	for _, row := range s.cells {
		lines = append(lines, strings.Join(row, ""))
	}
	return strings.Join(lines, "\n")
}

func newTerminal(t *testing.T, w, h int) *vt {
	s := &vt{t: t, cells: make([][]string, h)}
	for y := range s.cells {
		s.cells[y] = make([]string, w)
		for x := range s.cells[y] {
			s.cells[y][x] = "?" // whatever was there before
		}
	}
	return s
}

// TestDiffShowsTheFrame plays a run through diff: what the terminal shows is always the frame.
func TestDiffShowsTheFrame(t *testing.T) {
	term := newTerminal(t, 120, 40)
	var prev *frame
	for _, minute := range []int{10, 35, 35, 36, 100, 170, 480} {
		m := at(time.Duration(minute)*time.Minute, Options{})
		m.width, m.height, m.caps.Color = 120, 40, Color256
		next := m.draw()
		b := diff(prev, next, Color256)
		term.write(b)
		if got, want := term.String(), next.String(NoColor); got != want {
			t.Fatalf("at minute %d the terminal shows something else", minute)
		}
		if prev != nil && next.String(Color256) == prev.String(Color256) && len(b) > 0 {
			t.Fatalf("%d bytes for no change", len(b))
		}
		prev = next
	}
}

// TestDiffOfAnything does the same with random frames, wide runes included.
func TestDiffOfAnything(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	term := newTerminal(t, 17, 5)
	var prev *frame
	for range 2000 {
		next := newFrame(17, 5, false)
		if prev != nil {
			copy(next.cells, prev.cells)
		}
		for range rng.IntN(9) {
			next.text(rng.IntN(17), rng.IntN(5), []string{"a", "漢", "字a", "   ", "b漢c", "xyz"}[rng.IntN(6)], style(rng.IntN(int(styles))), 17)
		}
		term.write(diff(prev, next, Color16))
		if got, want := term.String(), next.String(NoColor); got != want {
			t.Fatalf("the terminal shows\n%s\nwant\n%s", got, want)
		}
		prev = next
	}
}

// stuck is a terminal that takes nothing until it is let go.
type stuck struct {
	mu    sync.Mutex
	free  chan struct{}
	took  int
	bytes int
}

func (s *stuck) Write(b []byte) (int, error) {
	<-s.free
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took++
	s.bytes += len(b)
	return len(b), nil
}

// TestStuckTerminalHoldsNobody: frames for a terminal that takes none are replaced, not queued.
func TestStuckTerminalHoldsNobody(t *testing.T) {
	out := &stuck{free: make(chan struct{})}
	s := newScreen(out, Capabilities{})
	opened := make(chan struct{})
	go func() { s.open(); close(opened) }()
	f := newFrame(10, 2, false)
	for range 1000 {
		s.show(f, false) // returns although nothing is taken
	}
	close(out.free)
	<-opened
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if out.took > 5 {
		t.Fatalf("%d writes for frames that were out of date", out.took)
	}
}
