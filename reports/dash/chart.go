package dash

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// rect is a part of the screen.
type rect struct{ x, y, w, h int }

// axisWidth is the room for the labels of an axis and its line; one more column at the right holds the letters of
// the lines.
const axisWidth = 6

// box draws a frame with a title at the left of its upper edge.
func (d *drawing) box(r rect, number int, title string) {
	if r.w < 2 || r.h < 2 {
		return
	}
	f := d.f
	for x := r.x + 1; x < r.x+r.w-1; x++ {
		f.set(x, r.y, '─', dim)
		f.set(x, r.y+r.h-1, '─', dim)
	}
	for y := r.y + 1; y < r.y+r.h-1; y++ {
		f.set(r.x, y, '│', dim)
		f.set(r.x+r.w-1, y, '│', dim)
	}
	f.set(r.x, r.y, '┌', dim)
	f.set(r.x+r.w-1, r.y, '┐', dim)
	f.set(r.x, r.y+r.h-1, '└', dim)
	f.set(r.x+r.w-1, r.y+r.h-1, '┘', dim)
	if title == "" {
		return
	}
	if number > 0 {
		title = strconv.Itoa(number) + " " + title
	}
	s := strong
	if number > 0 && number == d.s.View.Focus {
		s = inverse
		title = ">" + title
	}
	title = cut(title, r.w-6, f.ascii)
	if title == "" {
		return
	}
	x := f.text(r.x+2, r.y, " "+title+" ", s, r.w-4)
	f.set(r.x+2, r.y, ' ', plain)
	f.set(x-1, r.y, ' ', plain)
}

// chart draws one chart panel.
func (d *drawing) chart(r rect, c chart) {
	log := c.log != d.s.View.Flip[c.panel]
	title := c.title
	switch little := r.w < 56; {
	case little && c.short != "" && log:
		title = c.short + " log"
	case little && c.short != "":
		title = c.short
	case log:
		title += " " + c.unit + ", log"
	case c.unit != "":
		title += " " + c.unit
	}
	d.box(r, c.panel, title)
	if r.h < 3 || r.w < axisWidth+4 {
		return
	}
	d.legend(r, c, title)
	in := rect{r.x + 1 + axisWidth, r.y + 1, r.w - 3 - axisWidth, r.h - 2}
	wide := r.w >= 56
	base := c.base
	if log && base <= 0 {
		base = 1
	}
	ax := newAxis(log, base, d.highest(c, wide))
	for row, label := range ax.labels(in.h, tick) {
		edge := '│'
		if label != "" {
			d.f.right(in.x-1, in.y+row, label, dim, axisWidth-1)
			edge = '┤'
		}
		d.f.set(in.x-1, in.y+row, edge, dim)
	}
	p := newPlot(in.w, in.h, d.caps.Glyphs)
	var ends []letter
	for _, k := range c.curves {
		if k.wide && !wide {
			continue
		}
		if d.s.View.Baseline {
			d.curve(p, ax, curve{series: k.series, style: baseC, stroke: stroke{1, 4}}, d.s.Base[k.series], d.s.To)
		}
	}
	for _, k := range c.curves {
		if k.wide && !wide {
			continue
		}
		if y, ok := d.curve(p, ax, k, d.s.Series[k.series], d.s.Seen); ok {
			ends = append(ends, letter{y, k.letter, k.style})
		}
	}
	d.marks(r, in)
	for y := range in.h {
		for x := range in.w {
			if ch, s := p.rune(x, y); ch != 0 {
				d.f.set(in.x+x, in.y+y, ch, s)
			}
		}
	}
	for row, e := range spread(ends, p.dy, in.h) {
		d.f.set(in.x+in.w, in.y+row, e.r, e.style)
	}
	d.cursor(in)
}

// letter names the line that ends at a height of y dots from the top.
type letter struct {
	y     int
	r     rune
	style style
}

// spread gives each letter a row of its own, as near to its line's end as the others allow and in the lines' order.
func spread(ends []letter, dots, rows int) map[int]letter {
	slices.SortStableFunc(ends, func(a, b letter) int { return cmp.Compare(a.y, b.y) })
	at := make([]int, len(ends))
	for i, e := range ends {
		at[i] = min(e.y/dots, rows-1)
		if i > 0 {
			at[i] = max(at[i], at[i-1]+1)
		}
	}
	last := rows
	out := map[int]letter{}
	for i := len(ends) - 1; i >= 0; i-- { // what was pushed over the edge pushes back
		last = min(at[i], last-1)
		if last >= 0 {
			out[last] = ends[i]
		}
	}
	return out
}

// highest is the highest value a chart has to show.
func (d *drawing) highest(c chart, wide bool) float64 {
	top := math.NaN()
	look := func(s Series) {
		for i := range s.Len() {
			if s.At[i] < d.s.From || s.At[i] > d.s.To || math.IsInf(s.Max[i], 0) {
				continue
			}
			top = highest(top, s.Max[i])
		}
	}
	for _, k := range c.curves {
		if k.wide && !wide {
			continue
		}
		look(d.s.Series[k.series])
		if d.s.View.Baseline {
			look(d.s.Base[k.series])
		}
	}
	return top
}

