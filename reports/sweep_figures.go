package reports

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"os"
	"path/filepath"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/reports/internal/chart"
)

// figures draws the map, the Pareto front and the tornado.
func (s *Sweep) figures() []chart.Figure {
	var out []chart.Figure
	for _, make := range []func() (chart.Figure, bool){s.figureMap, s.figureFront, s.figureTornado} {
		if f, ok := make(); ok {
			out = append(out, f)
		}
	}
	return out
}

func (s *Sweep) figureMap() (chart.Figure, bool) {
	if len(s.Axes) < 2 || s.switches() {
		return chart.Figure{}, false
	}
	g := &chart.Cells{Name: s.Headline.Name, Diverging: true, Max: 1}
	x, y := s.Axes[1], s.Axes[0]
	xAxis := chart.Axis{Label: x.Name, Scale: chart.Names, Max: float64(len(x.Levels))}
	yAxis := chart.Axis{Label: y.Name, Scale: chart.Names, Max: float64(len(y.Levels))}
	for j := range len(x.Levels) + 1 {
		g.X = append(g.X, float64(j))
	}
	for i := range len(y.Levels) + 1 {
		g.Y = append(g.Y, float64(i))
	}
	for j, name := range x.Levels {
		xAxis.Ticks = append(xAxis.Ticks, chart.Tick{At: float64(j) + 0.5, Name: name})
	}
	for i, name := range y.Levels {
		yAxis.Ticks = append(yAxis.Ticks, chart.Tick{At: float64(i) + 0.5, Name: name})
	}
	lo, hi := s.span()
	safe := 0
	for j := range x.Levels {
		var values []float64
		var texts []string
		for i := range y.Levels {
			v := math.NaN()
			if p, ok := s.at(i, j); ok && len(p.Runs) > 0 {
				v = s.shade(s.value(p, s.Headline), lo, hi)
				if s.keeps(p, s.Safe...) {
					safe++
				}
			}
			values, texts = append(values, v), append(texts, s.cellWhy(i, j))
		}
		g.Value, g.Text = append(g.Value, values), append(g.Text, texts)
	}
	title := fmt.Sprintf("%d of %d settings are safe on %s", safe, len(x.Levels)*len(y.Levels), plural(len(s.Seeds), "seed"))
	return chart.Figure{ID: "P14", Slug: "map", Title: title,
		Caption: "Each cell shows " + s.Headline.Name + " and whether the setting is safe on every seed (ok, or x with what broke); blue is the best that was seen, orange the worst.",
		Panels:  []chart.Panel{{Height: 34 * float64(len(y.Levels)), X: xAxis, Y: yAxis, Cells: g}}}, true
}

