package dash

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// style is how a cell looks. Colours have one meaning each, the same as in the reports; bold and reverse help where
// colour is missing, and nothing is said by any of them alone.
type style uint8

const (
	plain style = iota
	strong
	dim
	good     // blue: met, ok
	bad      // vermillion: missed, growing
	warn     // orange: retries, pending, held
	offeredC // the four lines of the rate chart
	acceptC
	deliverC
	limitC
	baseC   // the baseline
	inverse // the focused panel's title, a picked line
	badge   // bad, reversed
	styles
)

// sgr is the escape sequence of a style at a depth of colour. Okabe-Ito, mapped to what terminals have.
func (s style) sgr(c Color) string {
	table := [styles][2]string{ // 256 colours, 16 colours
		plain:    {"", ""},
		strong:   {"1", "1"},
		dim:      {"38;5;245", "2"},
		good:     {"1;38;5;39", "1;36"},
		bad:      {"1;38;5;202", "1;33"},
		warn:     {"38;5;214", "33"},
		offeredC: {"1", "1"},
		acceptC:  {"38;5;74", "36"},
		deliverC: {"38;5;36", "32"},
		limitC:   {"38;5;202", "33"},
		baseC:    {"38;5;245", "2"},
		inverse:  {"7", "7"},
		badge:    {"1;7;38;5;202", "1;7;33"},
	}
	if s >= styles || c == NoColor {
		return ""
	}
	if c == Color16 {
		return table[s][1]
	}
	return table[s][0]
}

type cell struct {
	r rune // 0 is the second half of a wide rune
	s style
}

// frame is one screen. Writing outside of it is ignored, so drawing code need not care where it ends.
type frame struct {
	w, h  int
	cells []cell
	ascii bool
}

// maxSide bounds a screen, whatever a terminal says of its size.
const maxSide = 1000

func newFrame(w, h int, ascii bool) *frame {
	w, h = min(max(w, 0), maxSide), min(max(h, 0), maxSide)
	f := &frame{w: w, h: h, ascii: ascii, cells: make([]cell, w*h)}
	for i := range f.cells {
		f.cells[i].r = ' '
	}
	return f
}

// set writes one cell; the rune must be one cell wide.
func (f *frame) set(x, y int, r rune, s style) {
	if x < 0 || y < 0 || x >= f.w || y >= f.h {
		return
	}
	if f.ascii && r > unicode.MaxASCII {
		r = toASCII(r)
	}
	i := y*f.w + x
	if f.cells[i].r == 0 && x > 0 { // cuts a wide rune in half
		f.cells[i-1].r = ' '
	}
	if x+1 < f.w && f.cells[i+1].r == 0 {
		f.cells[i+1].r = ' '
	}
	f.cells[i] = cell{r, s}
}

// at returns a cell, the zero cell outside of the frame.
func (f *frame) at(x, y int) cell {
	if x < 0 || y < 0 || x >= f.w || y >= f.h {
		return cell{}
	}
	return f.cells[y*f.w+x]
}

// text writes a text and returns the column after it. At most room cells are used.
func (f *frame) text(x, y int, t string, s style, room int) int {
	end := min(x+max(room, 0), f.w)
	for _, r := range t {
		r, wide := printable(r, f.ascii)
		if r == 0 {
			continue
		}
		if wide {
			if x+2 > end {
				break
			}
			if y >= 0 && y < f.h && x >= 0 {
				f.set(x, y, ' ', s)
				f.set(x+1, y, ' ', s)
				f.cells[y*f.w+x] = cell{r, s}
				f.cells[y*f.w+x+1] = cell{0, s}
			}
			x += 2
			continue
		}
		if x >= end {
			break
		}
		f.set(x, y, r, s)
		x++
	}
	return x
}

// right writes a text that ends before column x and returns where it begins.
func (f *frame) right(x, y int, t string, s style, room int) int {
	w := width(t, f.ascii)
	if w > room {
		t, w = cut(t, room, f.ascii), min(w, room)
	}
	f.text(x-w, y, t, s, w)
	return x - w
}