// curve draws one line and returns the height of its last dot. A column in which several readings fall shows the
// highest of them: what was bad for ten seconds is still seen in a picture of eight hours.
func (d *drawing) curve(p *plot, ax axis, k curve, s Series, until time.Duration) (endY int, ok bool) {
	sp := span{d.s.From, d.s.To, p.width()}
	height := p.height() - 1
	prevX, prevY, joined := 0, 0, false
	n := s.Len()
	for i := 0; i < n && s.At[i] <= until; {
		x, top := sp.col(s.At[i]), math.NaN()
		for ; i < n && s.At[i] <= until && sp.col(s.At[i]) == x; i++ {
			if v := s.Max[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
				top = highest(top, v)
			}
		}
		if math.IsNaN(top) {
			joined = false
			continue
		}
		if x == sp.cols && s.At[i-1] <= d.s.To { // the window's very end belongs to its last column
			x--
		}
		y := height - int(math.Round(ax.share(top)*float64(height)))
		if joined {
			p.line(prevX, prevY, x, y, k.stroke, k.style)
		} else {
			p.dot(x, y, k.style)
		}
		prevX, prevY, joined = x, y, true
		endY, ok = y, x >= 0
	}
	return endY, ok
}

// legend writes the lines' names and values at the right of the upper edge, as many as fit.
func (d *drawing) legend(r rect, c chart, title string) {
	wide := r.w >= 56
	show := c.show
	if !wide && c.brief != nil {
		show = c.brief
	} else if show == nil || !wide {
		show = number
	}
	room := r.w - 9 - width(title, d.f.ascii)
	var texts []string
	var styles []style
	used := 0
	for _, detail := range [2]bool{false, true} {
		for _, k := range c.curves {
			v, have := d.s.Values[k.series]
			if k.wide != detail || (detail && !(wide && have)) {
				continue
			}
			text := show(nanUnless(v, have))
			if k.name != "" {
				text = k.name + " " + text
			}
			w := width(text, d.f.ascii) + 2
			if used+w > room {
				break
			}
			used += w
			texts, styles = append(texts, text), append(styles, k.style)
		}
	}
	if len(texts) == 0 {
		return
	}
	x := r.x + r.w - 2 - used
	for i, text := range texts {
		d.f.set(x, r.y, ' ', plain)
		x = d.f.text(x+1, r.y, text, styles[i], room)
		d.f.set(x, r.y, ' ', plain)
		x++
	}
}

func nanUnless(v float64, ok bool) float64 {
	if ok {
		return v
	}
	return math.NaN()
}

// marks draws the numbered interventions: a faint line through the plot, the number on the lower edge.
func (d *drawing) marks(r, in rect) {
	sp := span{d.s.From, d.s.To, in.w}
	if r.w >= 100 {
		d.f.text(r.x+1, r.y+r.h-1, clock(d.s.From, d.s.To), dim, axisWidth+1)
		d.f.right(r.x+r.w-1, r.y+r.h-1, clock(d.s.To, d.s.To), dim, 12)
	}
	free := in.x
	for _, m := range d.numbered() {
		col := sp.col(m.At)
		if m.At == d.s.To {
			col = in.w - 1
		}
		if col < 0 || col >= in.w {
			continue
		}
		for y := range in.h {
			d.f.set(in.x+col, in.y+y, '┊', dim)
		}
		label := strconv.Itoa(m.Number)
		x := max(in.x+col, free)
		if x+len(label) > in.x+in.w+1 {
			continue
		}
		s := strong
		if m.At > d.s.Now {
			s = dim
		}
		free = d.f.text(x, r.y+r.h-1, label, s, len(label))
	}
}

// cursor shows where the view stands while it is scrubbed.
func (d *drawing) cursor(in rect) {
	if d.s.Now >= d.s.Seen {
		return
	}
	col := (span{d.s.From, d.s.To, in.w}).col(d.s.Now)
	if col < 0 || col >= in.w {
		return
	}
	for y := range in.h {
		if c := d.f.at(in.x+col, in.y+y); c.r == ' ' || c.r == '┊' || c.r == ':' {
			d.f.set(in.x+col, in.y+y, '│', warn)
		}
	}
}

// numbered is every intervention, past and planned, by its instant.
func (d *drawing) numbered() []record.Event {
	if d.numbers == nil {
		d.numbers = []record.Event{}
		seen := map[string]bool{}
		for _, list := range [2][]record.Event{d.s.Events, d.s.Ahead} {
			for _, e := range list {
				key := fmt.Sprint(e.Number, e.At)
				if e.Number > 0 && !seen[key] && len(d.numbers) < 500 {
					seen[key] = true
					d.numbers = append(d.numbers, e)
				}
			}
		}
	}
	return d.numbers
}
