package reports

import (
	"fmt"
	"strings"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// duplicated stands beside the outcomes as something that a threshold may look at: more than one copy was accepted.
const duplicated record.Outcome = "duplicated"

// looks reports whether a threshold on a metric looks at an outcome of a message, so that enough of it breaks the
// threshold. Overlook is the share of the messages that may be passed over: a percentile that lets more pass than that,
// as p99 lets one in a hundred, does not look at what never arrived.
func looks(metric string, overlook float64, o record.Outcome, m *record.Message) bool {
	undelivered := o != duplicated
	if _, q, ok := quantile(metric); ok && strings.HasPrefix(metric, "delivery_time.") {
		return undelivered && 1-q <= overlook+1e-9
	}
	if strings.HasPrefix(metric, "delivered.within(") {
		return undelivered
	}
	switch name := strings.TrimSuffix(metric, ".rate"); name {
	case "messages.delivered", "delivery_time.max":
		return undelivered
	case "messages.harmed":
		return true
	case "messages.ended_badly":
		return undelivered && endedBadly(m)
	case "duplicates", "duplicates.messages", "duplicates.copies":
		return o == duplicated
	case "media.expired":
		return o == record.Expired && isMedia(m)
	default:
		return name == "messages."+string(o)
	}
}

// extremes are the values of a threshold's metric when every message of its window comes to what the threshold looks at,
// and when none does.
func (d *Measured) extremes(t ThresholdResult) (worst, best float64) {
	all := float64(len(d.due(t.Window)))
	switch {
	case strings.HasPrefix(t.Metric, "delivery_time."):
		return forever.Seconds(), 0
	case strings.HasPrefix(t.Metric, "delivered.within("), t.Metric == "messages.delivered.rate":
		return 0, 1
	case t.Metric == "messages.delivered":
		return 0, all
	case t.Unit == Share:
		return 1, 0
	}
	return all, 0
}

// breakable reports whether what became of the messages can break a threshold: a limit that nothing can break looks at
// nothing. A promise breaks at the worst; a statement of what happened may also break because nothing did.
func (d *Measured) breakable(t ThresholdResult) bool {
	worst, best := d.extremes(t)
	return !t.Criterion.Holds(worst) || d.scenario.Replays() && !t.Criterion.Holds(best)
}

// judges reports whether a threshold decides about the run: one that only warns decides nothing, and one that holds at
// some time passes over the others.
func (d *Measured) judges(t ThresholdResult) bool {
	return !t.Warn() && t.Some == 0 && d.breakable(t)
}

// overlooked says of each outcome that more messages came to than the scenario lets pass, and that no threshold looks at,
// how many did. A threshold looks at the messages due in its window.
func (d *Measured) overlooked(thresholds []ThresholdResult) []string {
	if d.scenario.Measures() || len(d.messages) == 0 {
		return nil
	}
	limit := d.scenario.Overlooks()
	var judging []ThresholdResult
	for _, t := range thresholds {
		if d.judges(t) {
			judging = append(judging, t)
		}
	}
	unseen := map[record.Outcome]int{}
	for i := range d.messages {
		m := &d.messages[i]
		for _, o := range harms(m) {
			seen := false
			for _, t := range judging {
				seen = seen || m.Scheduled >= t.Window.From && m.Scheduled < t.Window.To && looks(t.Metric, limit, o, m)
			}
			if !seen {
				unseen[o]++
			}
		}
	}
	var out []string
	for _, o := range append(append([]record.Outcome{}, record.Outcomes[1:]...), duplicated) {
		if n := unseen[o]; float64(n) > limit*float64(len(d.messages))+1e-9 {
			all := len(d.messages)
			out = append(out, fmt.Sprintf("%s%s %s, and no threshold looks at that: judge %s, or say overlook: %s", plural(n, "message"), percentOf(n, all), became(o), lookAt(o), upTo(float64(n)/float64(all))))
		}
	}
	return out
}

// harms are what became of a message besides one delivery.
func harms(m *record.Message) []record.Outcome {
	var out []record.Outcome
	if m.Outcome != record.Delivered {
		out = append(out, m.Outcome)
	}
	if m.Copies > 1 {
		out = append(out, duplicated)
	}
	return out
}

// became says what messages came to.
func became(o record.Outcome) string {
	if o == duplicated {
		return "went out more than once"
	}
	return "ended as " + string(o)
}

// lookAt names a metric that looks at an outcome.
func lookAt(o record.Outcome) string {
	if o == duplicated {
		return "duplicates.rate"
	}
	return "messages." + string(o) + ".rate"
}

// upTo writes a share rounded up, so that it covers what it was made of.
func upTo(share float64) string { return Share.Format(min(1, share*1.005+1e-6)) }

// unjudged says why a run may not be called met although nothing was missed: nothing was judged, or too little.
func (r *Report) unjudged() []string {
	judged, missable := false, false
	for _, t := range r.Thresholds {
		judged = judged || !t.Warn()
		missable = missable || !t.Warn() && (t.Verdict == Invalid || t.Criterion.Relative || !t.Criterion.always(t.Unit, t.Metric))
	}
	switch {
	case r.Scenario.Measures():
		return nil
	case len(r.Scenario.Thresholds) == 0:
		return []string{"the scenario has no thresholds, so nothing was judged: add some, or say purpose: measure"}
	case !judged:
		return []string{"all thresholds only warn, so nothing was judged: take level: warn off one, or say purpose: measure"}
	case !missable:
		return []string{"every threshold holds whatever happens, so nothing was judged: give one a limit that can be missed, or say purpose: measure"}
	}
	return r.data.overlooked(r.Thresholds)
}
