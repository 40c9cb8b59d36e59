package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// SafeRule is one condition that a setting has to keep on every seed to be called safe: a limit of a metric, or, without
// a metric, that the run was met.
type SafeRule struct {
	Says   string // "no duplicates"
	Metric string
	Is     string
	Broken string // what there is where it does not hold: "duplicates"; "" is "not" and what it says
}

// noHarm is what safe means unless one says otherwise: that nobody was harmed, kind by kind and then all together.
var noHarm = []SafeRule{
	{"no duplicates", "duplicates.copies", "== 0", "duplicates"},
	{"nothing expired", "messages.expired", "== 0", "expired"},
	{"nothing lost, failed or refused", "messages.ended_badly", "== 0", "lost, failed or refused"},
	{"nothing left waiting", "messages.pending", "== 0", "left waiting"},
	{"nothing sent astray", "messages.misdelivered", "== 0", "sent astray"},
	{"nobody harmed in any way", "messages.harmed", "== 0", "harmed"},
}

// keepsPromises is the rule that every threshold was met.
var keepsPromises = SafeRule{Says: "every threshold met"}

// defaultSafe is what safe means for scenarios of a purpose: a replay's statements are no promises, and an incident that
// does not come true is not unsafe.
func defaultSafe(w Words) []SafeRule {
	if w == scenarios.Replay || w == scenarios.Measure {
		return noHarm
	}
	return append(slices.Clone(noHarm), keepsPromises)
}

// ParseSafe reads "duplicates.copies == 0".
func ParseSafe(text string) (SafeRule, error) {
	metric, is, ok := strings.Cut(strings.TrimSpace(text), " ")
	if !ok {
		return SafeRule{}, fmt.Errorf("%q is not a condition: write a metric and a limit, such as \"duplicates.copies == 0\"", text)
	}
	m, err := Metric(metric)
	if err != nil {
		return SafeRule{}, err
	}
	if c, err := ParseCriterion(m.Unit, is); err != nil {
		return SafeRule{}, err
	} else if c.Relative {
		return SafeRule{}, fmt.Errorf("%q: a sweep has no baseline", text)
	}
	return SafeRule{Says: text, Metric: metric, Is: strings.TrimSpace(is)}, nil
}

// believable reports whether the figures of a run can be believed. That some statement of a replay had no data, as in an
// incident that did not happen, is no reason against them.
func (r SweepRun) believable() bool {
	return len(r.Doubts) == 0 && (r.Verdict != Invalid || Words(r.Purpose) == scenarios.Replay)
}

// Holds reports whether a run keeps the rule; a run without the metric does not.
func (s SafeRule) Holds(r SweepRun) bool {
	if s.Metric == "" {
		return r.Verdict == Met
	}
	m, err := Metric(s.Metric)
	if err != nil {
		return false
	}
	c, err := ParseCriterion(m.Unit, s.Is)
	v, ok := r.Metrics[s.Metric]
	return err == nil && ok && r.believable() && c.Holds(v)
}

// broken says what there is where the rule does not hold.
func (s SafeRule) broken() string {
	if s.Broken == "" {
		return "not " + s.Says
	}
	return s.Broken
}

// keeps reports whether a point keeps a rule on every seed.
func (s *Sweep) keeps(p SweepPoint, rules ...SafeRule) bool {
	for _, r := range p.Runs {
		for _, rule := range rules {
			if !rule.Holds(r) {
				return false
			}
		}
	}
	return len(p.Runs) == len(s.Seeds)
}

// Broken is what did not hold of a setting, and on how many seeds.
type Broken struct {
	What  string `json:"what"` // a threshold's id, or a condition of safe
	Seeds int    `json:"seeds"`
}

// broke lists what did not hold of a point: thresholds that were missed or could not be judged, in the order of the
// scenario, then the conditions of safe that no threshold stands for.
func (s *Sweep) broke(p SweepPoint) []Broken {
	var out []Broken
	add := func(what string) {
		i := slices.IndexFunc(out, func(b Broken) bool { return b.What == what })
		if i < 0 {
			out, i = append(out, Broken{What: what}), len(out)
		}
		out[i].Seeds++
	}
	for _, r := range p.Runs {
		for _, id := range r.Missed {
			add(id)
		}
		for _, id := range r.Unjudged {
			add(id + " (no data)")
		}
		if len(r.Doubts) > 0 {
			doubt, _, _ := strings.Cut(r.Doubts[0], ": ") // its numbers, which differ from seed to seed, are in the run's report
			add("invalid, for " + doubt)
		}
	}
	for _, r := range p.Runs {
		for _, rule := range s.own(r) {
			add(rule.broken())
		}
	}
	return out
}

// own lists the conditions of safe that a run breaks and that nothing else says: that not every threshold was met is said
// by the thresholds, and that something was harmed by what it was.
func (s *Sweep) own(r SweepRun) []SafeRule {
	var out []SafeRule
	for _, rule := range s.Safe {
		switch {
		case rule.Metric == "" || !r.believable() || rule.Holds(r):
		case rule.Metric == "messages.harmed" && len(out) > 0:
		default:
			out = append(out, rule)
		}
	}
	return out
}

// brokeTitle heads what did not hold. What a replay does not reproduce is not broken.
func (s *Sweep) brokeTitle() string {
	if s.words() == scenarios.Replay {
		return "did not come true, or not safe"
	}
	return "broke"
}

// brokeWords says what did not hold of a point.
func (s *Sweep) brokeWords(p SweepPoint) string {
	var parts []string
	for _, b := range s.broke(p) {
		text := b.What
		if len(s.Seeds) > 1 {
			text += fmt.Sprintf(" (%d of %s)", b.Seeds, plural(len(p.Runs), "seed"))
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// brokeLines are the points of which something did not hold, in the order of the table, with what it was.
func (s *Sweep) brokeLines() []string {
	var out []string
	for i, p := range s.ranked() {
		if words := s.brokeWords(p); words != "" {
			out = append(out, fmt.Sprintf("%d. %s: %s", i+1, s.name(p), words))
		}
	}
	return out
}

// brokeBrief is what did not hold in as few words as fit in a cell of the map: a threshold, and how much else.
func (s *Sweep) brokeBrief(p SweepPoint) string {
	all := s.broke(p)
	if len(all) == 0 {
		return ""
	}
	const room = 16
	text := all[0].What
	if r := []rune(text); len(r) > room {
		text = string(r[:room-1]) + "…"
	}
	if len(all) > 1 {
		text += fmt.Sprintf(" +%d", len(all)-1)
	}
	return text
}
