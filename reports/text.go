package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/printable"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// textWidth is how wide text is printed: what a terminal has at least.
const textWidth = 80

// paint colours words of the verdict; its zero value does not.
type paint struct{ on bool }

func (p paint) code(n, s string) string {
	if !p.on {
		return s
	}
	return "\x1b[" + n + "m" + s + "\x1b[0m"
}

func (p paint) bold(s string) string { return p.code("1", s) }
func (p paint) dim(s string) string  { return p.code("2", s) }

func (p paint) verdict(w Words, v Verdict, s string) string {
	if w.Neutral(v) {
		return p.bold(s)
	}
	return p.code(map[Verdict]string{Met: "1;32", Missed: "1;31", Invalid: "1;33"}[v], s)
}

// mark is a sign beside the word, for eyes that do not see colours.
func (v Verdict) mark() string { return map[Verdict]string{Met: "✓", Missed: "✗", Invalid: "?"}[v] }

// Text prints the verdict for people who have never seen one.
func (r *Report) Text(w io.Writer, color bool) error {
	b := r.findings(paint{color})
	b.WriteByte('\n')
	r.pointers(b, paint{color})
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// Findings prints what Text does, without what points to the run's folder.
func (r *Report) Findings(w io.Writer, color bool) error {
	_, err := io.WriteString(w, trimLines(r.findings(paint{color}).String()))
	return err
}

func (r *Report) findings(p paint) *bytes.Buffer {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s  %s\n", p.verdict(r.Words, r.Verdict, r.Words.Upper(r.Verdict)), p.bold(r.title()))
	for _, line := range wrap(r.sentence(), textWidth-2) {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	b.WriteByte('\n')
	r.facts(&b, p)
	if len(r.Thresholds) > 0 {
		b.WriteByte('\n')
		r.thresholdTable(&b, p)
	}
	return &b
}

// trimLines takes the spaces off the ends of lines, and commands to a CI's log off their beginnings.
func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return printable.Lines(strings.Join(lines, "\n"))
}

func (r *Report) title() string {
	if r.Info.Scenario.Title != "" {
		return r.Info.Scenario.Name + ": " + r.Info.Scenario.Title
	}
	return r.Info.Scenario.Name
}

// speaks reports whether each of the scenario's thresholds is a sentence.
func (r *Report) speaks() bool {
	for _, t := range r.Thresholds {
		if t.Says == "" {
			return false
		}
	}
	return len(r.Thresholds) > 0
}

// sentence says the verdict in words.
func (r *Report) sentence() string {
	met, judged, warned := 0, 0, 0
	for _, t := range r.Thresholds {
		switch {
		case t.Warn() && t.Verdict != Met:
			warned++
		case t.Warn():
		default:
			judged++
			if t.Verdict == Met {
				met++
			}
		}
	}
	var s string
	switch {
	case r.Verdict == Invalid:
		s = "The run cannot be judged: " + strings.Join(r.Reasons, "; ") + "."
	case r.Verdict == Missed && judged == met:
		s = fmt.Sprintf("%d of %d metrics got worse than the baseline.", len(Failed(r.changes)), len(r.changes))
		if judged > 0 {
			s += " The scenario's thresholds were kept."
		}
	case judged == 0:
		s = "The scenario only measures: nothing was judged."
	case r.Verdict == Met && r.speaks():
		s = fmt.Sprintf("All %d statements of the scenario came true in this run.", judged)
	case r.Verdict == Met:
		s = fmt.Sprintf("All %d thresholds of the scenario were kept.", judged)
	case r.speaks():
		s = fmt.Sprintf("%d of %d statements of the scenario did not come true in this run.", judged-met, judged)
	default:
		s = fmt.Sprintf("%d of %d thresholds were missed.", judged-met, judged)
	}
	if r.Verdict == Missed && len(r.Reasons) > 0 {
		s += " Besides: " + strings.Join(r.Reasons, "; ") + "."
	}
	if warned > 0 {
		s += fmt.Sprintf(" %d more only warn.", warned)
	}
	return s
}

func (r *Report) facts(b *bytes.Buffer, p paint) {
	r.factList(func(name, text string) {
		for i, line := range wrap(text, textWidth-14) {
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(b, "  %s%s\n", p.dim(fmt.Sprintf("%-12s", name)), line)
		}
	})
}

// factList tells the run in a handful of lines, each with its name.
func (r *Report) factList(fact func(name, text string)) {
	fact("replayed", r.replayed())
	fact("messages", r.messageWords())
	fact("duplicates", duplicateWords(r.summary.Duplicates))
	fact("delivery", r.deliveryWords())
	fact("pressure", r.pressureWords())
	if r.data.recovery.known {
		fact("recovery", r.recoveryWords())
	}
	if words := r.useWords(); words != "" {
		fact("machine", words)
	}
	if len(r.changes) > 0 {
		fact("baseline", r.comparisonWords())
	}
	fact("harness", r.harnessWords())
	if words := r.retriedWords(); words != "" {
		fact("attempts", words)
	}
}

func (r *Report) replayed() string {
	s := r.summary
	text := FormatSeconds(s.Run.VirtualS) + " of scenario time"
	if r.Info.State == record.Running {
		text = FormatDuration(r.data.end) + " of scenario time"
	}
	if !r.Info.Start.IsZero() {
		text += " from " + r.Info.Start.Format("2 January 2006 15:04 -07:00")
	}
	if r.Info.State != record.Running {
		text += " in " + FormatSeconds(s.Run.WallS)
	}
	text += " (" + s.Run.Clock + " clock, " + s.Run.Environment + "), seed " + fmt.Sprint(s.Scenario.Seed)
	if s.Scenario.Preset != "" {
		text += ", preset " + s.Scenario.Preset
	}
	if len(s.Scenario.Variants) > 0 {
		text += ", variants " + strings.Join(s.Scenario.Variants, " and ")
	}
	if n := len(s.Scenario.Overrides); n > 0 {
		text += ", " + plural(n, "setting") + " overridden"
	}
	return text
}

func (r *Report) messageWords() string {
	m := r.summary.Messages
	parts := []string{fmt.Sprintf("%s offered: %s delivered%s", grouped(int64(m.Offered)), grouped(int64(m.Delivered)), percentOf(m.Delivered, m.Offered))}
	for _, o := range record.Outcomes[1:] {
		if n := r.outcome(o); n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s%s", grouped(int64(n)), o, percentOf(n, m.Offered)))
		}
	}
	return strings.Join(parts, ", ")
}

