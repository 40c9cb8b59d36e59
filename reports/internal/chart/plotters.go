package chart

import (
	"math"
	"sort"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// sheet is what every part of a panel draws with: the panel, its fonts, and how positions become places on the page.
type sheet struct {
	panel Panel
	pen   pen
	first bool // the top panel: it carries the names of phases and the numbers of marks
	pixel bool // drawn into pixels, not vectors
}

// Plot draws everything between the axes, back to front. It makes a sheet a plot.Plotter.
func (s sheet) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	x := func(v float64) vg.Length { return snap(tx(s.panel.X.position(v))) }
	y := func(v float64) vg.Length { return snap(ty(s.panel.Y.position(v))) }
	s.bands(c, x)
	s.grid(c, tx, ty)
	s.cells(c, x, y)
	if s.panel.Guide {
		top := math.Min(s.panel.X.Max, s.panel.Y.Max)
		c.StrokeLine2(draw.LineStyle{Color: inkSoft, Width: 0.6, Dashes: Dashed.lengths()}, x(0), y(0), x(top), y(top))
	}
	s.limits(c, y)
	s.marks(c, x)
	s.lanes(c, x, ty)
	s.bars(c, x, ty)
	for _, l := range s.panel.Lines {
		s.line(c, l, x, y)
	}
	s.notes(c, x, y)
	s.labels(c, x, y)
	s.name(c)
}

// snap rounds to a tenth of a point: enough for the eye, and half the bytes.
func snap(l vg.Length) vg.Length { return vg.Length(math.Round(float64(l)*10) / 10) }

func box(x0, y0, x1, y1 vg.Length) vg.Path {
	var p vg.Path
	p.Move(vg.Point{X: x0, Y: y0})
	p.Line(vg.Point{X: x1, Y: y0})
	p.Line(vg.Point{X: x1, Y: y1})
	p.Line(vg.Point{X: x0, Y: y1})
	p.Close()
	return p
}

func (s sheet) bands(c draw.Canvas, x func(float64) vg.Length) {
	style := s.pen.style(7, inkSoft, false)
	style.XAlign, style.YAlign = text.XCenter, text.YCenter
	for i, b := range s.panel.Bands {
		x0, x1 := max(x(b.From), c.Min.X), min(x(b.To), c.Max.X)
		if x1 <= x0 {
			continue
		}
		if i%2 == 1 {
			c.SetColor(bandInk)
			c.Fill(box(x0, c.Min.Y, x1, c.Max.Y))
		}
		if s.first && b.Name != "" && style.Width(b.Name)+4 < x1-x0 {
			c.FillText(style, vg.Point{X: (x0 + x1) / 2, Y: c.Max.Y + 6}, b.Name)
		}
	}
}

func (s sheet) grid(c draw.Canvas, tx, ty func(float64) vg.Length) {
	line := draw.LineStyle{Color: gridInk, Width: 0.5}
	if len(s.panel.Lanes) == 0 && len(s.panel.Bars) == 0 {
		for _, t := range s.panel.Y.marks(float64(c.Max.Y - c.Min.Y)) {
			if y := snap(ty(t.At)); y >= c.Min.Y && y <= c.Max.Y {
				c.StrokeLine2(line, c.Min.X, y, c.Max.X, y)
			}
		}
	}
	for _, t := range s.panel.X.marks(float64(c.Max.X - c.Min.X)) {
		if x := snap(tx(t.At)); x >= c.Min.X && x <= c.Max.X {
			c.StrokeLine2(line, x, c.Min.Y, x, c.Max.Y)
		}
	}
}

func (s sheet) limits(c draw.Canvas, y func(float64) vg.Length) {
	for _, l := range s.panel.Limits {
		if at := y(l.At); at >= c.Min.Y && at <= c.Max.Y {
			c.StrokeLine2(draw.LineStyle{Color: Red.rgba(), Width: 0.8, Dashes: Dashed.lengths()}, c.Min.X, at, c.Max.X, at)
		}
	}
}

