package chart

import (
	"image/color"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	xfont "golang.org/x/image/font"
)

// Colour is one of the palette of Okabe and Ito, which people who confuse colours can tell apart. Each has one meaning
// in every picture.
type Colour int

// The colours, by what they mean.
const (
	Black  Colour = iota // offered, wanted
	Blue                 // accepted, goodput
	Green                // delivered, ready
	Red                  // failed, over the limit (vermillion)
	Orange               // retries, duplicates
	Sky                  // in flight, memory
	Purple               // everything else
	Grey                 // a baseline, a limit, the past
	colours
)

var palette = [colours]color.NRGBA{
	{0x00, 0x00, 0x00, 0xff}, {0x00, 0x72, 0xb2, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xd5, 0x5e, 0x00, 0xff},
	{0xc4, 0x82, 0x00, 0xff}, {0x2f, 0x93, 0xd1, 0xff}, {0xb0, 0x57, 0x8a, 0xff}, {0x77, 0x77, 0x77, 0xff},
}

func (c Colour) rgba() color.NRGBA { return palette[c] }

// Dash is the second channel beside colour.
type Dash int

// The dashes.
const (
	Solid Dash = iota
	Dashed
	Dotted
	DashDot
)

func (d Dash) lengths() []vg.Length {
	return [][]vg.Length{nil, {5, 2.5}, {1.2, 2}, {6, 2, 1.2, 2}}[d]
}

var (
	ink      = color.NRGBA{0x22, 0x22, 0x22, 0xff}
	inkSoft  = color.NRGBA{0x66, 0x66, 0x66, 0xff}
	gridInk  = color.NRGBA{0xe4, 0xe4, 0xe4, 0xff}
	bandInk  = color.NRGBA{0xf3, 0xf3, 0xf3, 0xff}
	paperInk = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	markInk  = color.NRGBA{0x55, 0x55, 0x55, 0xff}
)

// pen holds the fonts of a picture; they are parsed once for each.
type pen struct{ handler text.Handler }

func newPen() pen {
	cache := font.NewCache(liberation.Collection())
	return pen{text.Plain{Fonts: cache}}
}

func (p pen) style(size float64, c color.Color, bold bool) draw.TextStyle {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: font.Length(size)}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return draw.TextStyle{Color: c, Font: f, Handler: p.handler}
}