func (r *Report) outcome(o record.Outcome) int {
	m := r.summary.Messages
	return map[record.Outcome]int{record.Delivered: m.Delivered, record.Expired: m.Expired, record.Failed: m.Failed, record.Shed: m.Shed,
		record.Lost: m.Lost, record.Pending: m.Pending, record.Unsent: m.Unsent, record.Misdelivered: m.Misdelivered}[o]
}

func percentOf(n, of int) string {
	if of == 0 {
		return ""
	}
	return " (" + Share.Format(float64(n)/float64(of)) + ")"
}

func duplicateWords(d SummaryDuplicates) string {
	if d.Copies == 0 {
		return "none"
	}
	text := fmt.Sprintf("%s messages (%s) were sent more than once, %s copies too many", grouped(int64(d.Messages)), Share.Format(d.Rate), grouped(int64(d.Copies)))
	sep := ": "
	for _, c := range d.ByCause.list() {
		if c.n > 0 {
			text += sep + grouped(int64(c.n)) + " by " + c.cause
			sep = ", "
		}
	}
	return text
}

type causeN struct {
	cause string
	n     int
}

func (c SummaryCauses) list() []causeN {
	var out []causeN
	for _, cause := range record.Causes {
		out = append(out, causeN{cause.Name, *c.of(cause.Name)})
	}
	return out
}

func (r *Report) deliveryWords() string {
	d := r.summary.Delivery
	if d.Count == 0 {
		return "nothing was delivered"
	}
	text := "median " + FormatSeconds(d.P50.Seconds()) + ", p99 " + FormatSeconds(d.P99.Seconds()) + ", worst " + FormatSeconds(d.Max.Seconds())
	if len(r.summary.Phases) > 1 {
		if first := r.summary.Phases[0]; first.Delivery.Count > 0 {
			text += " (" + first.Name + " phase: median " + FormatSeconds(first.Delivery.P50.Seconds()) + ")"
		}
	}
	if r.summary.Media.Expired > 0 {
		text += fmt.Sprintf("; media expired under %s messages", grouped(int64(r.summary.Media.Expired)))
	}
	return text
}

func (r *Report) pressureWords() string {
	a := r.summary.Attempts
	text := Times.Format(a.Amplification) + " attempts for each that was due, " + Times.Format(a.PeakAmplification) + " at the worst"
	for _, part := range []struct{ metric, words string }{{"backlog.max", "backlog up to "}, {"oldest_age.max", "oldest waited "}, {"timeouts.rate", "timeouts up to "}} {
		if v, ok := r.Value(part.metric); ok {
			m, _ := Metric(part.metric)
			text += ", " + part.words + m.Unit.Format(v)
		}
	}
	return text
}