func (s sheet) marks(c draw.Canvas, x func(float64) vg.Length) {
	style := s.pen.style(7, paperInk, true)
	style.XAlign, style.YAlign = text.XCenter, text.YCenter
	for _, m := range s.panel.Marks {
		at := x(m.At)
		if at < c.Min.X || at > c.Max.X {
			continue
		}
		c.StrokeLine2(draw.LineStyle{Color: markInk, Width: 0.7, Dashes: []vg.Length{3, 2}}, at, c.Min.Y, at, c.Max.Y)
		if s.first && m.Number > 0 {
			s.disc(c, vg.Point{X: at, Y: c.Max.Y + 6}, m.Number, style)
		}
	}
}

// disc is a number in a filled circle: the sign of an intervention, alike everywhere.
func (s sheet) disc(c draw.Canvas, at vg.Point, number int, style draw.TextStyle) {
	var p vg.Path
	p.Move(vg.Point{X: at.X + 5.2, Y: at.Y})
	p.Arc(at, 5.2, 0, 2*math.Pi)
	p.Close()
	c.SetColor(markInk)
	c.Fill(p)
	c.FillText(style, vg.Point{X: at.X, Y: at.Y - 0.3}, strconv.Itoa(number))
}

func (s sheet) name(c draw.Canvas) {
	if s.panel.Name == "" {
		return
	}
	style := s.pen.style(8, ink, true)
	style.YAlign = text.YTop
	top := c.Max.Y - 3
	width := style.Width(s.panel.Name)
	c.SetColor(withAlpha(paperInk, 0xd0))
	c.Fill(box(c.Min.X+3, top-10, c.Min.X+7+width, top+1))
	c.FillText(style, vg.Point{X: c.Min.X + 5, Y: top}, s.panel.Name)
}

func (s sheet) line(c draw.Canvas, l Line, x, y func(float64) vg.Length) {
	width := l.Width
	if width == 0 {
		width = 1.4
	}
	style := draw.LineStyle{Color: l.Colour.rgba(), Width: vg.Length(width), Dashes: l.Dash.lengths()}
	if l.Dots {
		if l.Joined {
			style.Width = 0.6
			s.strokes(c, l, style, x, y)
		}
		s.dots(c, l, x, y)
		return
	}
	s.strokes(c, l, style, x, y)
}

// strokes draws the pieces of a line between its gaps.
func (s sheet) strokes(c draw.Canvas, l Line, style draw.LineStyle, x, y func(float64) vg.Length) {
	var piece []vg.Point
	flush := func() {
		if len(piece) == 1 { // a lone value is a dash as wide as the line
			piece = append(piece, vg.Point{X: piece[0].X + 1.2, Y: piece[0].Y})
		}
		if len(piece) > 1 {
			c.StrokeLines(style, c.ClipLinesXY(piece)...)
		}
		piece = nil
	}
	for i := range l.X {
		if math.IsNaN(l.Y[i]) {
			flush()
			continue
		}
		pt := vg.Point{X: x(l.X[i]), Y: y(l.Y[i])}
		n := len(piece)
		if l.Step && n > 0 && piece[n-1].Y != pt.Y {
			piece = append(piece, vg.Point{X: pt.X, Y: piece[n-1].Y})
			n++
		}
		if n > 1 && piece[n-1].Y == pt.Y && piece[n-2].Y == pt.Y {
			piece[n-1] = pt // a level stretch needs its ends alone
			continue
		}
		piece = append(piece, pt)
	}
	flush()
}

func (s sheet) dots(c draw.Canvas, l Line, x, y func(float64) vg.Length) {
	glyph := draw.GlyphStyle{Color: l.Colour.rgba(), Radius: 1.8, Shape: draw.CircleGlyph{}}
	if l.Dash != Solid {
		glyph.Shape = draw.BoxGlyph{}
	}
	for i := range l.X {
		if math.IsNaN(l.Y[i]) || math.IsNaN(l.X[i]) {
			continue
		}
		at := vg.Point{X: x(l.X[i]), Y: y(l.Y[i])}
		if i < len(l.Notes) && l.Notes[i] != "" {
			g := glyph
			g.Radius = 3
			c.DrawGlyph(g, at)
			continue
		}
		c.DrawGlyph(glyph, at)
	}
}

// note is the words beside a dot: a box of words, by its lower left corner.
type note struct {
	text     string
	at       vg.Point
	width, h vg.Length
}

