package reports

import (
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// judgeEvery judges a promise over every window of a length: `for: 5m` holds when the metric, taken over any five minutes
// on end, meets the criterion. Windows begin a minute apart, or follow one another when they are shorter. One in which nothing
// was measured says nothing; one with too few values for the metric cannot be judged, and then the threshold cannot be met.
func (d *Measured) judgeEvery(r ThresholdResult, m MetricDef) ThresholdResult {
	if _, _, ok := quantile(m.Name); ok && r.During == "" && r.To == 0 {
		r.Window.To = max(r.Window.From, min(r.Window.To, d.loadEnd)) // after the load nothing is due
	}
	d.series(&r, m)
	worst, any, poor := 0.0, false, ""
	for _, w := range r.Window.sliding(r.For, min(r.Step, r.For)) {
		v, ok := m.value(d, w)
		if !ok {
			continue
		}
		if why := d.tooFew(m, w); why != "" {
			poor = FormatClock(w.From) + " to " + FormatClock(w.To) + " has " + why
			continue
		}
		holds := r.Criterion.Holds(v)
		if !any || r.Criterion.worse(v, worst) {
			worst = v
		}
		any = true
		if !holds && r.First == record.Never {
			r.First = w.From
		}
	}
	broken := r.First != record.Never
	switch {
	case !broken && poor != "":
		r.Reason = "too little data: " + poor
	case !any:
		r.Reason = "no data: " + d.whyNoData(r, m)
		if r.Window.Length() < r.For {
			r.Reason = "no data: the window is shorter than " + FormatDuration(r.For)
		}
	}
	if r.Reason != "" {
		r.Observed = r.Reason
		return r
	}
	r.Value, r.Observed, r.Verdict = worst, m.Unit.Format(worst)+" in the worst "+FormatDuration(r.For), Met
	if broken {
		r.Verdict = Missed
	} else {
		r.First = r.Window.From
	}
	return r
}

// sliding returns the windows of a length that lie within w, each a step after the one before.
func (w Window) sliding(length, step time.Duration) []Window {
	var out []Window
	for t := w.From; t+length <= w.To; t += step {
		out = append(out, Window{t, t + length})
	}
	if n := len(out); n > 0 && out[n-1].To < w.To { // the end is looked at, too
		out = append(out, Window{w.To - length, w.To})
	}
	return out
}

// judgeSome judges what has to hold, minute by minute, without a break for some time at least once: that something
// happened, or came back.
func (d *Measured) judgeSome(r ThresholdResult, m MetricDef) ThresholdResult {
	d.series(&r, m)
	var longest, held time.Duration
	any := false
	for i, s := range r.Window.steps(r.Step) {
		v, ok := m.value(d, s)
		ok = ok && d.tooFew(m, s) == ""
		any = any || ok
		if !ok || !r.Criterion.Holds(v) {
			held = 0
			continue
		}
		held += s.Length()
		longest = max(longest, held)
		if held >= r.Some && r.First == record.Never {
			r.First = r.Window.From + time.Duration(i+1)*r.Step - held
		}
	}
	if !any {
		r.Reason = "no data: " + d.whyNoData(r, m)
		if why := d.tooFew(m, r.Window); why != "" {
			r.Reason = "too little data: " + why
		}
		r.Observed = r.Reason
		return r
	}
	r.Value, r.Observed, r.Verdict = longest.Seconds(), "held for "+FormatDuration(longest), Missed
	if longest >= r.Some {
		r.Verdict = Met
	}
	return r
}

// worse reports whether a is further on the wrong side than b, or less far on the right one.
func (c Criterion) worse(a, b float64) bool {
	switch c.Op {
	case "<", "<=":
		return a > b
	case ">", ">=":
		return a < b
	}
	return c.Holds(b) && !c.Holds(a)
}