func (r *Report) recoveryWords() string {
	c := r.data.recovery
	text := "load back at " + FormatClock(c.surgeEnd)
	if c.recovered != record.Never {
		text += ", healthy again at " + FormatClock(c.recovered) + " (" + FormatDuration(c.recovered-c.surgeEnd) + " later)"
	} else if c.served {
		text += ", never healthy again while load was offered"
	} else {
		text += ", too little load afterwards to tell whether it was served"
	}
	if c.drained != record.Never {
		text += ", backlog drained at " + FormatClock(c.drained)
	} else if c.held {
		text += ", backlog never drained"
	}
	if c.metastable {
		text += ". It does not recover by itself: metastable"
	}
	return text
}

func (r *Report) harnessWords() string {
	h := r.summary.Harness
	text := "hits left on time: p99 " + FormatSeconds(h.LatenessMS.P99/1e3) + " late"
	if h.HitsUnsent > 0 {
		text += fmt.Sprintf(", %d could not be sent", h.HitsUnsent)
	} else {
		text += ", all sent"
	}
	if len(r.Info.Harness.Warnings) > 0 {
		text += "; " + strings.Join(r.Info.Harness.Warnings, "; ")
	}
	return text
}

func (r *Report) thresholdTable(b *bytes.Buffer, p paint) {
	head, expected, observed := "threshold", len("expected"), len("observed")
	if r.speaks() {
		head = "statement"
	}
	for _, t := range r.Thresholds {
		expected = min(max(expected, runes(t.Is)), 22)
		observed = min(max(observed, runes(t.Observed)), 24)
	}
	wide := textWidth - runes("  ✓ invalid ") - expected - observed - 4
	fmt.Fprintf(b, "  %s\n", p.dim(fmt.Sprintf("%-9s %-*s  %-*s  %s", "", wide, head, expected, "expected", "observed")))
	for _, t := range r.Thresholds {
		words := t.ID
		if t.Says != "" {
			words = t.ID + ": " + t.Says
		}
		mark := r.statementWord(t)
		lines, limits, values := wrap(words, wide), wrap(t.Is, expected), wrap(t.Observed, observed)
		for i := range max(len(lines), len(limits), len(values)) {
			sign := strings.Repeat(" ", 9)
			if i == 0 {
				sign = p.verdict(r.Words, t.Verdict, fmt.Sprintf("%s %-7s", t.Verdict.mark(), mark))
			}
			fmt.Fprintf(b, "  %s %-*s  %-*s  %s\n", sign, wide, at(lines, i), expected, at(limits, i), at(values, i))
		}
	}
}

// statementWord says what a threshold came to, in a column: a statement of what happened is true of this run or not.
func (r *Report) statementWord(t ThresholdResult) string {
	switch {
	case t.Warn() && t.Verdict != Met:
		return "warn"
	case r.Words.Neutral(t.Verdict) && t.Verdict == Met:
		return "so"
	case r.Words.Neutral(t.Verdict):
		return "not so"
	}
	return string(t.Verdict)
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

func (r *Report) pointers(b *bytes.Buffer, p paint) {
	dir := printable.Line(r.data.run.Dir)
	if dir != "" {
		fmt.Fprintf(b, "  %s%s\n", p.dim(fmt.Sprintf("%-12s", "files")), dir+": report.html, report.md, summary.json, junit.xml, plots/")
	}
	name := "next"
	for _, n := range r.Next() {
		fmt.Fprintf(b, "  %s%s  %s\n", p.dim(fmt.Sprintf("%-12s", name)), n.Command, p.dim("# "+n.Why))
		name = ""
	}
}

// Step is something worth doing after a run.
type Step struct{ Command, Why string }

// Next suggests what to run after this run.
func (r *Report) Next() []Step {
	dir := r.data.run.Dir
	if dir == "" {
		dir = "DIR"
	}
	var out []Step
	switch s := r.summary; {
	case s.Duplicates.Copies > 0:
		out = append(out, Step{"aftershock explain " + dir + " --duplicates", "why they were sent twice"})
	case s.Messages.Expired > 0:
		out = append(out, Step{"aftershock explain " + dir + " --expired", "why they never arrived"})
	case s.Messages.Lost > 0:
		out = append(out, Step{"aftershock explain " + dir + " --lost", "where they went"})
	}
	if v := r.untriedVariant(); v != "" {
		out = append(out, Step{"aftershock run " + r.Info.Scenario.Name + " --variant " + v, "what would have helped"})
	}
	return append(out, Step{"aftershock watch " + dir, "see it happen"})
}

func (r *Report) untriedVariant() string {
	best := ""
	for name := range r.Scenario.Variants {
		used := false
		for _, v := range r.Info.Scenario.Variants {
			used = used || v == name
		}
		if !used && (best == "" || name < best) {
			best = name
		}
	}
	return best
}

// wrap breaks a text into lines of at most width letters, at spaces.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Split(text, " ") {
		switch {
		case word == "":
		case line == "":
			line = word
		case runes(line)+1+runes(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

func runes(s string) int { return strings.Count(s, "") - 1 }
