package reports

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// table is rows of text with a head: what Markdown and HTML show alike.
type table struct {
	Head []string
	Rows [][]string
}

// accounting shows that every message offered is accounted for.
func (r *Report) accounting() table {
	m := r.summary.Messages
	words := map[record.Outcome]string{
		record.Delivered: "at least one copy reached the recipient", record.Expired: "never delivered: media or validity had run out", record.Failed: "refused for good",
		record.Shed: "the sender would not take it", record.Lost: "taken by the sender and never finished", record.Pending: "still held by the sender at the end", record.Unsent: "the harness could not send it",
		record.Misdelivered: "a copy went to another recipient, or with another text",
	}
	t := table{Head: []string{"outcome", "messages", "share", "meaning"}}
	share := func(n int) string { return strings.Trim(percentOf(n, m.Offered), " ()") }
	for _, o := range record.Outcomes {
		n := r.outcome(o)
		t.Rows = append(t.Rows, []string{string(o), grouped(int64(n)), share(n), words[o]})
	}
	return table{t.Head, append(t.Rows,
		[]string{"offered", grouped(int64(m.Offered)), "", "the sum of the above"},
		[]string{"residue", grouped(int64(m.Residue)), "", "messages without an outcome: has to be 0"})}
}

// causes shows where copies came from.
func (r *Report) causes() table {
	t := table{Head: []string{"cause", "copies", "meaning"}}
	for _, c := range r.summary.Duplicates.ByCause.list() {
		if c.n > 0 {
			t.Rows = append(t.Rows, []string{c.cause, grouped(int64(c.n)), record.CauseOf(c.cause).Words})
		}
	}
	return t
}