// notes writes the words beside dots, on the side where there is room, none covering another.
func (s sheet) notes(c draw.Canvas, x, y func(float64) vg.Length) {
	style := s.pen.style(7, ink, false)
	var ns []note
	for _, l := range s.panel.Lines {
		for i := range min(len(l.Notes), len(l.X)) {
			if l.Notes[i] == "" || math.IsNaN(l.X[i]) || math.IsNaN(l.Y[i]) {
				continue
			}
			n := note{text: l.Notes[i], at: vg.Point{X: x(l.X[i]) + 5, Y: y(l.Y[i]) + 3}, width: style.Width(l.Notes[i]), h: 9}
			if left := n.at.X - 10 - n.width; n.at.X+n.width > c.Max.X && left > c.Min.X {
				n.at.X = left
			}
			ns = append(ns, n)
		}
	}
	stack(ns)
	for _, n := range ns {
		c.SetColor(withAlpha(paperInk, 0xb0))
		c.Fill(box(n.at.X-1, n.at.Y-1, n.at.X+n.width+1, n.at.Y+n.h-2))
		c.FillText(style, n.at, n.text)
	}
}

// stack moves notes up until none covers another, the lowest first.
func stack(ns []note) {
	sort.SliceStable(ns, func(i, j int) bool { return ns[i].at.Y < ns[j].at.Y })
	for i := range ns {
		for j := 0; j < i; j++ {
			a, b := &ns[i], ns[j]
			if a.at.X < b.at.X+b.width && b.at.X < a.at.X+a.width && a.at.Y < b.at.Y+b.h && b.at.Y < a.at.Y+a.h {
				a.at.Y = b.at.Y + b.h
				j = -1 // what it now lies on may be an earlier one
			}
		}
	}
}

// label is the name of a line, placed at its end.
type label struct {
	text  string
	style draw.TextStyle
	end   vg.Point // of the line
	y     vg.Length
}

// labels names every line and limit at its right end, spread so that none covers another.
func (s sheet) labels(c draw.Canvas, x, y func(float64) vg.Length) {
	var ls []label
	for _, l := range s.panel.Lines {
		if l.Label == "-" || len(l.X) == 0 {
			continue
		}
		words := l.Label
		if words == "" {
			words = l.Name
		}
		i := len(l.Y) - 1
		for i > 0 && math.IsNaN(l.Y[i]) {
			i--
		}
		if math.IsNaN(l.Y[i]) {
			continue
		}
		end := vg.Point{X: min(x(l.X[i]), c.Max.X), Y: min(max(y(l.Y[i]), c.Min.Y), c.Max.Y)}
		if l.Dots {
			end.X = c.Max.X // a path ends anywhere: no line leads there
		}
		ls = append(ls, label{words, s.pen.style(7.5, l.Colour.rgba(), true), end, end.Y})
	}
	for _, l := range s.panel.Limits {
		if l.Name != "" && y(l.At) <= c.Max.Y && y(l.At) >= c.Min.Y {
			ls = append(ls, label{l.Name, s.pen.style(7.5, Red.rgba(), false), vg.Point{X: c.Max.X, Y: y(l.At)}, y(l.At)})
		}
	}
	spread(ls, c.Min.Y, c.Max.Y, 9.5)
	for _, l := range ls {
		at := vg.Point{X: c.Max.X + 12, Y: l.y}
		c.StrokeLines(draw.LineStyle{Color: withAlpha(inkSoft, 0x90), Width: 0.5}, []vg.Point{{X: l.end.X + 2, Y: l.end.Y}, {X: c.Max.X + 5, Y: l.end.Y}, {X: at.X - 2, Y: at.Y}})
		l.style.YAlign = text.YCenter
		c.FillText(l.style, at, l.text)
	}
}

// spread moves labels apart until they are gap points from each other, as little as it takes.
func spread(ls []label, low, high, gap vg.Length) {
	sort.SliceStable(ls, func(i, j int) bool { return ls[i].y < ls[j].y })
	for i := range ls {
		if i > 0 && ls[i].y < ls[i-1].y+gap {
			ls[i].y = ls[i-1].y + gap
		}
	}
	if n := len(ls); n > 0 && ls[n-1].y > high {
		ls[n-1].y = high
		for i := n - 2; i >= 0; i-- {
			ls[i].y = min(ls[i].y, ls[i+1].y-gap)
		}
	}
}
