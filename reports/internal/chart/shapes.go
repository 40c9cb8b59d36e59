package chart

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func withAlpha(c color.NRGBA, a uint8) color.NRGBA {
	c.A = a
	return c
}

// lanes draws rows of spans and points; row 0 is on top.
func (s sheet) lanes(c draw.Canvas, x func(float64) vg.Length, ty func(float64) vg.Length) {
	number := s.pen.style(7, paperInk, true)
	number.XAlign, number.YAlign = text.XCenter, text.YCenter
	words := s.pen.style(6.8, ink, false)
	words.YAlign = text.YCenter
	for i, l := range s.panel.Lanes {
		mid := snap(ty(-float64(i) - 0.5))
		half := snap((ty(0) - ty(-1)) * 0.32)
		for _, b := range l.Spans {
			x0, x1 := max(x(b.From), c.Min.X), min(x(b.To), c.Max.X)
			if x1 <= x0 {
				continue
			}
			c.SetColor(withAlpha(l.Colour.rgba(), 0x40))
			c.Fill(box(x0, mid-half, x1, mid+half))
			c.StrokeLines(draw.LineStyle{Color: l.Colour.rgba(), Width: 0.6}, []vg.Point{{X: x0, Y: mid - half}, {X: x0, Y: mid + half}})
			if words.Width(b.Name)+4 < x1-x0 {
				c.FillText(words, vg.Point{X: x0 + 3, Y: mid}, b.Name)
			}
		}
		for _, m := range l.Points {
			at := x(m.At)
			if at < c.Min.X || at > c.Max.X {
				continue
			}
			if m.Number > 0 {
				s.disc(c, vg.Point{X: at, Y: mid}, m.Number, number)
				continue
			}
			c.StrokeLines(draw.LineStyle{Color: l.Colour.rgba(), Width: 1}, []vg.Point{{X: at, Y: mid - half}, {X: at, Y: mid + half}})
		}
		if i > 0 {
			y := snap(ty(-float64(i)))
			c.StrokeLine2(draw.LineStyle{Color: gridInk, Width: 0.5}, c.Min.X, y, c.Max.X, y)
		}
	}
}

// bars draws sideways bars from 0, each with its text at its end.
func (s sheet) bars(c draw.Canvas, x func(float64) vg.Length, ty func(float64) vg.Length) {
	words := s.pen.style(7.5, ink, false)
	words.YAlign = text.YCenter
	zero := min(max(x(0), c.Min.X), c.Max.X)
	for i, b := range s.panel.Bars {
		mid := snap(ty(-float64(i) - 0.5))
		half := snap((ty(0) - ty(-1)) * 0.3)
		end := x(b.Value)
		c.SetColor(b.Colour.rgba())
		c.Fill(box(min(zero, end), mid-half, max(zero, end), mid+half))
		at := vg.Point{X: max(zero, end) + 4, Y: mid}
		c.FillText(words, at, b.Text)
	}
	if len(s.panel.Bars) > 0 {
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.8}, zero, c.Min.Y, zero, c.Max.Y)
	}
}

// cells draws a heat map as one image, a pixel (or a block of them) for each cell, and its colour bar.
func (s sheet) cells(c draw.Canvas, x, y func(float64) vg.Length) {
	g := s.panel.Cells
	if g == nil || len(g.X) < 2 || len(g.Y) < 2 {
		return
	}
	if g.Text != nil {
		s.bigCells(c, g, x, y)
		return
	}
	cols, rows := len(g.X)-1, len(g.Y)-1
	block := 1
	if s.pixel { // scaling smooths: give it enough pixels to keep the edges
		block = 4
	}
	img := image.NewNRGBA(image.Rect(0, 0, cols*block, rows*block))
	for i := range cols {
		for j := range rows {
			v := g.Value[i][j]
			if math.IsNaN(v) || v == 0 && !g.Diverging {
				continue
			}
			col := g.colour(v)
			for dx := range block {
				for dy := range block {
					img.SetNRGBA(i*block+dx, (rows-1-j)*block+dy, col)
				}
			}
		}
	}
	c.DrawImage(vg.Rectangle{Min: vg.Point{X: x(g.X[0]), Y: y(g.Y[0])}, Max: vg.Point{X: x(g.X[cols]), Y: y(g.Y[rows])}}, img)
	s.colourBar(c, g)
}

