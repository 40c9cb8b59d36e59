package reports

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/internal/chart"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// figureLanes is the story on one line: what was planned, what was done, what came of it.
func figureLanes(r *Report) (chart.Figure, bool) {
	p := r.overTime(0, chart.Axis{Scale: chart.Names})
	p.Bands = nil
	load := chart.Lane{Name: "load", Colour: chart.Grey}
	for _, ph := range r.Info.Phases {
		load.Spans = append(load.Spans, chart.Band{From: ph.From.Seconds(), To: ph.To.Seconds(), Name: ph.Name})
	}
	lanes := map[string]*chart.Lane{
		"plan": {Name: "plan", Colour: chart.Black}, "provider": {Name: "provider", Colour: chart.Red}, "sender": {Name: "sender", Colour: chart.Green},
		"operator": {Name: "operator", Colour: chart.Purple}, "threshold": {Name: "thresholds", Colour: chart.Orange},
	}
	for _, e := range append(r.numberedAndNotes(), r.happened()...) {
		l := lanes[e.Source]
		if l == nil {
			continue
		}
		if e.Until > e.At {
			l.Spans = append(l.Spans, chart.Band{From: e.At.Seconds(), To: e.Until.Seconds(), Name: e.Text})
		}
		if e.Number > 0 || e.Until <= e.At {
			l.Points = append(l.Points, chart.Mark{At: e.At.Seconds(), Number: e.Number, Text: e.Text})
		}
	}
	p.Lanes = []chart.Lane{load}
	for _, name := range []string{"plan", "provider", "operator", "sender", "threshold"} {
		if l := lanes[name]; len(l.Spans)+len(l.Points) > 0 {
			p.Lanes = append(p.Lanes, *l)
		}
	}
	p.Height = 19 * float64(len(p.Lanes))
	return chart.Figure{ID: "P10", Slug: "timeline", Title: "What was done, and when",
		Caption: "Numbers are the interventions of the timeline, alike in every picture; ticks are notes, replicas that became ready, and thresholds that changed.",
		Panels:  []chart.Panel{p}}, true
}

// numberedAndNotes is the plan as far as the run got.
func (r *Report) numberedAndNotes() []record.Event {
	var out []record.Event
	for _, e := range r.Info.Plan {
		if e.At <= r.data.end {
			if e.Source == "" {
				e.Source = "plan"
			}
			out = append(out, e)
		}
	}
	return out
}

// happened is what the run itself did: replicas, thresholds, marks of the operator.
func (r *Report) happened() []record.Event {
	var out []record.Event
	for _, e := range r.data.run.Events {
		if e.Kind == "replica" && e.State == "ready" || e.Kind == "threshold" || e.Kind == "mark" && e.Source == "operator" {
			out = append(out, e)
		}
	}
	return out
}

// figureAnswers shows what the provider said.
func figureAnswers(r *Report) (chart.Figure, bool) {
	d := r.data
	f := chart.Figure{ID: "P07", Slug: "answers", Title: "Answers of the Cloud API, by code",
		Caption: "One row for each answer; the rows of errors share a scale."}
	accepted, ok := d.rate("200", chart.Blue, chart.Solid, record.GAccepted)
	if !ok {
		return f, false
	}
	p := r.overTime(70, chart.Axis{Label: "a minute", Format: Count.Format}, accepted)
	p.Name = "200 accepted"
	f.Panels = append(f.Panels, p)
	codes := d.errorCodes()
	var lines []chart.Line
	for _, c := range codes {
		l, _ := d.rate(c.code, chart.Red, chart.Solid, c.counter)
		lines = append(lines, l)
	}
	for i, l := range lines {
		p := r.overTime(46, chart.Axis{Label: "a minute", Max: top(lines), Format: Count.Format}, l)
		p.Name = "error " + codes[i].code
		f.Panels = append(f.Panels, p)
	}
	if len(codes) > 0 {
		f.Title = fmt.Sprintf("The API refused %s requests, most with error %s", formatCount(d.lastValue(record.GAPIErrors)), codes[0].code)
	} else {
		f.Title = "The API accepted every request"
	}
	return f, true
}

type errorCode struct {
	code, counter string
	n             float64
}

// errorCodes lists the codes the API answered with, most frequent first, eight at most.
func (d *Measured) errorCodes() []errorCode {
	var out []errorCode
	for name := range d.columns {
		code, ok := strings.CutPrefix(name, "api_error_")
		code, ok2 := strings.CutSuffix(code, "_total")
		if n := d.lastValue(name); ok && ok2 && n > 0 {
			out = append(out, errorCode{code, name, n})
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].n != out[j].n {
			return out[i].n > out[j].n
		}
		return out[i].code < out[j].code
	})
	return out[:min(len(out), 8)]
}

func (d *Measured) lastValue(counter string) float64 {
	v, _ := d.value(counter, d.end)
	return v
}

