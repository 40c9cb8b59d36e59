package chart

import (
	"bytes"
	"fmt"
	"html"
	"image/png"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Sizes of a picture, in points. Margins are fixed, so that time lies at the same place in every picture of a report.
const (
	width       = 760
	squareWidth = 520
	marginLeft  = 66
	marginRight = 132
	titleHeight = 34
	footHeight  = 34
	panelGap    = 9
)

func (f Figure) size() (w, h float64) {
	w, h = width, titleHeight+footHeight
	if f.Square {
		w = squareWidth
	}
	for i, p := range f.Panels {
		h += p.Height
		if i > 0 {
			h += panelGap
		}
	}
	return w, h
}

// SVG draws the figure as one <svg> element that asks nothing of its surroundings.
func (f Figure) SVG() []byte {
	w, h := f.size()
	c := vgsvg.New(vg.Length(w), vg.Length(h))
	f.draw(draw.New(c), false)
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil { // a buffer takes everything
		panic(err)
	}
	return f.polish(b.String(), w, h)
}

// polish makes gonum's document an accessible element with fonts that browsers have.
func (f Figure) polish(s string, w, h float64) []byte {
	_, body, _ := strings.Cut(s, "<svg")
	_, body, _ = strings.Cut(body, ">")
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" aria-labelledby="%[1]s-t %[1]s-d" width="%[2]g" height="%[3]g" viewBox="0 0 %[2]g %[3]g"><title id="%[1]s-t">%[4]s</title><desc id="%[1]s-d">%[5]s</desc>`,
		f.ID, w, h, html.EscapeString(f.ID+" "+f.Title), html.EscapeString(f.Caption))
	body = strings.NewReplacer(
		"font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;",
		"font-family:Liberation Sans", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif",
		"font-variant:Sans;", "",
		"data:image/jpg;", "data:image/png;",
		"<image ", `<image preserveAspectRatio="none" style="image-rendering:pixelated" `,
		"\n\t", " ",
	).Replace(body)
	return []byte(head + body)
}

// PNG draws the figure at a resolution in dots an inch.
func (f Figure) PNG(dpi int) ([]byte, error) {
	w, h := f.size()
	c := vgimg.NewWith(vgimg.UseWH(vg.Length(w), vg.Length(h)), vgimg.UseDPI(dpi))
	f.draw(draw.New(c), true)
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	err := enc.Encode(&b, c.Image())
	return b.Bytes(), err
}

func (f Figure) draw(c draw.Canvas, pixel bool) {
	p := newPen()
	if !pixel { // pixels are white already
		c.SetColor(paperInk)
		c.Fill(box(c.Min.X, c.Min.Y, c.Max.X, c.Max.Y))
	}
	title := p.style(11, ink, true)
	title.YAlign = text.YTop
	c.FillText(title, vg.Point{X: c.Min.X + 8, Y: c.Max.Y - 5}, f.Title)
	top := c.Max.Y - titleHeight
	for i, panel := range f.Panels {
		last := i == len(f.Panels)-1
		area := c
		area.Max.Y = top + 14 // room for numbers above
		area.Min.Y = top - vg.Length(panel.Height)
		if last {
			area.Min.Y -= footHeight
		}
		s := sheet{panel: panel, pen: p, first: i == 0, pixel: pixel}
		s.draw(area, vg.Rectangle{
			Min: vg.Point{X: c.Min.X + marginLeft, Y: top - vg.Length(panel.Height)},
			Max: vg.Point{X: c.Max.X - marginRight, Y: top},
		}, last)
		top -= vg.Length(panel.Height) + panelGap
	}
}

// draw puts one panel's axes so that its data fill a given box.
func (s sheet) draw(c draw.Canvas, data vg.Rectangle, last bool) {
	pl := plot.New()
	pl.BackgroundColor = nil
	pl.TextHandler = s.pen.handler
	s.axis(&pl.X, s.panel.X, float64(data.Max.X-data.Min.X))
	s.axis(&pl.Y, s.panel.Y, float64(data.Max.Y-data.Min.Y))
	if !last {
		pl.X.Label.Text = ""
		pl.X.Tick.Marker = plot.TickerFunc(func(a, b float64) []plot.Tick {
			ts := s.panel.X.ticker(float64(data.Max.X-data.Min.X))(a, b)
			for i := range ts {
				ts[i].Label = ""
			}
			return ts
		})
	}
	if n := len(s.panel.Lanes) + len(s.panel.Bars); n > 0 {
		pl.Y.Min, pl.Y.Max = -float64(n), 0
		pl.Y.Tick.Length = 0
		var ts []plot.Tick
		for i, l := range s.panel.Lanes {
			ts = append(ts, plot.Tick{Value: -float64(i) - 0.5, Label: l.Name})
		}
		for i, b := range s.panel.Bars {
			ts = append(ts, plot.Tick{Value: -float64(i) - 0.5, Label: b.Name})
		}
		pl.Y.Tick.Marker = plot.ConstantTicks(ts)
	}
	pl.Add(s)
	// gonum places the data where its labels leave room; shift the canvas until that is where we want them.
	da := pl.DataCanvas(c)
	pl.Draw(draw.Crop(c, data.Min.X-da.Min.X, data.Max.X-da.Max.X, data.Min.Y-da.Min.Y, data.Max.Y-da.Max.Y))
}

func (s sheet) axis(a *plot.Axis, from Axis, room float64) {
	a.Min, a.Max = from.position(from.Min), from.position(from.Max)
	if math.IsInf(a.Min, 0) || math.IsInf(a.Max, 0) {
		a.Min, a.Max = 0, 1
	}
	if a.Max <= a.Min {
		a.Max = a.Min + 1
	}
	a.Padding = 0
	a.LineStyle = draw.LineStyle{Color: inkSoft, Width: 0.6}
	a.Tick.LineStyle = draw.LineStyle{Color: inkSoft, Width: 0.6}
	a.Tick.Length = 3
	a.Tick.Label.Font = s.pen.style(7.5, inkSoft, false).Font
	a.Tick.Label.Color = inkSoft
	a.Tick.Label.Handler = s.pen.handler
	a.Tick.Marker = from.ticker(room)
	a.Label.Text = from.Label
	a.Label.TextStyle.Font = s.pen.style(8, ink, false).Font
	a.Label.TextStyle.Color = ink
	a.Label.TextStyle.Handler = s.pen.handler
	a.Label.Padding = font.Length(3)
}
