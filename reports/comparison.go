package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Comparison is what compare prints and writes as JSON.
type Comparison struct {
	Schema    string           `json:"schema"` // "aftershock.comparison/v1"
	Scenario  string           `json:"scenario"`
	Label     string           `json:"label"` // of the candidate: what its runs were told besides their scenario
	Verdict   Verdict          `json:"verdict"`
	ExitCode  int              `json:"exit_code"`
	Clock     string           `json:"clock"`
	Seeds     []int64          `json:"seeds"`
	Identical bool             `json:"identical"` // every run has the digest of its counterpart
	Worse     int              `json:"worse"`
	Alpha     float64          `json:"alpha"`    // false alarms of all tests together
	Smallest  float64          `json:"smallest"` // change that counts, as a share
	Notes     []string         `json:"notes"`    // what was left out, or is worth knowing
	WhatIf    string           `json:"what_if"`  // in a sentence, what the candidate did differently
	Settings  []Difference     `json:"settings"` // in which the sides differ
	Changes   []ComparedChange `json:"metrics"`

	changes []Change
}

// ComparedChange is one metric of a comparison.
type ComparedChange struct {
	Metric    string    `json:"metric"`
	Where     string    `json:"where,omitempty"` // phase and window of the threshold that looks at it
	Unit      Unit      `json:"unit"`
	Judged    bool      `json:"judged"` // it is key, or a threshold looks at it
	Base      []float64 `json:"base"`
	Candidate []float64 `json:"candidate"`
	P         *float64  `json:"p"`                // null when no test was made
	Needed    int       `json:"needed,omitempty"` // runs a side, or seeds, to see the smallest change that counts
	Verdict   string    `json:"verdict"`
	Fails     bool      `json:"fails"`
	Note      string    `json:"note,omitempty"`
}

// NewComparison makes a comparison of its parts.
func NewComparison(base, candidate *Baseline, changes []Change) Comparison {
	asked, notes := base.Asked.on(base.Clock), notesOn(base, candidate)
	base, candidate = align(base, candidate)
	c := Comparison{Alpha: asked.Alpha, Smallest: asked.Smallest, Notes: notes, Schema: "aftershock.comparison/v1", Scenario: candidate.Scenario, Label: cmp.Or(candidate.Label, "candidate"), Clock: candidate.Clock, Seeds: candidate.Seeds,
		Identical: slices.Equal(base.Digests, candidate.Digests) && !slices.Contains(base.Digests, ""), Worse: len(Failed(changes)), Changes: []ComparedChange{}, changes: changes,
		WhatIf: WhatIf(base, candidate), Settings: Differences(base, candidate)}
	c.Verdict, c.ExitCode = outcomeOf(changes)
	for _, ch := range changes {
		row := ComparedChange{Metric: ch.Metric, Where: ch.Where, Unit: ch.Unit, Judged: ch.Judged, Base: ch.Base, Candidate: ch.Candidate, Needed: ch.Needed, Verdict: ch.Verdict, Fails: ch.Worse, Note: ch.Note}
		if !math.IsNaN(ch.P) {
			row.P = &ch.P
		}
		c.Changes = append(c.Changes, row)
	}
	return c
}

// Outcome is missed when something got worse, invalid when the runs are too few to tell, else met; with its exit code.
func (c Comparison) Outcome() (Verdict, int) { return c.Verdict, c.ExitCode }

func outcomeOf(changes []Change) (Verdict, int) {
	switch {
	case len(Failed(changes)) > 0:
		return Missed, ExitMissed
	case TooFew(changes) != "":
		return Invalid, ExitInvalid
	}
	return Met, ExitMet
}

// worst names the first few metrics that got worse, for the end of a line; "" when none did.
func (c Comparison) worst() string {
	failed := Failed(c.changes)
	if len(failed) == 0 {
		return ""
	}
	const most = 3
	var parts []string
	for _, ch := range failed[:min(most, len(failed))] {
		parts = append(parts, ch.Sentence())
	}
	if n := len(failed) - most; n > 0 {
		parts = append(parts, fmt.Sprintf("%d more", n))
	}
	return " " + strings.Join(parts, "; ") + "."
}

// Text prints the comparison, with every metric or only those that moved.
func (c Comparison) Text(markdown, all bool) string {
	var b strings.Builder
	if !c.Identical {
		fmt.Fprintf(&b, "%s\n\n", c.WhatIf)
	}
	fmt.Fprintf(&b, "%s, %s clock, seeds %s\n", c.Scenario, c.Clock, joinSeeds(c.Seeds))
	const most = 12
	for i, d := range c.Settings {
		if i == most && !all {
			fmt.Fprintf(&b, "  … and %d more (--all)\n", len(c.Settings)-most)
			break
		}
		fmt.Fprintf(&b, "  %s: %s → %s\n", d.Key, orNone(d.Base), orNone(d.Candidate))
	}
	for _, n := range c.Notes {
		for _, line := range wrap(n, textWidth-4) {
			b.WriteString("  " + line + "\n")
		}
	}
	b.WriteString("\n")
	t := changesTable(c.changes, all)
	if markdown {
		b.WriteString(t.markdown())
	} else {
		b.WriteString(t.plainText("  "))
	}
	b.WriteString("\n" + c.sentence() + "\n")
	return b.String()
}

func orNone(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func (c Comparison) sentence() string {
	moved := 0
	for _, ch := range c.changes {
		if ch.moved() {
			moved++
		}
	}
	few := TooFew(c.changes)
	switch {
	case c.Identical:
		return "The runs are identical, message by message."
	case few != "":
		return "It cannot be told whether something got worse: " + few + "."
	case moved == 0:
		return fmt.Sprintf("No difference in %s: none moved by %s, and no harm was added.%s", plural(len(c.changes), "metric"), Share.Format(c.Smallest), c.oneSided())
	case c.Worse == 0:
		return fmt.Sprintf("%d of %d metrics moved; none got worse by enough to fail.%s", moved, len(c.changes), c.oneSided())
	}
	return fmt.Sprintf("%d of %d metrics moved; %d got worse.%s", moved, len(c.changes), c.Worse, c.oneSided())
}

// oneSided names the metrics that only one side has.
func (c Comparison) oneSided() string {
	var names []string
	for _, ch := range c.changes {
		if ch.Verdict == gone {
			names = append(names, ch.Metric+" ("+ch.Note+")")
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " Not compared: " + some(names) + "."
}
