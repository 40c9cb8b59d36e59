package reports

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"strings"
)

// Markdown prints the report for a step summary or a pull request: verdict, thresholds, numbers, and why.
func (r *Report) Markdown(w io.Writer) error {
	_, err := w.Write(r.markdown())
	return err
}

// markdownLimit is what report.md may take; longer tables are cut, and say so.
const markdownLimit = 64 << 10

func (r *Report) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "## %s %s: %s\n\n%s\n\n", r.Words.icon(r.Verdict), r.Words.Upper(r.Verdict), markdownText(r.title()), markdownText(r.sentence()))
	var facts bytes.Buffer
	r.factList(func(name, text string) { fmt.Fprintf(&facts, "| **%s** | %s |\n", name, markdownText(text)) })
	fmt.Fprintf(&b, "| | |\n|---|---|\n%s\n", facts.String())
	if len(r.Thresholds) > 0 {
		t := table{Head: []string{"", "threshold", "metric", "expected", "observed", "margin", "first"}}
		for _, th := range r.thresholdsInOrder() {
			mark := th.Verdict.mark() + " " + r.statementWord(th)
			words := th.ID
			if th.Says != "" {
				words += ": " + th.Says
			}
			metric := th.Metric
			if when := th.When(); when != "" {
				metric += " (" + when + ")"
			}
			t.Rows = append(t.Rows, []string{mark, words, metric, th.Is, th.Observed, marginText(th), firstText(th)})
		}
		section(&b, "Thresholds", t.markdown())
	}
	if len(r.changes) > 0 {
		section(&b, "Against the baseline", r.comparisonWords()+"\n\n"+changesTable(r.changes, false).markdown())
	}
	var story strings.Builder
	for _, s := range r.Story() {
		fmt.Fprintf(&story, "- `%s` %s\n", FormatClock(s.At), markdownText(s.Text))
	}
	section(&b, "What happened", story.String())
	section(&b, "Where the messages went", r.accounting().markdown())
	if c := r.causes(); len(c.Rows) > 0 {
		section(&b, "Why copies were made", c.markdown())
	}
	if t := r.ambiguity(); len(t.Rows) > 0 {
		section(&b, "Sends in doubt", t.markdown())
	}
	if t := r.useTable(); len(t.Rows) > 0 {
		section(&b, "What the parts used of the machine", t.markdown())
	}
	section(&b, "Delivery time", r.latencyTable().markdown()+"\nCounted from the instant a message was due to the status delivered.\n")
	fmt.Fprintf(&b, "<sub>run %s · seed %d · scenario %.12s · %s · reproduce: <code>%s</code></sub>\n", r.Info.ID, r.Info.Scenario.Seed, r.Info.Scenario.SHA256, r.Info.Tool, html.EscapeString(r.Info.Command))
	if b.Len() > markdownLimit {
		b.Truncate(bytes.LastIndexByte(b.Bytes()[:markdownLimit-64], '\n') + 1)
		b.WriteString("\n(cut: the rest is in report.html)\n")
	}
	return b.Bytes()
}

func section(b *bytes.Buffer, title, body string) { fmt.Fprintf(b, "### %s\n\n%s\n", title, body) }

// comparisonWords says what the comparison with the baseline came to.
func (r *Report) comparisonWords() string { return comparisonWords(r.changes) }

func comparisonWords(changes []Change) string {
	worse := Failed(changes)
	if len(worse) == 0 {
		return fmt.Sprintf("Nothing got worse: %d metrics compared with the baseline.", len(changes))
	}
	parts := make([]string, 0, 4)
	for _, c := range worse[:min(3, len(worse))] {
		parts = append(parts, c.Sentence())
	}
	s := fmt.Sprintf("%d of %d metrics got worse than the baseline: %s", len(worse), len(changes), strings.Join(parts, "; "))
	if len(worse) > 3 {
		s += "; …"
	}
	return s + "."
}
