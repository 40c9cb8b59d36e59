package reports

import (
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// measureFunc reads one number off a window of a run; false when there is nothing to read it from.
type measureFunc = func(*Measured, Window) (float64, bool)

// sample collects the values of a distribution in a window.
type sample func(*Measured, Window) []time.Duration

func distribution(name, doc string, from sample) []MetricDef {
	out := make([]MetricDef, 0, len(percentiles))
	for _, p := range percentiles {
		value := func(d *Measured, w Window) (float64, bool) {
			v := d.sorted(name, from, w)
			return Percentile(v, p.q).Seconds(), len(v) > 0
		}
		words := "worst"
		if p.q < 1 {
			words = map[string]string{"p50": "median", "p90": "90th percentile", "p95": "95th percentile", "p99": "99th percentile", "p999": "99.9th percentile"}[p.name]
		}
		out = append(out, MetricDef{name + "." + p.name, Seconds, "lower", Timing, "time " + doc + ": " + words, false, value})
	}
	return out
}

// sorted returns a sample in ascending order, and remembers it for the windows that documents come back to: the whole
// run and its phases.
func (d *Measured) sorted(name string, from sample, w Window) []time.Duration {
	key := sampleKey{name, w}
	if v, ok := d.samples[key]; ok {
		return v
	}
	v := ascending(from(d, w))
	if w == d.whole() || d.isPhase(w) {
		d.samples[key] = v
	}
	return v
}

// deliveryTime is how long a message took to arrive; false when it never did.
func deliveryTime(m *record.Message) (time.Duration, bool) {
	return m.Delivered - m.Scheduled, m.Delivered != record.Never && m.Outcome == record.Delivered
}

// responseTime is how long the client waited for the front door's last answer.
func responseTime(m *record.Message) (time.Duration, bool) {
	return m.Answered - m.Scheduled, m.Answered != record.Never && m.Outcome != record.Unsent
}

func ofMessages(value func(*record.Message) (time.Duration, bool)) sample {
	return func(d *Measured, w Window) []time.Duration {
		due := d.due(w)
		out := make([]time.Duration, 0, len(due))
		for i := range due {
			if v, ok := value(&due[i]); ok {
				out = append(out, v)
			}
		}
		return out
	}
}

func ofAttempts(hop string) sample {
	return func(d *Measured, w Window) []time.Duration {
		made := d.made(hop, w)
		out := make([]time.Duration, len(made))
		for i, a := range made {
			out[i] = a.took
		}
		return out
	}
}

func outcomeMetrics() []MetricDef {
	words := map[record.Outcome]string{
		record.Delivered: "messages of which at least one copy was delivered",
		record.Expired:   "messages never delivered because media or validity had run out",
		record.Failed:    "messages refused for good",
		record.Shed:      "messages the sender would not take",
		record.Lost:      "messages the sender took and never finished",
		record.Pending:   "messages the sender still held at the end",
		record.Unsent:    "messages the harness could not send",

		record.Misdelivered: "messages of which a copy went to another recipient, or with another text",
	}
	var out []MetricDef
	for _, o := range record.Outcomes {
		better := "lower"
		if o == record.Delivered {
			better = "higher"
		}
		count := countMessages(func(m *record.Message) bool { return m.Outcome == o })
		out = append(out,
			MetricDef{"messages." + string(o), Count, better, Exact, words[o], false, count},
			MetricDef{"messages." + string(o) + ".rate", Share, better, Exact, "messages." + string(o) + " ÷ messages.offered", false, perOffered(count)})
	}
	return out
}

func causeMetrics() []MetricDef {
	var out []MetricDef
	for _, c := range record.Causes {
		out = append(out, MetricDef{"duplicates.by_cause." + c.Name, Count, "lower", Exact, "copies made because " + c.Words, false,
			sumMessages(func(m *record.Message) int { return causeCount(m, c.Name) })})
	}
	return out
}

// causeCount counts the copies of a message that were made for a cause; copies without one are unknown.
func causeCount(m *record.Message, cause string) int {
	n := 0
	for _, c := range m.Causes {
		if c == cause {
			n++
		}
	}
	if cause == "unknown" {
		n += max(0, m.Copies-1-len(m.Causes))
	}
	return n
}

func offered(d *Measured, w Window) (float64, bool) {
	n := len(d.due(w))
	return float64(n), n > 0
}

func residue(d *Measured, w Window) (float64, bool) {
	n := 0
	for i := range d.messages {
		if !known(d.messages[i].Outcome) {
			n++
		}
	}
	return float64(n), len(d.messages) > 0
}

func known(o record.Outcome) bool {
	for _, k := range record.Outcomes {
		if o == k {
			return true
		}
	}
	return false
}

func countMessages(is func(*record.Message) bool) measureFunc {
	return sumMessages(func(m *record.Message) int {
		if is(m) {
			return 1
		}
		return 0
	})
}

// sumMessages adds up over the messages of a window; without messages there is nothing to say.
func sumMessages(amount func(*record.Message) int) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		due, n := d.due(w), 0
		for i := range due {
			n += amount(&due[i])
		}
		return float64(n), len(due) > 0
	}
}

