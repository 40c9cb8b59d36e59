package dash

// plot is a grid of dots, several to a cell, that lines are drawn on.
type plot struct {
	w, h   int // cells
	dx, dy int // dots a cell
	glyphs Glyphs
	mask   []uint8
	style  []style
}

func newPlot(w, h int, g Glyphs) *plot {
	w, h = max(w, 0), max(h, 0)
	p := &plot{w: w, h: h, glyphs: g, mask: make([]uint8, w*h), style: make([]style, w*h)}
	switch g {
	case Braille:
		p.dx, p.dy = 2, 4
	case Block:
		p.dx, p.dy = 2, 2
	default:
		p.dx, p.dy = 1, 3
	}
	return p
}

func (p *plot) width() int  { return p.w * p.dx }
func (p *plot) height() int { return p.h * p.dy }

// dot sets one dot; the last style wins its cell.
func (p *plot) dot(x, y int, s style) {
	if x < 0 || y < 0 || x >= p.width() || y >= p.height() {
		return
	}
	i := y/p.dy*p.w + x/p.dx
	p.mask[i] |= 1 << (y%p.dy*p.dx + x%p.dx)
	p.style[i] = s
}

// stroke is the pattern of a line: so many dots on of every period.
type stroke struct{ on, period int }

func (k stroke) draws(x int) bool { return k.period <= 1 || x%k.period < k.on }

// line joins two dots, steep parts always, flat parts by the pattern.
func (p *plot) line(x0, y0, x1, y1 int, k stroke, s style) {
	if x1 < 0 || x0 >= p.width() || x1 < x0 {
		return
	}
	steps := x1 - x0
	if steps == 0 {
		if k.draws(x0) || y1 > y0+1 || y1 < y0-1 {
			p.column(x0, y0, y1, s)
		}
		return
	}
	prev := y0
	for i := max(0, -x0); i <= steps && x0+i < p.width(); i++ {
		y := y0 + (y1-y0)*i/steps
		switch {
		case i > 0 && y > prev+1:
			p.column(x0+i, prev+1, y, s)
		case i > 0 && y < prev-1:
			p.column(x0+i, y, prev-1, s)
		case k.draws(x0 + i):
			p.dot(x0+i, y, s)
		}
		prev = y
	}
}

// column sets all dots between two heights.
func (p *plot) column(x, y0, y1 int, s style) {
	if y0 > y1 {
		y0, y1 = y1, y0
	}
	for y := max(y0, 0); y <= min(y1, p.height()-1); y++ {
		p.dot(x, y, s)
	}
}

// rune is what a cell looks like, 0 where it is empty.
func (p *plot) rune(x, y int) (rune, style) {
	i := y*p.w + x
	m := p.mask[i]
	if m == 0 {
		return 0, plain
	}
	switch p.glyphs {
	case Braille:
		return brailleRune(m), p.style[i]
	case Block:
		return []rune(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")[m&15], p.style[i]
	}
	switch m {
	case 1:
		return '\'', p.style[i]
	case 2:
		return '-', p.style[i]
	case 4:
		return '_', p.style[i]
	}
	return '|', p.style[i]
}

// brailleRune turns rows of two dots into the block's own order of dots: down the left, down the right, the last row
// at the end.
func brailleRune(m uint8) rune {
	r := rune(0x2800)
	for i, bit := range [8]rune{0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80} {
		if m&(1<<i) != 0 {
			r |= bit
		}
	}
	return r
}
