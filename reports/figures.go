package reports

import (
	"fmt"
	"math"
	"time"

	"github.com/aftershock-dev/aftershock/reports/internal/chart"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// figures draws the report's pictures from the record, in the order of the documents. A picture without data is left
// out.
func (r *Report) figures() []chart.Figure {
	var out []chart.Figure
	if r.data.end <= 0 {
		return nil
	}
	for _, make := range []func(*Report) (chart.Figure, bool){
		figureLanes, figureRates, figureBacklog, figureOldest, figureLatency, figureInFlight, figureAmplification,
		figureAnswers, figureHarm, figureResources, figureUse, figurePercentiles, figureLoop, figurePortrait, figureHarness,
	} {
		if f, ok := make(r); ok {
			out = append(out, f)
		}
	}
	return out
}

// binLengths are the steps in which rates are drawn.
var binLengths = []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour}

// bin is the shortest step that gives a picture no more than 400 columns.
func (d *Measured) bin() time.Duration {
	for _, b := range binLengths {
		if d.end/b <= 400 {
			return b
		}
	}
	return 24 * time.Hour
}

// clockAxis is the x axis that all pictures over time share.
func (r *Report) clockAxis() chart.Axis {
	return chart.Axis{Label: "time since the start of the run", Scale: chart.Clock, Max: max(r.data.end, time.Second).Seconds()}
}

// overTime makes a panel with the common x axis, the phases and the numbered interventions.
func (r *Report) overTime(height float64, y chart.Axis, lines ...chart.Line) chart.Panel {
	if y.Max == 0 {
		y.Max = top(lines)
	}
	p := chart.Panel{Height: height, X: r.clockAxis(), Y: y, Lines: lines}
	for _, ph := range r.Info.Phases {
		p.Bands = append(p.Bands, chart.Band{From: ph.From.Seconds(), To: ph.To.Seconds(), Name: ph.Name})
	}
	for _, e := range r.numbered() {
		p.Marks = append(p.Marks, chart.Mark{At: e.At.Seconds(), Number: e.Number, Text: e.Text})
	}
	return p
}

// numbered returns the interventions and faults that have a number, as planned, within the run.
func (r *Report) numbered() []record.Event {
	var out []record.Event
	for _, e := range r.Info.Plan {
		if e.Number > 0 && e.At <= r.data.end {
			out = append(out, e)
		}
	}
	return out
}

// top is where a linear axis that starts at 0 ends.
func top(lines []chart.Line) float64 {
	m := 0.0
	for _, l := range lines {
		for _, v := range l.Y {
			if !math.IsNaN(v) {
				m = max(m, v)
			}
		}
	}
	if m == 0 {
		return 1
	}
	return m * 1.08
}

// rate draws how fast counters rise, a minute.
func (d *Measured) rate(name string, colour chart.Colour, dash chart.Dash, counters ...string) (chart.Line, bool) {
	l := chart.Line{Name: name, Colour: colour, Dash: dash}
	any := false
	for _, w := range d.whole().steps(d.bin()) {
		v, ok := d.increase(w, counters...)
		any = any || ok
		l.X = append(l.X, (w.From + w.Length()/2).Seconds())
		l.Y = append(l.Y, orNaN(v/w.Length().Minutes(), ok))
	}
	return l, any
}

// gauge draws a gauge with the least and the most of every step, so that no spike is lost.
func (d *Measured) gauge(name string, colour chart.Colour, dash chart.Dash, gauge string, scale float64) (chart.Line, bool) {
	l := chart.Line{Name: name, Colour: colour, Dash: dash}
	any := false
	for _, w := range d.whole().steps(d.bin()) {
		at, v := d.readings(gauge, Window{w.From, w.To - 1})
		if len(v) == 0 {
			l.X, l.Y = append(l.X, w.From.Seconds()), append(l.Y, math.NaN())
			continue
		}
		any = true
		lo, hi := 0, 0
		for i := range v {
			if v[i] < v[lo] {
				lo = i
			}
			if v[i] > v[hi] {
				hi = i
			}
		}
		for _, i := range []int{min(lo, hi), max(lo, hi)} {
			if n := len(l.X); n > 0 && l.X[n-1] == at[i].Seconds() {
				continue
			}
			l.X, l.Y = append(l.X, at[i].Seconds()), append(l.Y, v[i]*scale)
		}
	}
	return l, any
}

func figureRates(r *Report) (chart.Figure, bool) {
	d := r.data
	lines := collect(
		lineOf(d.rate("offered", chart.Black, chart.Solid, record.GOffered)),
		lineOf(d.rate("goodput", chart.Blue, chart.Solid, record.GGoodput)),
		lineOf(d.rate("delivered", chart.Green, chart.Dashed, record.GDelivered)),
		lineOf(d.rate("ended badly", chart.Red, chart.DashDot, record.GRefused, record.GExpired, record.GFailed, record.GLost)),
	)
	f := chart.Figure{ID: "P01", Slug: "rate", Title: "Messages offered, accepted and delivered",
		Caption: "Where goodput leaves the offered rate the flow of messages is lost; where it lies above, a backlog is being worked off. Goodput counts each message once.",
		Panels:  []chart.Panel{r.overTime(190, chart.Axis{Label: "messages a minute", Format: Count.Format}, lines...)}}
	if peak, ok := peakOf(lines, "offered"); ok {
		if got, ok := peakOf(lines, "goodput"); ok {
			f.Title = fmt.Sprintf("Up to %s offered, at most %s got through", PerMinute.Format(math.Round(peak)), PerMinute.Format(math.Round(got)))
		}
	}
	return f, len(lines) > 0
}

