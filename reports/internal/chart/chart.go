// Package chart draws the pictures of a report: small multiples on a common axis, labelled at the line, numbered where
// something was done to the system. A Figure is plain data; SVG and PNG draw it with gonum/plot.
package chart

import "math"

// Figure is one picture: panels one above the other, on a common x axis.
type Figure struct {
	ID      string // P02
	Slug    string // backlog
	Title   string // the finding, when there is one
	Caption string // how to read it
	Panels  []Panel
	Square  bool // one panel as high as it is wide
}

// Panel is one set of axes.
type Panel struct {
	Name   string  // of a small multiple; "" for none
	Height float64 // in points, of the part with data
	X, Y   Axis
	Bands  []Band
	Marks  []Mark
	Limits []Limit
	Lines  []Line
	Lanes  []Lane // swim lanes instead of a y axis
	Cells  *Cells // a heat map under the lines
	Bars   []Bar  // sideways bars instead of a y axis
	Guide  bool   // a 45° line
}

// Scale is how an axis turns values into places.
type Scale int

// The scales.
const (
	Linear Scale = iota
	Log          // of positive values; smaller ones lie on the floor, Min
	Clock        // seconds since the start of the run
	Tail         // percentiles as 1/(1-p), on a log scale: 0, 90, 99, 99.9
	Names        // Ticks alone, at their places
)

// Axis describes one axis.
type Axis struct {
	Label    string // with the unit
	Scale    Scale
	Min, Max float64
	Format   func(float64) string
	Ticks    []Tick // of a Names axis
}

// Tick is a named place on an axis.
type Tick struct {
	At   float64
	Name string
}

// Line is one series. NaN is a gap.
type Line struct {
	Name   string
	Colour Colour
	Dash   Dash
	Width  float64 // in points, 0 is 1.4
	Step   bool    // hold each value until the next
	Dots   bool    // a dot at every point, no line
	Joined bool    // with Dots: connect them with a thin line
	X, Y   []float64
	Label  string   // at the end of the line; "" is the name, "-" none
	Notes  []string // beside points with Dots; "" for none
}

// Band is a stretch of the x axis, shaded and named.
type Band struct {
	From, To float64
	Name     string
}

// Mark is a numbered instant.
type Mark struct {
	At     float64
	Number int // 0 for none
	Text   string
}

// Limit is a line that should not be crossed.
type Limit struct {
	At   float64
	Name string
}

// Lane is one row of a swim lane diagram.
type Lane struct {
	Name   string
	Spans  []Band
	Points []Mark
	Colour Colour
}

// Cells is a grid of values: a heat map. Value runs over columns first; NaN cells stay empty.
type Cells struct {
	X, Y      []float64 // edges, one more than there are columns and rows
	Value     [][]float64
	Max       float64              // value with the darkest colour
	Name      string               // what a cell counts
	Diverging bool                 // colours about 0 instead of from 0
	Text      [][]string           // printed into the cells, nil for none
	Legend    func(float64) string // formats the values beside the colour bar
}

// Bar is one bar from a common base.
type Bar struct {
	Name   string
	Value  float64
	Text   string
	Colour Colour
}

// position returns where a value lies on the axis, before it is scaled to the page.
func (a Axis) position(v float64) float64 {
	if a.Scale == Log || a.Scale == Tail {
		return math.Log10(max(v, a.floor()))
	}
	return v
}

func (a Axis) floor() float64 {
	if a.Min > 0 {
		return a.Min
	}
	return 1e-3
}

func (a Axis) format(v float64) string {
	if a.Format == nil {
		return plain(v)
	}
	return a.Format(v)
}
