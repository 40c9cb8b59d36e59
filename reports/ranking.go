package reports

import (
	"fmt"
	"io"
	"strings"
)

// Ranking is several candidates set against one baseline, the best first: what compare prints of more than two sides.
type Ranking struct {
	Schema     string   `json:"schema"` // "aftershock.ranking/v1"
	Scenario   string   `json:"scenario"`
	Clock      string   `json:"clock"`
	Verdict    Verdict  `json:"verdict"` // missed when any candidate got worse, else invalid when the runs of any are too few, else met
	ExitCode   int      `json:"exit_code"`
	Candidates []Ranked `json:"candidates"` // the best first
}

// Ranked is one candidate of a ranking.
type Ranked struct {
	Rank int `json:"rank"`
	Comparison
}

// NewRanking compares each candidate with the baseline and orders them: the least harmed messages first, then the fewest
// copies, then the shortest delay.
func NewRanking(base *Baseline, candidates []*Baseline) (*Ranking, error) {
	r := &Ranking{Schema: "aftershock.ranking/v1", Scenario: base.Scenario, Clock: base.Clock, Verdict: Met, ExitCode: ExitMet}
	Rank(candidates)
	for i, c := range candidates {
		changes, err := CompareWhatIf(base, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Label, err)
		}
		one := Ranked{i + 1, NewComparison(base, c, changes)}
		r.Candidates = append(r.Candidates, one)
		if v, code := one.Outcome(); code == ExitMissed || code == ExitInvalid && r.ExitCode == ExitMet {
			r.Verdict, r.ExitCode = v, code
		}
	}
	return r, nil
}

// Text prints a sentence for each candidate and what got worse with it; all prints every comparison whole.
func (r *Ranking) Text(markdown, all bool) string {
	var b strings.Builder
	if markdown {
		b.WriteString(r.table().markdown())
	} else {
		for _, c := range r.Candidates {
			fmt.Fprintf(&b, "%d  %s\n", c.Rank, c.WhatIf)
			for _, line := range wrap(c.sentence()+c.worst(), textWidth-6) {
				b.WriteString("     " + line + "\n")
			}
		}
	}
	if all {
		for _, c := range r.Candidates {
			head := fmt.Sprintf("\n%d  ", c.Rank)
			if markdown {
				head = fmt.Sprintf("\n### %d. %s\n\n", c.Rank, markdownText(c.Label))
			}
			b.WriteString(head + c.Text(markdown, true))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.sentence())
	return b.String()
}

func (r *Ranking) table() table {
	t := table{Head: []string{"", "candidate", "what it did", "got worse"}}
	for _, c := range r.Candidates {
		t.Rows = append(t.Rows, []string{fmt.Sprint(c.Rank), c.Label, strings.TrimPrefix(c.WhatIf, c.Label+": "), strings.TrimPrefix(c.sentence()+c.worst(), " ")})
	}
	return t
}

// sentence says what all of them came to.
func (r *Ranking) sentence() string {
	var worse, untold []string
	for _, c := range r.Candidates {
		switch _, code := c.Outcome(); code {
		case ExitMissed:
			worse = append(worse, c.Label)
		case ExitInvalid:
			untold = append(untold, c.Label)
		}
	}
	var parts []string
	if len(worse) > 0 {
		parts = append(parts, fmt.Sprintf("worse than the baseline in something: %s", strings.Join(worse, ", ")))
	}
	if len(untold) > 0 {
		parts = append(parts, fmt.Sprintf("too few runs to tell: %s", strings.Join(untold, ", ")))
	}
	if len(parts) == 0 {
		return "Nothing got worse with any of them."
	}
	s := strings.Join(parts, "; ")
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// GitHub tells GitHub Actions of the ranking: an annotation for each candidate that got worse, and the table.
func (r *Ranking) GitHub(getenv func(string) string, log io.Writer) error {
	var lines []string
	for _, c := range r.Candidates {
		lines = append(lines, worseThanBaseline(c.Scenario+", "+c.Label, c.changes)...)
	}
	return tellGitHub(getenv, log, lines, []byte(r.Text(true, false)))
}

// Outcome is the worst of the candidates', with its exit code.
func (r *Ranking) Outcome() (Verdict, int) { return r.Verdict, r.ExitCode }
