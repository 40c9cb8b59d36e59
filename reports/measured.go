package reports

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// Measured is a run prepared for measuring: gauges as columns, messages in the order in which they were due, attempts
// by hop. Metrics are functions of it and of a window.
type Measured struct {
	run      *record.Run
	scenario *scenarios.Scenario
	at       []time.Duration      // instants of the readings, ascending
	columns  map[string][]float64 // by gauge; NaN where a reading lacks it
	messages []record.Message     // ascending by Scheduled
	hops     map[string][]attempt // ascending by At
	copies   *copiesOf
	loadEnd  time.Duration
	end      time.Duration
	recovery recovery
	samples  map[sampleKey][]time.Duration // see sorted
}

// sampleKey names a sample and its window.
type sampleKey struct {
	name string
	w    Window
}

// attempt is what metrics need of an attempt.
type attempt struct {
	at, took time.Duration
	status   int32
	code     int32
	failed   bool // the caller saw an error or no answer
	taken    bool
}

// Window is a stretch of a run, in offsets from its start. Messages belong to it by the instant they were due.
type Window struct {
	From, To time.Duration
}

func measure(run *record.Run, sc *scenarios.Scenario) (*Measured, error) {
	run = run.InScenarioTime()
	d := &Measured{run: run, scenario: sc, columns: map[string][]float64{}, hops: map[string][]attempt{}, samples: map[sampleKey][]time.Duration{}}
	d.messages = byDue(run.Messages)
	d.copies = newCopies(run, sc)
	d.readGauges()
	if err := d.readAttempts(); err != nil {
		return nil, err
	}
	for _, p := range run.Info.Phases {
		d.loadEnd = max(d.loadEnd, p.To)
	}
	if n := len(d.messages); n > 0 {
		if len(run.Info.Phases) == 0 {
			d.loadEnd = d.messages[n-1].Scheduled
		}
		d.end = d.messages[n-1].Scheduled + 1
	}
	if n := len(d.at); n > 0 {
		d.end = max(d.end, d.at[n-1])
	}
	if n := len(run.Events); n > 0 {
		d.end = max(d.end, run.Events[n-1].At)
	}
	d.end = max(d.end, run.Info.Virtual)
	if run.Info.State != record.Finished && d.loadEnd > d.end { // a run cut short
		d.loadEnd = d.end
	}
	d.recovery = findRecovery(d)
	return d, nil
}

func byDue(ms []record.Message) []record.Message {
	less := func(a, b record.Message) int { return cmp.Compare(a.Scheduled, b.Scheduled) }
	if slices.IsSortedFunc(ms, less) {
		return ms
	}
	ms = slices.Clone(ms)
	slices.SortStableFunc(ms, less)
	return ms
}

func (d *Measured) readGauges() {
	gs := d.run.Gauges
	order := func(a, b record.Gauge) int { return cmp.Compare(a.At, b.At) }
	if !slices.IsSortedFunc(gs, order) {
		gs = slices.Clone(gs)
		slices.SortStableFunc(gs, order)
	}
	d.at = make([]time.Duration, len(gs))
	for i, g := range gs {
		d.at[i] = g.At
		for name, v := range g.Values {
			c, ok := d.columns[name]
			if !ok {
				c = make([]float64, len(gs))
				for j := range c {
					c[j] = math.NaN()
				}
				d.columns[name] = c
			}
			c[i] = v
		}
	}
}

func (d *Measured) readAttempts() error {
	if d.run.Dir == "" {
		return nil
	}
	var saved salvage
	rebuild := cutOff(d.run)
	for a, err := range record.Attempts(d.run.Dir) {
		if err != nil {
			return err
		}
		a = a.InScenarioTime(d.run.Info.Squeeze())
		if rebuild {
			saved.add(a)
		}
		d.copies.see(a)
		d.hops[a.Hop] = append(d.hops[a.Hop], attempt{
			at: a.At, took: a.Done - a.At, status: int32(a.Status), code: int32(a.Code),
			failed: a.Error != "" || a.Status == 0, taken: a.Taken,
		})
	}
	if rebuild {
		d.messages = byDue(saved.rows)
	}
	for _, copies := range d.copies.several {
		slices.SortStableFunc(copies, func(a, b takenCopy) int { return cmp.Compare(a.at, b.at) })
	}
	for _, as := range d.hops {
		slices.SortStableFunc(as, func(a, b attempt) int { return cmp.Compare(a.at, b.at) })
	}
	return nil
}

// whole is the window of the entire run.
func (d *Measured) whole() Window { return Window{0, d.end} }