func perOffered(count measureFunc) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		n, ok := count(d, w)
		all, _ := offered(d, w)
		if !ok || all == 0 {
			return 0, false
		}
		return n / all, true
	}
}

func duplicateMessages(d *Measured, w Window) (float64, bool) {
	return countMessages(func(m *record.Message) bool { return m.Copies > 1 })(d, w)
}

func duplicateCopies(d *Measured, w Window) (float64, bool) {
	return sumMessages(copiesBeyond)(d, w)
}

func copiesBeyond(m *record.Message) int { return max(0, m.Copies-1) }

// harmed reports whether a message was not delivered exactly once.
func harmed(m *record.Message) bool { return m.Outcome != record.Delivered || m.Copies > 1 }

func endedBadly(m *record.Message) bool {
	return m.Outcome == record.Failed || m.Outcome == record.Shed || m.Outcome == record.Lost
}

func isMedia(m *record.Message) bool {
	switch m.Type {
	case "image", "document", "audio", "video", "sticker":
		return true
	}
	return m.HasSlack || m.APIMedia > 0
}

// ofMedia is a count that means nothing where no message carries media.
func ofMedia(count measureFunc) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		due := d.due(w)
		for i := range due {
			if isMedia(&due[i]) {
				return count(d, w)
			}
		}
		return 0, false
	}
}

func mediaExpired(m *record.Message) bool { return m.Outcome == record.Expired && isMedia(m) }

func mediaRetries(m *record.Message) int { return max(0, min(m.APIMedia, m.API-1)) }

func slackOf(m *record.Message) (time.Duration, bool) { return m.Slack, m.HasSlack }

func slack(q float64) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		v := ascending(ofMessages(slackOf)(d, w))
		return Percentile(v, q).Seconds(), len(v) > 0
	}
}

func ambiguous(hop string) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		made, n := d.made(hop, w), 0
		for _, a := range made {
			if a.failed && a.taken {
				n++
			}
		}
		return float64(n), len(made) > 0
	}
}

func delayTotal(d *Measured, w Window) (float64, bool) {
	v := ofMessages(deliveryTime)(d, w)
	sum := 0.0
	for _, t := range v {
		sum += t.Seconds()
	}
	return sum, len(v) > 0
}

func (d *Measured) latenessOf(m *record.Message) (time.Duration, bool) {
	return time.Duration(float64(max(0, m.Sent-m.Scheduled)) / d.run.Info.Squeeze()), m.Sent != record.Never
}

func lateness(q float64) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		v := ascending(ofMessages(d.latenessOf)(d, w))
		return Percentile(v, q).Seconds(), len(v) > 0
	}
}
