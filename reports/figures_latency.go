package reports

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/internal/chart"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// binsPerDecade is how finely the latency heat map divides its log axis.
const binsPerDecade = 12

// figureLatency is the heat map of delivery times: its modes are what percentiles hide.
func figureLatency(r *Report) (chart.Figure, bool) {
	d := r.data
	times := d.arrivals(d.whole())
	if len(times) == 0 {
		return chart.Figure{}, false
	}
	low := math.Floor(math.Log10(max(times[0].Seconds(), 1e-4))*binsPerDecade) / binsPerDecade
	high := math.Ceil(math.Log10(max(times[len(times)-1].Seconds(), 1e-3))*binsPerDecade+0.01) / binsPerDecade
	rows := max(1, int(math.Round((high-low)*binsPerDecade)))
	columns := Window{0, max(d.loadEnd, 1)}.steps(d.bin())
	cells := &chart.Cells{Name: "messages"}
	for j := range rows + 1 {
		cells.Y = append(cells.Y, math.Pow(10, low+float64(j)/binsPerDecade))
	}
	p50, p99 := chart.Line{Name: "p50", Colour: chart.Black, Width: 1.2}, chart.Line{Name: "p99", Colour: chart.Red, Dash: chart.Dashed, Width: 1.2}
	for _, w := range columns {
		cells.X = append(cells.X, w.From.Seconds())
		column := make([]float64, rows)
		v := d.arrivals(w)
		for _, t := range v {
			j := int((math.Log10(max(t.Seconds(), 1e-4)) - low) * binsPerDecade)
			j = min(max(j, 0), rows-1)
			column[j]++
			cells.Max = max(cells.Max, column[j])
		}
		cells.Value = append(cells.Value, column)
		mid := (w.From + w.Length()/2).Seconds()
		p50.X, p99.X = append(p50.X, mid), append(p99.X, mid)
		all := d.waits(w)
		p50.Y, p99.Y = append(p50.Y, drawn(all, 0.5)), append(p99.Y, drawn(all, 0.99))
	}
	cells.X = append(cells.X, columns[len(columns)-1].To.Seconds())
	p := r.overTime(190, chart.Axis{Label: "delivery time (log)", Scale: chart.Log, Min: cells.Y[0], Max: cells.Y[rows], Format: FormatSeconds}, p50, p99)
	p.Cells = cells
	f := chart.Figure{ID: "P04", Slug: "latency", Title: "Delivery times",
		Caption: "Each column holds the messages due in " + FormatDuration(d.bin()) + ", darker where more of them took that long; counted from the instant they were due, so no wait is left out. Those never delivered are in no cell; the lines count them, and break off where so many never arrived.",
		Panels:  []chart.Panel{p}}
	if first, worst, ok := r.calmAndWorst(); ok {
		f.Title = fmt.Sprintf("Median delivery took %s when calm and %s in phase %s", FormatSeconds(first.Delivery.P50.Seconds()), FormatSeconds(worst.Delivery.P50.Seconds()), worst.Name)
	}
	return f, true
}

// drawn is a percentile as a chart shows it: NaN where there is none, or the message never arrived.
func drawn(v []time.Duration, q float64) float64 {
	t := Percentile(v, q)
	return orNaN(t.Seconds(), len(v) > 0 && t != forever)
}

// calmAndWorst returns the first phase and the one with the highest median delivery time.
func (r *Report) calmAndWorst() (calm, worst SummaryPhase, ok bool) {
	for i, p := range r.summary.Phases {
		if p.Delivery.Count == 0 {
			continue
		}
		if i == 0 {
			calm, ok = p, true
		}
		if p.Delivery.P50 > worst.Delivery.P50 {
			worst = p
		}
	}
	return calm, worst, ok && worst.Name != calm.Name
}

var phaseColours = []chart.Colour{chart.Green, chart.Blue, chart.Red, chart.Orange, chart.Purple, chart.Sky, chart.Black, chart.Grey}

