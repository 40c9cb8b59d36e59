package reports

import (
	"strings"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// Words are what a verdict is called: a promise is met or missed; what happened is reproduced or not, which is neither good
// nor bad; a run that only measures is measured. summary.json and exit codes say met, missed and invalid whatever the purpose.
type Words string

// WordsFor returns the words for a scenario's purpose.
func WordsFor(sc *scenarios.Scenario) Words {
	return Words(purpose(sc))
}

// purpose is what the thresholds of a scenario are.
func purpose(sc *scenarios.Scenario) string {
	if sc == nil || sc.Purpose == "" {
		return scenarios.Promise
	}
	return sc.Purpose
}

// Of says a verdict.
func (w Words) Of(v Verdict) string {
	switch {
	case w == scenarios.Replay && v == Met:
		return "reproduced"
	case w == scenarios.Replay && v == Missed:
		return "not reproduced"
	case w == scenarios.Measure && v == Met:
		return "measured"
	}
	return string(v)
}

// Upper says it in capitals, as headlines have it.
func (w Words) Upper(v Verdict) string { return strings.ToUpper(w.Of(v)) }

// Neutral reports whether a verdict is told without praise and blame, and so without their colours.
func (w Words) Neutral(v Verdict) bool {
	return v != Invalid && (w == scenarios.Replay || w == scenarios.Measure)
}

// class names the look of a verdict in a page: met, missed, invalid, or told for a neutral one.
func (w Words) class(v Verdict) string {
	if w.Neutral(v) {
		return "told"
	}
	return string(v)
}

// icon is the sign of a verdict in Markdown.
func (w Words) icon(v Verdict) string {
	if w.Neutral(v) {
		return map[Verdict]string{Met: "🔁", Missed: "↔️"}[v]
	}
	return map[Verdict]string{Met: "✅", Missed: "❌", Invalid: "⚠️"}[v]
}