// phase returns the window of a phase by its name; "drain" is the time after the load.
func (d *Measured) phase(name string) (Window, bool) {
	for _, p := range d.run.Info.Phases {
		if p.Name == name {
			return Window{p.From, p.To}, true
		}
	}
	if name == "drain" && d.end > d.loadEnd {
		return Window{d.loadEnd, d.end}, true
	}
	return Window{}, false
}

func (d *Measured) isPhase(w Window) bool {
	for _, p := range d.run.Info.Phases {
		if w == (Window{p.From, p.To}) {
			return true
		}
	}
	return false
}

// calm is the window of the first phase, which every scenario starts with: what normal looks like.
func (d *Measured) calm() (Window, bool) {
	if len(d.run.Info.Phases) == 0 {
		return Window{}, false
	}
	p := d.run.Info.Phases[0]
	return Window{p.From, p.To}, true
}

// due returns the messages of a window.
func (d *Measured) due(w Window) []record.Message {
	lo := sort.Search(len(d.messages), func(i int) bool { return d.messages[i].Scheduled >= w.From })
	hi := sort.Search(len(d.messages), func(i int) bool { return d.messages[i].Scheduled >= w.To })
	return d.messages[lo:max(lo, hi)]
}

// made returns the attempts of a hop that began in a window.
func (d *Measured) made(hop string, w Window) []attempt {
	as := d.hops[hop]
	lo := sort.Search(len(as), func(i int) bool { return as[i].at >= w.From })
	hi := sort.Search(len(as), func(i int) bool { return as[i].at >= w.To })
	return as[lo:max(lo, hi)]
}

// readings returns the values of a gauge read in a window, both ends included, without the readings that lack it.
func (d *Measured) readings(name string, w Window) (at []time.Duration, v []float64) {
	c, ok := d.columns[name]
	if !ok {
		return nil, nil
	}
	lo := sort.Search(len(d.at), func(i int) bool { return d.at[i] >= w.From })
	for i := lo; i < len(d.at) && d.at[i] <= w.To; i++ {
		if !math.IsNaN(c[i]) {
			at, v = append(at, d.at[i]), append(v, c[i])
		}
	}
	return at, v
}

// value returns a counter's value at an instant, by straight lines between its readings; a counter is 0 at the start.
func (d *Measured) value(name string, t time.Duration) (float64, bool) {
	c, ok := d.columns[name]
	if !ok {
		return 0, false
	}
	i := sort.Search(len(d.at), func(i int) bool { return d.at[i] >= t })
	hi := i
	for hi < len(c) && math.IsNaN(c[hi]) {
		hi++
	}
	lo := i - 1
	for lo >= 0 && math.IsNaN(c[lo]) {
		lo--
	}
	switch {
	case hi == len(c) && lo < 0:
		return 0, false
	case hi == len(c):
		return c[lo], true
	}
	var fromT time.Duration
	var fromV float64
	if lo >= 0 {
		fromT, fromV = d.at[lo], c[lo]
	}
	if d.at[hi] <= fromT {
		return c[hi], true
	}
	return fromV + (c[hi]-fromV)*float64(t-fromT)/float64(d.at[hi]-fromT), true
}

// increase returns by how much the counters together rose in a window; false when none of them was read in it.
func (d *Measured) increase(w Window, names ...string) (float64, bool) {
	if len(d.at) == 0 || w.To <= w.From || w.From >= d.at[len(d.at)-1] {
		return 0, false
	}
	sum, any := 0.0, false
	for _, name := range names {
		a, ok1 := d.value(name, w.From)
		b, ok2 := d.value(name, w.To)
		if ok1 && ok2 {
			sum, any = sum+b-a, true
		}
	}
	return sum, any
}

// ratio divides the rises of two sets of counters; false when the lower one did not rise by at least atLeast.
func (d *Measured) ratio(w Window, upper, lower []string, atLeast float64) (float64, bool) {
	a, ok1 := d.increase(w, upper...)
	b, ok2 := d.increase(w, lower...)
	if !ok1 || !ok2 || b < atLeast {
		return 0, false
	}
	return a / b, true
}

// steps cuts a window into stretches of a length, the last one shorter.
func (w Window) steps(length time.Duration) []Window {
	var out []Window
	for t := w.From; t < w.To; t += length {
		out = append(out, Window{t, min(t+length, w.To)})
	}
	return out
}

// Length returns how long the window is.
func (w Window) Length() time.Duration { return w.To - w.From }

// bounds returns the part of the window in which the run took place.
func (d *Measured) bounds(w Window) Window {
	return Window{max(w.From, 0), min(w.To, d.end)}
}
