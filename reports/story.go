package reports

import (
	"fmt"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Sentence is one thing that happened, told from the record: facts only.
type Sentence struct {
	At     time.Duration
	Number int // of the intervention it is about, 0 for none
	Text   string
	Figure string // the picture that shows it
}

// Story tells the run in a few sentences, in the order of time.
func (r *Report) Story() []Sentence {
	d := r.data
	var out []Sentence
	tell := func(at time.Duration, figure, format string, args ...any) {
		out = append(out, Sentence{At: at, Text: fmt.Sprintf(format, args...), Figure: figure})
	}
	rec := d.recovery
	if !rec.known {
		tell(0, "P01", "%s messages were offered over %s; nothing in the scenario disturbed them.", grouped(int64(r.summary.Messages.Offered)), FormatDuration(d.loadEnd))
		return out
	}
	calm, _ := perMinute(record.GOffered)(d, Window{0, rec.trouble})
	peak := 0.0
	for _, w := range (Window{rec.trouble, rec.surgeEnd}).steps(recoverySpan) {
		if v, ok := perMinute(record.GOffered)(d, w); ok {
			peak = max(peak, v)
		}
	}
	if rec.trouble > 0 {
		tell(rec.trouble, "P01", "The load left its calm rate of %s and rose to %s.", PerMinute.Format(calm), PerMinute.Format(peak))
	}
	if rec.detected != record.Never {
		tell(rec.detected, "P06", "The first timeout or refusal reached a caller, %s after the trouble began.", FormatDuration(rec.detected-rec.trouble))
	}
	if at, ok := d.firstAbove(stuckTries); ok {
		tell(at, "P06", "Retries passed %s attempts for each message.", Times.Format(stuckTries))
	}
	out = append(out, r.firstHarm()...)
	for _, e := range r.numbered() {
		out = append(out, r.effect(e))
	}
	if rec.stabilised != record.Never {
		v, _ := r.Value("backlog.max")
		tell(rec.stabilised, "P02", "The backlog stopped growing at %s messages.", grouped(int64(v)))
	}
	tell(rec.surgeEnd, "P01", "The load was back at its calm rate.")
	if rec.recovered != record.Never {
		tell(rec.recovered, "P06", "Callers were served normally again, %s after the load was back.", FormatDuration(rec.recovered-rec.surgeEnd))
	} else {
		tell(d.loadEnd, "P06", "When the load ended callers were still not served normally.")
	}
	if rec.drained != record.Never {
		tell(rec.drained, "P02", "The backlog was drained, %s after the load was back.", FormatDuration(rec.drained-rec.surgeEnd))
	}
	sortSentences(out)
	return out
}

// firstAbove finds the end of the first minute in which retries multiplied the load by more than a limit.
func (d *Measured) firstAbove(limit float64) (time.Duration, bool) {
	for _, w := range d.whole().steps(recoveryStep) {
		if v, ok := d.ratio(w, attemptCounters, firstCounters, fewest); ok && v > limit {
			return w.To, true
		}
	}
	return 0, false
}

// firstHarm tells when each kind of harm was first done, and how much of it in all.
func (r *Report) firstHarm() []Sentence {
	d := r.data
	var out []Sentence
	for _, h := range []struct {
		counter, figure, text string
		n                     int
	}{
		{record.GDuplicates, "P08", "The first message was sent twice; in the end %s copies too many went out.", r.summary.Duplicates.Copies},
		{record.GExpired, "P08", "The first message was given up because its media had expired; in the end %s were.", r.summary.Messages.Expired},
	} {
		if h.n == 0 {
			continue
		}
		for i, t := range d.at {
			if v := d.columns[h.counter]; v != nil && v[i] >= 1 {
				out = append(out, Sentence{At: t, Text: fmt.Sprintf(h.text, grouped(int64(h.n))), Figure: h.figure})
				break
			}
		}
	}
	return out
}

// effectAfter is how long after an intervention its effect is read.
const effectAfter = 10 * time.Minute

// effect tells what an intervention changed: backlog slope, amplification and timeouts, ten minutes before and after.
func (r *Report) effect(e record.Event) Sentence {
	d := r.data
	before, after := Window{max(0, e.At-effectAfter), e.At}, Window{e.At, min(e.At+effectAfter, d.end)}
	s := Sentence{At: e.At, Number: e.Number, Figure: "P02", Text: fmt.Sprintf("(%d) %s.", e.Number, e.Text)}
	changes := ""
	add := func(words string, unit Unit, f measureFunc) {
		a, ok1 := f(d, before)
		b, ok2 := f(d, after)
		if ok1 && ok2 {
			changes = join(changes, fmt.Sprintf("%s went from %s to %s", words, unit.Format(a), unit.Format(b)))
		}
	}
	add("the backlog's slope", PerMinute, slope)
	add("attempts for each message", Times, amplification(attemptCounters, firstCounters))
	add("timeouts", PerMinute, func(d *Measured, w Window) (float64, bool) {
		n, ok := d.increase(w, timeoutCounters...)
		return n / w.Length().Minutes(), ok
	})
	if changes != "" {
		s.Text += " Over the next " + FormatDuration(after.Length()) + " " + changes + "."
	}
	return s
}

// slope is how fast the backlog changed over a window, in messages a minute.
func slope(d *Measured, w Window) (float64, bool) {
	_, v := d.readings(record.GBacklog, w)
	if len(v) < 2 {
		return 0, false
	}
	return (v[len(v)-1] - v[0]) / w.Length().Minutes(), true
}

func sortSentences(s []Sentence) {
	for i := 1; i < len(s); i++ {
		for j := i; j > 0 && s[j].At < s[j-1].At; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
}