// figureHarm shows the harm done, as it grew.
func figureHarm(r *Report) (chart.Figure, bool) {
	d := r.data
	f := chart.Figure{ID: "P08", Slug: "harm", Caption: "Running totals, each in its own panel, as the sender and the provider counted them while the run went on. Copies are those beyond the first of a message; everything else is in messages. A step that follows a number was made by it."}
	for _, h := range []struct {
		name     string
		colour   chart.Colour
		counters []string
	}{
		{"copies too many", chart.Orange, []string{record.GDuplicates}},
		{"expired", chart.Red, []string{record.GExpired}},
		{"failed", chart.Purple, []string{record.GFailed}},
		{"callers told no", chart.Blue, []string{record.GRefused}},
	} {
		l := chart.Line{Name: h.name, Colour: h.colour, Step: true}
		for _, w := range d.whole().steps(d.bin()) {
			sum, any := 0.0, false
			for _, c := range h.counters {
				if v, ok := d.value(c, w.To); ok {
					sum, any = sum+v, true
				}
			}
			l.X, l.Y = append(l.X, w.To.Seconds()), append(l.Y, orNaN(sum, any))
		}
		last := l.Y[len(l.Y)-1]
		if math.IsNaN(last) {
			continue
		}
		l.Label = formatCount(math.Round(last))
		p := r.overTime(58, chart.Axis{Label: "messages", Format: Count.Format, Max: max(4, top([]chart.Line{l}))}, l)
		p.Name = h.name
		f.Panels = append(f.Panels, p)
	}
	s := r.summary
	f.Title = fmt.Sprintf("%s copies too many, %s expired, %s lost", grouped(int64(s.Duplicates.Copies)), grouped(int64(s.Messages.Expired)), grouped(int64(s.Messages.Lost)))
	return f, len(f.Panels) > 0
}

func figureResources(r *Report) (chart.Figure, bool) {
	d := r.data
	f := chart.Figure{ID: "P09", Slug: "resources", Title: "Replicas and resources",
		Caption: "Wanted is what the scaling rule asks for before its ceiling. Memory and CPU are of all replicas of a service together."}
	replicas := collect(
		lineOf(d.gauge("wanted", chart.Black, chart.Dotted, record.GReplicasWant, 1)),
		lineOf(d.gauge("ready", chart.Green, chart.Solid, record.GReplicasReady, 1)),
		lineOf(d.gauge("ceiling", chart.Red, chart.Dashed, record.GReplicasMax, 1)),
	)
	for i := range replicas {
		replicas[i].Step = true
	}
	cpu := collect(
		lineOf(d.gauge("WhatsApp service", chart.Blue, chart.Solid, record.GWhatsAppCPU, 1)),
		lineOf(d.gauge("Drafts service", chart.Orange, chart.Dashed, record.GDraftsCPU, 1)),
	)
	memory := collect(
		lineOf(d.gauge("WhatsApp service", chart.Blue, chart.Solid, record.GWhatsAppMem, 1.0/(1<<20))),
		lineOf(d.gauge("Drafts service", chart.Orange, chart.Dashed, record.GDraftsMem, 1.0/(1<<20))),
	)
	for _, part := range []struct {
		name, unit string
		lines      []chart.Line
	}{{"WhatsApp replicas", "replicas", replicas}, {"CPU", "busy cores", cpu}, {"memory", "MiB", memory}} {
		if len(part.lines) > 0 {
			p := r.overTime(78, chart.Axis{Label: part.unit, Format: Count.Format}, part.lines...)
			p.Name = part.name
			f.Panels = append(f.Panels, p)
		}
	}
	if behind, ok := r.Value("scaling.behind"); ok {
		f.Title = fmt.Sprintf("Scaling was behind for %s, by up to %s replicas", FormatSeconds(behind), formatCount(d.shortBy()))
		if behind == 0 {
			f.Title = "There were always as many replicas as wanted"
		}
	}
	return f, len(f.Panels) > 0
}

// shortBy is how many replicas were missing at the worst.
func (d *Measured) shortBy() float64 {
	worst := 0.0
	want, ready := d.columns[record.GReplicasWant], d.columns[record.GReplicasReady]
	for i := range min(len(want), len(ready)) {
		if short := want[i] - ready[i]; short > worst {
			worst = short
		}
	}
	return worst
}

func figureHarness(r *Report) (chart.Figure, bool) {
	d := r.data
	late := chart.Line{Name: "p99 lateness", Colour: chart.Black}
	any := false
	for _, w := range d.whole().steps(d.bin()) {
		v, ok := lateness(0.99)(d, w)
		any = any || ok
		late.X, late.Y = append(late.X, (w.From+w.Length()/2).Seconds()), append(late.Y, orNaN(max(v, 1e-4), ok))
	}
	if !any {
		return chart.Figure{}, false
	}
	p := r.overTime(90, chart.Axis{Label: "lateness (log)", Scale: chart.Log, Min: 1e-4, Max: max(1, top([]chart.Line{late})), Format: FormatSeconds}, late)
	p.Limits = []chart.Limit{{At: lateLimit.Seconds(), Name: "believable below"}}
	f := chart.Figure{ID: "P17", Slug: "harness", Title: "Hits left " + FormatSeconds(r.summary.Harness.LatenessMS.P99/1e3) + " late at most in 99 of 100 cases",
		Caption: "How late the harness itself was. Above the line nothing else on this page should be believed.", Panels: []chart.Panel{p}}
	if unsent := collect(lineOf(d.rate("hits not sent", chart.Red, chart.Solid, record.GUnsent))); len(unsent) > 0 {
		u := r.overTime(46, chart.Axis{Label: "a minute", Max: max(4, top(unsent))}, unsent...)
		f.Panels = append(f.Panels, u)
	}
	return f, true
}

// lateLimit is how late hits may leave before a run's figures should not be believed.
const lateLimit = 100 * time.Millisecond