func peakOf(lines []chart.Line, name string) (float64, bool) {
	for _, l := range lines {
		if l.Name == name {
			m := math.Inf(-1)
			for _, v := range l.Y {
				if v > m {
					m = v
				}
			}
			return m, !math.IsInf(m, -1)
		}
	}
	return 0, false
}

// maybeLine is a line, or none when there is no data for it.
type maybeLine struct {
	line chart.Line
	ok   bool
}

func lineOf(l chart.Line, ok bool) maybeLine { return maybeLine{l, ok} }

func collect(ls ...maybeLine) []chart.Line {
	var out []chart.Line
	for _, l := range ls {
		if l.ok {
			out = append(out, l.line)
		}
	}
	return out
}

func figureBacklog(r *Report) (chart.Figure, bool) {
	d := r.data
	lines := collect(
		lineOf(d.gauge("held by the sender", chart.Black, chart.Solid, record.GBacklog, 1)),
		lineOf(d.gauge("drafts ready to go", chart.Blue, chart.Dashed, record.GReady, 1)),
		lineOf(d.gauge("drafts to be tried again", chart.Orange, chart.DashDot, record.GRetrying, 1)),
	)
	f := chart.Figure{ID: "P02", Slug: "backlog", Title: "Messages held by the sender",
		Caption: "The slope says whether things get better; the area is time that messages spent waiting.",
		Panels:  []chart.Panel{r.overTime(150, chart.Axis{Label: "messages", Format: Count.Format}, lines...)}}
	if rec := d.recovery; rec.known && rec.stabilised != record.Never {
		peak, _ := r.Value("backlog.max")
		f.Title = fmt.Sprintf("The backlog peaked at %s messages, %s after the trouble began", formatCount(peak), FormatDuration(rec.stabilised-rec.trouble))
	}
	return f, len(lines) > 0
}

func figureOldest(r *Report) (chart.Figure, bool) {
	lines := collect(lineOf(r.data.gauge("oldest message", chart.Black, chart.Solid, record.GOldest, 1)))
	if len(lines) == 0 {
		return chart.Figure{}, false
	}
	oldest, _ := r.Value("oldest_age.max")
	return chart.Figure{ID: "P03", Slug: "oldest-age", Title: "The oldest message held had waited up to " + FormatSeconds(oldest),
		Caption: "Age of the oldest message that the sender holds, on a log axis. A steady climb means that nothing old is being finished; media expires when it crosses their lifetime.",
		Panels:  []chart.Panel{r.overTime(140, chart.Axis{Label: "age (log)", Scale: chart.Log, Min: 0.1, Max: max(10, oldest*1.5), Format: FormatSeconds}, lines...)}}, true
}

func figureInFlight(r *Report) (chart.Figure, bool) {
	d := r.data
	lines := collect(
		lineOf(d.gauge("in flight", chart.Sky, chart.Solid, record.GInFlight, 1)),
		lineOf(d.gauge("outcome unknown", chart.Orange, chart.DashDot, record.GUnknown, 1)),
	)
	if len(lines) == 0 {
		return chart.Figure{}, false
	}
	most, _ := r.Value("in_flight.max")
	return chart.Figure{ID: "P05", Slug: "in-flight", Title: fmt.Sprintf("Up to %s requests in flight towards the WhatsApp service", formatCount(most)),
		Caption: "Requests sent and not answered. A plateau is a bound that turns the rest away; a climb without one is work that nobody waits for any more.",
		Panels:  []chart.Panel{r.overTime(130, chart.Axis{Label: "requests", Format: Count.Format}, lines...)}}, true
}

func figureAmplification(r *Report) (chart.Figure, bool) {
	d := r.data
	hop := func(name string, c chart.Colour, dash chart.Dash, all, first []string) maybeLine {
		l := chart.Line{Name: name, Colour: c, Dash: dash}
		any := false
		for _, w := range d.whole().steps(d.bin()) {
			v, ok := d.ratio(w, all, first, fewest)
			any = any || ok
			l.X, l.Y = append(l.X, (w.From+w.Length()/2).Seconds()), append(l.Y, orNaN(v, ok))
		}
		return maybeLine{l, any}
	}
	lines := collect(
		hop("front door", chart.Blue, chart.Dashed, []string{record.GFrontDoor}, []string{record.GFrontDoorFirst}),
		hop("create", chart.Green, chart.DashDot, []string{record.GCreate}, []string{record.GCreateFirst}),
		hop("send", chart.Orange, chart.Dotted, []string{record.GSend}, []string{record.GSendFirst}),
		hop("all three", chart.Black, chart.Solid, attemptCounters, firstCounters),
	)
	f := chart.Figure{ID: "P06", Slug: "amplification", Title: "Attempts for each first attempt",
		Caption: "1 means that nothing is tried again. What lies above is load that retries made."}
	if len(lines) == 0 {
		return f, false
	}
	if worst, ok := r.Value("attempts.amplification.peak"); ok {
		f.Title = fmt.Sprintf("Retries made the load up to %s what was asked for", Times.Format(worst))
		if worst < 1.05 {
			f.Title = "Hardly anything was tried again"
		}
	}
	f.Panels = []chart.Panel{r.overTime(140, chart.Axis{Label: "attempts ÷ first attempts", Min: 1, Max: max(1.5, top(lines))}, lines...)}
	return f, true
}