// latencyTable shows delivery times by phase.
func (r *Report) latencyTable() table {
	d := r.data
	t := table{Head: []string{"phase", "delivered", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max"}}
	row := func(name string, w Window) {
		v := d.waits(w)
		cells := []string{name, grouped(int64(len(d.arrivals(w))))}
		for _, q := range []float64{0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1} {
			// A percentile needs a value beyond it to say more than the maximum does.
			if len(v) == 0 || q < 1 && float64(len(v))*(1-q) < 1 {
				cells = append(cells, "–")
				continue
			}
			cells = append(cells, FormatDuration(Percentile(v, q)))
		}
		t.Rows = append(t.Rows, cells)
	}
	for _, p := range r.Info.Phases {
		row(p.Name, Window{p.From, p.To})
	}
	row("whole run", d.whole())
	return t
}

// dynamics shows how the run came out of its trouble.
func (r *Report) dynamics() table {
	t := table{Head: []string{"what", "value", "meaning"}}
	for _, name := range []string{"recovery.detect", "recovery.stabilise", "recovery.time", "recovery.drain", "recovery.metastable", "attempts.amplification.peak", "backlog.max", "oldest_age.max", "work.wasted", "scaling.behind"} {
		m, err := Metric(name)
		if err != nil {
			continue
		}
		text := "never"
		if v, ok := r.Value(name); ok {
			text = m.Unit.Format(v)
		} else if !strings.HasPrefix(name, "recovery.") {
			text = "not measured"
		} else if name == "recovery.metastable" {
			text = "cannot tell"
		}
		t.Rows = append(t.Rows, []string{name, text, m.Doc})
	}
	return t
}

// ambiguity is what the duplicates follow from that no sender can avoid: docs/exactly-once.md has the formula. It is
// empty when no outcome was in doubt.
func (r *Report) ambiguity() table {
	t := table{Head: []string{"sends in doubt", "number", "meaning"}}
	if held, ok := r.Value("ambiguous.held"); !ok || held == 0 {
		return t
	}
	for _, name := range []string{"attempts.send.first", "ambiguous.held", "ambiguous.resolved", "ambiguous.late", "ambiguous.given_up"} {
		m, err := Metric(name)
		if v, ok := r.Value(name); ok && err == nil {
			t.Rows = append(t.Rows, []string{name, m.Unit.Format(v), m.Doc})
		}
	}
	return t
}

// eventTable lists what was done and noted, with the wall clock of the scenario and the effect.
func (r *Report) eventTable() table {
	t := table{Head: []string{"no.", "at", "on the clock", "by", "what", "ten minutes later"}}
	events := append(r.numberedAndNotes(), r.notable()...)
	sort.SliceStable(events, func(i, j int) bool { return events[i].At < events[j].At })
	for _, e := range events {
		number, effect := "", ""
		if e.Number > 0 {
			number = fmt.Sprintf("(%d)", e.Number)
			if _, after, ok := strings.Cut(r.effect(e).Text, " Over the next "); ok {
				_, effect, _ = strings.Cut(after, " ")
				effect = strings.TrimSuffix(effect, ".")
			}
		}
		t.Rows = append(t.Rows, []string{number, FormatClock(e.At), r.wallClock(e.At), e.Source, e.Text, effect})
	}
	return t
}

// notable is what happened and is worth a row: thresholds, warnings, and what an operator noted.
func (r *Report) notable() []record.Event {
	var out []record.Event
	for _, e := range r.data.run.Events {
		if e.Kind == "threshold" || e.Kind == "warning" || e.Kind == "mark" && e.Source == "operator" {
			if e.State != "" {
				e.Text += ": " + e.State
			}
			out = append(out, e)
		}
	}
	return out[:min(len(out), 200)]
}

func (r *Report) wallClock(t time.Duration) string {
	if r.Info.Start.IsZero() {
		return ""
	}
	return r.Info.Start.Add(t).Format("15:04:05")
}

// thresholdsInOrder lists the thresholds, missed ones first.
func (r *Report) thresholdsInOrder() []ThresholdResult {
	out := append([]ThresholdResult(nil), r.Thresholds...)
	rank := func(t ThresholdResult) int {
		switch {
		case t.Verdict == Missed && !t.Warn():
			return 0
		case t.Verdict == Invalid && !t.Warn():
			return 1
		case t.Verdict != Met:
			return 2
		}
		return 3
	}
	sort.SliceStable(out, func(i, j int) bool { return rank(out[i]) < rank(out[j]) })
	return out
}

// marginText says how far a threshold was from its limit.
func marginText(t ThresholdResult) string {
	if t.Verdict == Invalid || t.For > 0 {
		return ""
	}
	v, ok := t.Criterion.margin(t.Value)
	if !ok || v > 99 || v < -99 {
		return ""
	}
	return fmt.Sprintf("%+.0f%%", v*100)
}

func firstText(t ThresholdResult) string {
	if t.First < 0 {
		return ""
	}
	return FormatClock(t.First)
}

// changesTable is the comparison in the manner of benchstat; all is every metric, else those that moved and a few that
// people always ask for.
func changesTable(cs []Change, all bool) table {
	t := table{Head: []string{"metric", "baseline", "candidate", "vs base", ""}}
	for _, c := range cs {
		if !all && !c.moved() && !c.untold() && !headline[c.Metric] {
			continue
		}
		verdict := c.Verdict
		if verdict == same {
			verdict = ""
		}
		if c.Worse {
			verdict = "worse ✗"
		}
		if c.P == c.P {
			verdict = join(verdict, fmt.Sprintf("p=%.3f n=%s", c.P, c.counted()))
		}
		t.Rows = append(t.Rows, []string{c.Name(), c.spread(c.Base), c.spread(c.Candidate), c.Delta(), join(verdict, c.Note)})
	}
	return t
}

// headline metrics are shown even when nothing changed.
var headline = map[string]bool{"delivery_time.p50": true, "delivery_time.p99": true, "response_time.p99": true, "messages.delivered": true, "messages.expired": true,
	"messages.lost": true, "duplicates.copies": true, "attempts.amplification": true}

// counted says how many runs there are on each side, once where they are as many.
func (c Change) counted() string {
	if len(c.Base) == len(c.Candidate) {
		return fmt.Sprint(len(c.Base))
	}
	return fmt.Sprintf("%d+%d", len(c.Base), len(c.Candidate))
}

// spread writes what a side comes to and, of several runs, how far they lie apart.
func (c Change) spread(v []float64) string {
	if len(v) == 0 {
		return "–"
	}
	u, m := c.Unit, c.center(v)
	s := u.Format(m)
	if len(v) < 2 || m == 0 {
		return s
	}
	lo, hi := v[0], v[0]
	for _, x := range v {
		lo, hi = min(lo, x), max(hi, x)
	}
	return fmt.Sprintf("%s ±%.0f%%", s, max(hi-m, m-lo)/max(m, -m)*100)
}

// plainText prints the table with aligned columns. What is too wide for the page wraps in the widest column.
func (t table) plainText(indent string) string {
	all := append([][]string{t.Head}, t.Rows...)
	width := t.fit(all, textWidth-runes(indent))
	var b strings.Builder
	for _, row := range all {
		cells, lines := make([][]string, len(row)), 1
		for i, c := range row {
			cells[i] = []string{c}
			if runes(c) > width[i] {
				cells[i] = wrap(c, width[i])
			}
			lines = max(lines, len(cells[i]))
		}
		for n := range lines {
			line := indent
			for i := range row {
				c := at(cells[i], n)
				line += c + strings.Repeat(" ", max(0, width[i]-runes(c))+2)
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	return b.String()
}

// narrowest is how far a column that wraps may shrink.
const narrowest = 14

// fit returns the columns' widths: as wide as their cells, the widest one narrower when the page has no room for it.
func (t table) fit(rows [][]string, room int) []int {
	width := make([]int, len(t.Head))
	for _, row := range rows {
		for i, c := range row {
			width[i] = max(width[i], runes(c))
		}
	}
	over, widest := -2-room, 0
	for i, w := range width {
		over += w + 2
		if w > width[widest] {
			widest = i
		}
	}
	if over > 0 {
		width[widest] = min(width[widest], max(narrowest, width[widest]-over))
	}
	return width
}

// width is how wide the table is when nothing wraps.
func (t table) width() int {
	width := make([]int, len(t.Head))
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		for i, c := range row {
			width[i] = max(width[i], runes(c))
		}
	}
	all := 2 * (len(width) - 1)
	for _, w := range width {
		all += w
	}
	return all
}

// markdown prints the table for GitHub.
func (t table) markdown() string {
	var b strings.Builder
	row := func(cells []string) {
		b.WriteString("|")
		for _, c := range cells {
			b.WriteString(" " + markdownText(c) + " |")
		}
		b.WriteString("\n")
	}
	row(t.Head)
	b.WriteString(strings.Repeat("|---", len(t.Head)) + "|\n")
	for _, r := range t.Rows {
		row(r)
	}
	return b.String()
}

// markdownText keeps a text from being read as Markdown or HTML.
func markdownText(s string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", ">", "&gt;", "\n", " ", "`", "'", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]").Replace(s)
}