// String is the frame as lines of exactly w cells, with escape sequences only where there is colour.
func (f *frame) String(c Color) string {
	var b strings.Builder
	b.Grow(len(f.cells) * 2)
	for y := range f.h {
		if y > 0 {
			b.WriteByte('\n')
		}
		last := plain
		for _, cl := range f.cells[y*f.w : (y+1)*f.w] {
			if cl.r == 0 {
				continue
			}
			if cl.s != last {
				b.WriteString(change(last, cl.s, c))
				last = cl.s
			}
			b.WriteRune(cl.r)
		}
		b.WriteString(change(last, plain, c))
	}
	return b.String()
}

// change is the sequence that goes from one style to another.
func change(from, to style, c Color) string {
	if c == NoColor || from.sgr(c) == to.sgr(c) {
		return ""
	}
	if s := to.sgr(c); s != "" {
		return "\x1b[0;" + s + "m"
	}
	return "\x1b[0m"
}

// printable says what is drawn for a rune that came from outside: never anything that moves the cursor or whose
// width terminals disagree about. A rune of 0 draws nothing.
func printable(r rune, ascii bool) (out rune, wide bool) {
	switch {
	case r >= ' ' && r < 0x7f:
		return r, false
	case r == '\n' || r == '\t' || r == '\r':
		return ' ', false
	case ascii && r > unicode.MaxASCII:
		return toASCII(r), false
	case r < ' ' || r == 0x7f || r == unicode.ReplacementChar:
		return '?', false
	case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) || unicode.Is(unicode.Cf, r):
		return 0, false
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) && ansi.StringWidth(string(r)) == 2:
		return r, true
	case known(r) && ansi.StringWidth(string(r)) == 1:
		return r, false
	}
	return '?', false
}

// known are the runes beyond ASCII whose width is one cell wherever we draw.
func known(r rune) bool {
	switch {
	case unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic):
		return true
	case r >= 0x2500 && r <= 0x259f, r >= 0x2800 && r <= 0x28ff: // boxes, blocks, braille
		return true
	}
	return strings.ContainsRune("·×÷±°§«»–—‘’“”…≤≥≠≈→←↑↓▲▼▶µ€£", r)
}

// toASCII is the nearest 7-bit character.
func toASCII(r rune) rune {
	switch {
	case r >= 0x2500 && r <= 0x257f:
		switch r {
		case '─':
			return '-'
		case '│':
			return '|'
		case '┊':
			return ':'
		}
		return '+'
	case r >= 0x2580 && r <= 0x259f:
		return '#'
	}
	switch r {
	case '·':
		return '.'
	case '×':
		return 'x'
	case '–', '—':
		return '-'
	case '‘', '’':
		return '\''
	case '“', '”', '«', '»':
		return '"'
	case '…':
		return '.'
	case '≤', '←':
		return '<'
	case '≥', '→', '▶':
		return '>'
	case '▲', '↑':
		return '^'
	case '▼', '↓':
		return 'v'
	case '≈':
		return '~'
	case 'µ':
		return 'u'
	}
	return '?'
}

// width is how many cells a text takes when it is drawn.
func width(t string, ascii bool) int {
	n := 0
	for _, r := range t {
		r, wide := printable(r, ascii)
		switch {
		case r == 0:
		case wide:
			n += 2
		default:
			n++
		}
	}
	return n
}

// cut shortens a text to at most n cells, with two dots where something is missing.
func cut(t string, n int, ascii bool) string {
	if width(t, ascii) <= n {
		return t
	}
	if n <= 2 {
		return strings.Repeat(".", max(n, 0))
	}
	var b strings.Builder
	used := 0
	for _, r := range t {
		w := width(string(r), ascii)
		if used+w > n-2 {
			break
		}
		b.WriteRune(r)
		used += w
	}
	return b.String() + ".."
}