// span is the lowest and the highest headline of all points.
func (s *Sweep) span() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, p := range s.Points {
		if v := s.value(p, s.Headline); !math.IsNaN(v) && !isNever(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return lo, hi
}

// shade turns a headline into 1 for the best that was seen and -1 for the worst.
func (s *Sweep) shade(v, lo, hi float64) float64 {
	if math.IsNaN(v) || hi <= lo {
		return 0
	}
	f := 1 - 2*(min(v, hi)-lo)/(hi-lo) // never is as bad as the worst
	if s.Headline.Better == "higher" {
		f = -f
	}
	return f
}

// drawable reports whether a point has a place between the axes: never has none.
func (s *Sweep) drawable(p SweepPoint) bool {
	x, y := s.value(p, s.Cost), s.value(p, s.Headline)
	return !math.IsNaN(x) && !math.IsNaN(y) && !isNever(x) && !isNever(y)
}

func (s *Sweep) figureFront() (chart.Figure, bool) {
	front := s.front()
	on := map[string]bool{}
	for _, p := range front {
		on[fmt.Sprint(p.Levels)] = true
	}
	rest := chart.Line{Name: "beaten on both", Colour: chart.Grey, Dots: true, Dash: chart.Dashed}
	best := chart.Line{Name: "front", Colour: chart.Blue, Dots: true, Joined: true}
	scale := 1.0
	unit := s.Headline.Name
	if s.Headline.Unit == Share {
		scale, unit = 100, s.Headline.Name+", %"
	}
	for _, p := range s.ranked() {
		if !on[fmt.Sprint(p.Levels)] && s.drawable(p) {
			rest.X, rest.Y = append(rest.X, s.value(p, s.Cost)), append(rest.Y, s.value(p, s.Headline)*scale)
		}
	}
	for _, p := range front {
		if !s.drawable(p) {
			continue
		}
		best.X, best.Y, best.Notes = append(best.X, s.value(p, s.Cost)), append(best.Y, s.value(p, s.Headline)*scale), append(best.Notes, s.name(p))
	}
	if len(best.X)+len(rest.X) < 3 || len(best.X) == 0 {
		return chart.Figure{}, false
	}
	x := chart.Axis{Label: s.Cost.Name + " (" + string(s.Cost.Unit) + ")", Max: top([]chart.Line{{Y: rest.X}, {Y: best.X}}), Format: s.Cost.Unit.Format}
	if s.Cost.Unit == Seconds {
		least := math.Inf(1)
		for _, v := range append(append([]float64{}, rest.X...), best.X...) {
			least = min(least, v)
		}
		x = chart.Axis{Label: s.Cost.Name + " (log)", Scale: chart.Log, Min: max(least/2, 1e-3), Max: x.Max * 1.4, Format: FormatSeconds}
	}
	lines := []chart.Line{best}
	if len(rest.X) > 0 {
		lines = []chart.Line{rest, best}
	}
	return chart.Figure{ID: "P15", Slug: "pareto", Title: s.frontCount(len(front), len(front)+len(rest.X)),
		Caption: "Down and left is better. Grey settings are beaten on both axes by one on the front.",
		Panels:  []chart.Panel{{Height: 250, X: x, Y: chart.Axis{Label: unit, Max: top(lines), Format: Count.Format}, Lines: lines}}}, true
}

func (s *Sweep) frontCount(front, all int) string {
	if front == 1 {
		return "Best on both axes: " + s.name(s.front()[0])
	}
	return fmt.Sprintf("%d of %d settings are worth choosing from", front, all)
}

func (s *Sweep) figureTornado() (chart.Figure, bool) {
	effects := s.effects()
	if len(effects) == 0 {
		return chart.Figure{}, false
	}
	scale, unit := 1.0, s.Headline.Name
	if s.Headline.Unit == Share {
		scale, unit = 100, s.Headline.Name+", points"
	}
	p := chart.Panel{Height: 22 * float64(len(effects[:min(len(effects), 16)]))}
	lo, hi := 0.0, 0.0
	for _, e := range effects[:min(len(effects), 16)] {
		name := shortKey(e.Axis) + " " + e.Level
		if s.switches() {
			name = e.Axis
		}
		colour := chart.Blue
		if (e.Mean > 0) == (s.Headline.Better == "lower") {
			colour = chart.Red
		}
		v := e.Mean * scale
		lo, hi = min(lo, v), max(hi, v)
		p.Bars = append(p.Bars, chart.Bar{Name: name, Value: v, Text: signed(e.Mean, s.Headline.Unit), Colour: colour})
	}
	pad := max(hi-lo, 1e-9) * 0.12
	p.X = chart.Axis{Label: "change of " + unit, Min: lo - pad/4, Max: hi + pad, Format: Count.Format}
	return chart.Figure{ID: "P16", Slug: "tornado", Title: "What each change does, everything else being equal",
		Caption: "The mean change of " + s.Headline.Name + " against the first level of the same axis, over all combinations of the others. Blue helps, vermillion harms.",
		Panels:  []chart.Panel{p}}, true
}

// Write leaves the sweep's documents in a folder: sweep.html, sweep.md and plots.
func (s *Sweep) Write(dir string) error {
	var md bytes.Buffer
	if err := s.Markdown(&md); err != nil {
		return err
	}
	page, err := s.html()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "plots"), 0o755); err != nil {
		return err
	}
	made := map[string][]byte{"sweep.md": md.Bytes(), "sweep.html": page}
	for _, f := range s.figures() {
		png, err := f.PNG(plotDPI)
		if err != nil {
			return err
		}
		made[filepath.Join("plots", f.ID+"-"+f.Slug+".svg")], made[filepath.Join("plots", f.ID+"-"+f.Slug+".png")] = f.SVG(), png
	}
	for _, name := range sortedNames(made) {
		if err := files.Replace(filepath.Join(dir, name), made[name]); err != nil {
			return err
		}
	}
	return nil
}

// sweepPage is what sweep.html shows.
type sweepPage struct {
	Style   template.CSS
	Title   string
	Safe    []string
	Table   table
	Legend  string
	Figures []pageFigure
	Front   table
	Effects table
}

func (s *Sweep) html() ([]byte, error) {
	style, err := pageFiles.ReadFile("page/report.css")
	if err != nil {
		return nil, err
	}
	t, err := template.ParseFS(pageFiles, "page/sweep.html.tmpl")
	if err != nil {
		return nil, err
	}
	p := sweepPage{Style: template.CSS(style), Title: s.heading(), Safe: s.SafeWords(), Table: s.table(false), Legend: s.legend(s.table(false)), Front: s.frontTable(), Effects: s.effectTable()}
	for _, f := range s.figures() {
		p.Figures = append(p.Figures, pageFigure{ID: f.ID, Caption: f.Caption, SVG: template.HTML(f.SVG())})
	}
	var b bytes.Buffer
	err = t.Execute(&b, p)
	return b.Bytes(), err
}
