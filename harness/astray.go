package harness

import (
	"strings"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// words is what every message says besides its marker: a copy that says something else is not what was offered.
const words = "Your order is on its way"

// expectation is what each message was to be when it arrives, as far as the scenario wants that compared; nil for nothing.
func (r *Runner) expectation(m *mint) func(n uint64) message {
	loose := false
	if t := r.Scenario.Target; t != nil {
		if t.Delivers == "any" {
			return nil
		}
		loose = t.Delivers == "recipient" || t.Delivers == "" && !t.PassesText()
	}
	return func(n uint64) message {
		msg := m.make(n)
		msg.loose = loose
		return msg
	}
}

// astray says how an accepted copy is not what was offered: it went to somebody else, or says something else. What the
// ledger does not tell is not judged, and white space and case do not matter.
func astray(e Entry, m message) string {
	switch {
	case e.To != "" && !samePhone(e.To, m.to):
		return "went to another recipient"
	case e.Type == "text" && e.Text != "" && !m.loose && !strings.Contains(folded(e.Text), folded(words)):
		return "went out with another text"
	}
	return ""
}

// samePhone reports whether two numbers are one. WhatsApp writes some countries' numbers with a digit more or less behind
// the country's code (Mexico, Brazil, Argentina), so the ends decide where the lengths differ.
func samePhone(a, b string) bool {
	if a == b {
		return true
	}
	a, b = scenarios.Digits(a), scenarios.Digits(b)
	if len(a) == len(b) || a == "" || b == "" {
		return a == b || a == "" || b == ""
	}
	const country, line = 2, 8
	return len(a) > line && len(b) > line && a[:country] == b[:country] && a[len(a)-line:] == b[len(b)-line:]
}

func folded(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