// bigCells draws few cells, with their text.
func (s sheet) bigCells(c draw.Canvas, g *Cells, x, y func(float64) vg.Length) {
	style := s.pen.style(7.5, ink, false)
	style.XAlign, style.YAlign = text.XCenter, text.YCenter
	for i := range len(g.X) - 1 {
		for j := range len(g.Y) - 1 {
			v := g.Value[i][j]
			x0, x1, y0, y1 := x(g.X[i]), x(g.X[i+1]), y(g.Y[j]), y(g.Y[j+1])
			if !math.IsNaN(v) {
				c.SetColor(g.colour(v))
				c.Fill(box(x0+0.5, y0+0.5, x1-0.5, y1-0.5))
			}
			st := style
			if !math.IsNaN(v) && dark(g.colour(v)) {
				st.Color = paperInk
			}
			c.FillText(st, vg.Point{X: (x0 + x1) / 2, Y: (y0 + y1) / 2}, g.Text[i][j])
		}
	}
}

func dark(c color.NRGBA) bool {
	return 0.299*float64(c.R)+0.587*float64(c.G)+0.114*float64(c.B) < 140
}

// colour is of cividis on a log scale, light for few; about 0 it is blue for good and orange for bad.
func (g *Cells) colour(v float64) color.NRGBA {
	if g.Diverging {
		f := math.Max(-1, math.Min(1, v/g.Max))
		if f >= 0 {
			return blend(color.NRGBA{0xf7, 0xf7, 0xf7, 0xff}, color.NRGBA{0x00, 0x72, 0xb2, 0xff}, f)
		}
		return blend(color.NRGBA{0xf7, 0xf7, 0xf7, 0xff}, color.NRGBA{0xd5, 0x5e, 0x00, 0xff}, -f)
	}
	return cividis(1 - math.Log1p(v)/math.Log1p(math.Max(g.Max, 1)))
}

func blend(a, b color.NRGBA, f float64) color.NRGBA {
	mix := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + (float64(y)-float64(x))*f)) }
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}

// colourBar stands in the right margin.
func (s sheet) colourBar(c draw.Canvas, g *Cells) {
	const n = 48
	style := s.pen.style(7, inkSoft, false)
	style.YAlign = text.YCenter
	x0 := c.Max.X + 62
	h := (c.Max.Y - c.Min.Y) * 0.8
	for i := range n {
		v := math.Expm1(math.Log1p(math.Max(g.Max, 1)) * (float64(i) + 0.5) / n)
		c.SetColor(g.colour(v))
		y0 := c.Min.Y + h*vg.Length(i)/n
		c.Fill(box(x0, y0, x0+8, y0+h/n+0.3))
	}
	for _, f := range []float64{0, 0.5, 1} {
		v := math.Expm1(math.Log1p(math.Max(g.Max, 1)) * f)
		c.FillText(style, vg.Point{X: x0 + 11, Y: c.Min.Y + h*vg.Length(f)}, plain(math.Round(v)))
	}
	c.FillText(style, vg.Point{X: x0 - 2, Y: c.Min.Y + h + 9}, g.Name)
}

// cividisStops are every sixteenth colour of cividis (Nuñez, Anderton, Renslow 2018), dark to light.
var cividisStops = [...][3]uint8{
	{0, 34, 78}, {0, 42, 100}, {18, 53, 112}, {42, 63, 109}, {59, 73, 108}, {73, 83, 107}, {87, 93, 109}, {100, 103, 111}, {112, 113, 115},
	{125, 124, 120}, {138, 134, 120}, {152, 145, 118}, {166, 157, 114}, {181, 169, 108}, {195, 182, 100}, {210, 195, 90}, {225, 208, 76}, {241, 222, 58}, {254, 232, 56},
}

func cividis(f float64) color.NRGBA {
	f = math.Max(0, math.Min(1, f)) * float64(len(cividisStops)-1)
	i := min(int(f), len(cividisStops)-2)
	at := func(k int) color.NRGBA {
		s := cividisStops[k]
		return color.NRGBA{s[0], s[1], s[2], 0xff}
	}
	return blend(at(i), at(i+1), f-float64(i))
}
