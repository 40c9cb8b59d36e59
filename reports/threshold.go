package reports

import (
	"fmt"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// Verdict is what a threshold, or a whole run, came to.
type Verdict string

// The verdicts.
const (
	Met     Verdict = "met"
	Missed  Verdict = "missed"
	Invalid Verdict = "invalid"
)

// ThresholdResult is one threshold and what was observed of it.
type ThresholdResult struct {
	scenarios.Threshold
	Unit      Unit
	Criterion Criterion // with an absolute limit
	Window    Window
	Value     float64 // meaningful when Verdict is not Invalid
	Observed  string  // the value for people, or why there is none
	Verdict   Verdict
	Reason    string        // why the verdict is invalid
	First     time.Duration // the first minute whose own value agrees with the verdict; record.Never for none
	Series    []float64     // the metric minute by minute over the window, NaN where it has no data; nil for Whole metrics
	Step      time.Duration // distance of the points of Series
}

// Warn reports whether the threshold only warns.
func (t ThresholdResult) Warn() bool { return t.Level == "warn" }

// When says which part of the run the threshold looks at.
func (t ThresholdResult) When() string {
	var s string
	switch {
	case t.During != "":
		s = "during " + t.During
	case t.From != 0 && t.To != 0:
		s = "from " + FormatDuration(t.From) + " to " + FormatDuration(t.To)
	case t.From != 0:
		s = "from " + FormatDuration(t.From)
	case t.To != 0:
		s = "to " + FormatDuration(t.To)
	}
	if t.Within != 0 {
		s = join(s, "within "+FormatDuration(t.Within))
	}
	if t.For != 0 {
		s = join(s, "in every "+FormatDuration(t.For))
	}
	if t.Some != 0 {
		s = join(s, "for some "+FormatDuration(t.Some))
	}
	return s
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// Evaluate judges the thresholds of a scenario on a run. A threshold without data is invalid, never met. Thresholds
// relative to a baseline are invalid without one: see Build.
func Evaluate(run *record.Run, sc *scenarios.Scenario) ([]ThresholdResult, error) {
	d, err := measure(run, sc)
	if err != nil {
		return nil, err
	}
	return d.judgeAll(nil), nil
}

func (d *Measured) judgeAll(base *Baseline) []ThresholdResult {
	var out []ThresholdResult
	for _, t := range d.scenario.Thresholds {
		out = append(out, d.judge(t, base))
	}
	return out
}

func (d *Measured) judge(t scenarios.Threshold, base *Baseline) ThresholdResult {
	r := ThresholdResult{Threshold: t, First: record.Never, Verdict: Invalid}
	invalid := func(format string, args ...any) ThresholdResult {
		r.Reason = fmt.Sprintf(format, args...)
		r.Observed = r.Reason
		return r
	}
	m, err := Metric(t.Metric)
	if err != nil {
		return invalid("%v", err)
	}
	r.Unit = m.Unit
	c, err := ParseCriterion(m.Unit, t.Is)
	if err != nil {
		return invalid("%v", err)
	}
	if c.Relative {
		v, err := base.threshold(t)
		if err != nil {
			return invalid("%v", err)
		}
		c = c.against(v)
	}
	r.Criterion = c
	var ok bool
	if r.Window, ok = d.window(t); !ok {
		return invalid("no data: the run has no phase %q", t.During)
	}
	switch {
	case t.For > 0:
		return d.judgeEvery(r, m)
	case t.Some > 0:
		return d.judgeSome(r, m)
	}
	v, ok := m.value(d, r.Window)
	if !ok {
		return invalid("no data: %s", d.whyNoData(r, m))
	}
	if why := d.tooFew(m, r.Window); why != "" {
		return invalid("too little data: %s", why)
	}
	r.Value, r.Observed, r.Verdict = v, m.Unit.Format(v), Missed
	if c.Holds(v) {
		r.Verdict = Met
	}
	d.trace(&r, m)
	return r
}

// window turns during, from, to and within into a stretch of the run. Within d of an instant means: over what follows
// that instant by d, until the end of the load.
func (d *Measured) window(t scenarios.Threshold) (Window, bool) {
	w := d.whole()
	if t.During != "" {
		return d.phase(t.During)
	}
	if t.Within > 0 {
		w.To = max(d.loadEnd, t.From+t.Within)
	}
	if t.To > 0 {
		w.To = t.To
	}
	w.From = t.From + t.Within
	return d.bounds(w), true
}

// trace fills Series, and First with the start of the first minute whose own value agrees with the verdict: where a
// met statement came true, or a missed one was broken.
func (d *Measured) trace(r *ThresholdResult, m MetricDef) {
	if m.Whole {
		return
	}
	d.series(r, m)
	for i, v := range r.Series {
		if v == v && r.Criterion.Holds(v) == (r.Verdict == Met) {
			r.First = r.Window.From + time.Duration(i)*r.Step
			return
		}
	}
}

// maxSteps bounds how finely a long run is looked at.
const maxSteps = 1500

func (d *Measured) series(r *ThresholdResult, m MetricDef) {
	r.Step = time.Minute
	for r.Window.Length()/r.Step > maxSteps {
		r.Step *= 2
	}
	for _, s := range r.Window.steps(r.Step) {
		r.Series = append(r.Series, orNaN(m.value(d, s)))
	}
}

func (d *Measured) whyNoData(r ThresholdResult, m MetricDef) string {
	part := "the run"
	if w := r.When(); w != "" {
		part = "the window (" + w + ")"
	}
	switch {
	case r.Window.To <= r.Window.From:
		return part + " is empty: the run ended at " + FormatClock(d.end)
	case m.Whole:
		return "the run never came to it"
	case len(d.due(r.Window)) == 0:
		return "no messages were due in " + part
	}
	return m.Name + " was not measured in " + part
}