// figurePercentiles shows the tail honestly: every phase up to where ten messages are left.
func figurePercentiles(r *Report) (chart.Figure, bool) {
	d := r.data
	var lines []chart.Line
	least, most, tail := math.Inf(1), 0.0, 10.0
	for i, ph := range r.Info.Phases {
		v := d.waits(Window{ph.From, ph.To})
		if len(v) < 20 || i >= len(phaseColours) {
			continue
		}
		l := chart.Line{Name: ph.Name, Colour: phaseColours[i], Dash: chart.Dash(i % 4), Label: ph.Name + " " + formatCount(float64(len(v)))}
		for x := 1.0; x <= float64(len(v))/10; x *= 1.1 {
			t := max(drawn(v, 1-1/x), 1e-4)
			if math.IsNaN(t) {
				break
			}
			l.X, l.Y = append(l.X, x), append(l.Y, t)
			least, most, tail = min(least, t), max(most, t), max(tail, x)
		}
		if len(l.X) > 0 {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return chart.Figure{}, false
	}
	f := chart.Figure{ID: "P12", Slug: "percentiles", Title: "Delivery time by percentile",
		Caption: "One curve for each phase with the number of messages it counts. A curve ends where fewer than ten messages lie beyond, or where the rest never arrived.",
		Panels: []chart.Panel{{Height: 230, X: chart.Axis{Label: "percentile", Scale: chart.Tail, Min: 1, Max: tail},
			Y: chart.Axis{Label: "delivery time (log)", Scale: chart.Log, Min: least / 1.3, Max: most * 1.3, Format: FormatSeconds}, Lines: lines}}}
	if calm, worst, ok := r.calmAndWorst(); ok {
		f.Title = fmt.Sprintf("p99 of delivery: %s in phase %s, %s in phase %s", FormatSeconds(calm.Delivery.P99.Seconds()), calm.Name, FormatSeconds(worst.Delivery.P99.Seconds()), worst.Name)
	}
	return f, true
}

// loopStep is the distance of the dots of the two pictures that have no time axis.
func (d *Measured) loopStep() time.Duration { return max(5*time.Minute, d.bin()) }

// figureLoop plots goodput against offered load: a system that has two answers to one load is metastable.
func figureLoop(r *Report) (chart.Figure, bool) {
	d := r.data
	up := chart.Line{Name: "before the peak of the load", Colour: chart.Blue, Dots: true, Joined: true}
	down := chart.Line{Name: "after it", Colour: chart.Orange, Dots: true, Joined: true, Dash: chart.Dashed}
	type point struct {
		at               time.Duration
		offered, goodput float64
	}
	var points []point
	peak := 0
	for _, w := range (Window{0, d.loadEnd}).steps(d.loopStep()) {
		a, ok1 := perMinute(record.GOffered)(d, w)
		b, ok2 := perMinute(record.GGoodput)(d, w)
		if !ok1 || !ok2 || w.Length() < d.loopStep() {
			continue
		}
		points = append(points, point{w.From, a, b})
		if a > points[peak].offered {
			peak = len(points) - 1
		}
	}
	if len(points) < 4 {
		return chart.Figure{}, false
	}
	notes := map[int]string{}
	for _, e := range r.numbered() {
		for i, p := range points {
			if p.at >= e.At {
				notes[i] = strings.TrimPrefix(notes[i]+" ", " ") + fmt.Sprintf("(%d) %s", e.Number, shortClock(p.at))
				break
			}
		}
	}
	notes[peak] = strings.TrimPrefix(notes[peak]+" peak "+shortClock(points[peak].at), " ")
	for i, p := range points {
		l := &up
		if i > peak {
			l = &down
		}
		if i == peak+1 { // the two paths meet at the peak
			down.X, down.Y, down.Notes = append(down.X, points[peak].offered), append(down.Y, points[peak].goodput), append(down.Notes, "")
		}
		l.X, l.Y, l.Notes = append(l.X, p.offered), append(l.Y, p.goodput), append(l.Notes, notes[i])
	}
	limit := top([]chart.Line{{Y: up.X}, {Y: down.X}, up, down})
	lines := []chart.Line{up}
	if len(down.X) > 0 {
		lines = append(lines, down)
	}
	return chart.Figure{ID: "P11", Slug: "hysteresis", Title: "Goodput against offered load", Square: true,
		Caption: "A dot for every " + FormatDuration(d.loopStep()) + ". On the line all that is offered gets through; above it a backlog is worked off. Two goodputs at one load mean that the system remembers its overload.",
		Panels: []chart.Panel{{Height: squareSide, Guide: true, Lines: lines,
			X: chart.Axis{Label: "offered, messages a minute", Max: limit, Format: Count.Format}, Y: chart.Axis{Label: "goodput, messages a minute", Max: limit, Format: Count.Format}}}}, true
}

// squareSide is the height that makes a square picture's panel as high as it is wide.
const squareSide = 322

func shortClock(d time.Duration) string {
	s := FormatClock(d)
	return s[:len(s)-3]
}

// figurePortrait plots how fast the backlog moves against how large it is.
func figurePortrait(r *Report) (chart.Figure, bool) {
	d := r.data
	l := chart.Line{Name: "", Label: "-", Colour: chart.Blue, Dots: true, Joined: true}
	lowest, highest := 0.0, 0.0
	for _, w := range d.whole().steps(d.loopStep()) {
		_, v := d.readings(record.GBacklog, w)
		if len(v) < 2 {
			continue
		}
		slope := (v[len(v)-1] - v[0]) / w.Length().Minutes()
		l.X, l.Y, l.Notes = append(l.X, v[len(v)-1]), append(l.Y, slope), append(l.Notes, r.noteAt(w))
		lowest, highest = min(lowest, slope), max(highest, slope)
	}
	if most, ok := r.Value("backlog.max"); len(l.X) < 4 || !ok || most < 10 {
		return chart.Figure{}, false
	}
	span := max(highest-lowest, 1)
	return chart.Figure{ID: "P13", Slug: "backlog-portrait", Title: "Where the backlog was going",
		Caption: "A dot for every " + FormatDuration(d.loopStep()) + ", joined in order. Above zero the backlog grows, below it drains; a cloud near zero on the right is a backlog that stays.",
		Panels: []chart.Panel{{Height: 190, Lines: []chart.Line{l}, Limits: []chart.Limit{{At: 0, Name: "steady"}},
			X: chart.Axis{Label: "messages held", Max: top([]chart.Line{{Y: l.X}}), Format: Count.Format},
			Y: chart.Axis{Label: "change, messages a minute", Min: lowest - span*0.06, Max: highest + span*0.06, Format: Count.Format}}}}, true
}

func (r *Report) noteAt(w Window) string {
	for _, e := range r.numbered() {
		if e.At >= w.From && e.At < w.To {
			return fmt.Sprintf("(%d) %s", e.Number, shortClock(e.At))
		}
	}
	return ""
}
