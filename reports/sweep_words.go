package reports

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
)

// Text prints the sweep: the points ranked, the map, the front, what each switch does, and where it is safe.
func (s *Sweep) Text(w io.Writer) error {
	var b bytes.Buffer
	paragraph := func(indent, text string) {
		for _, l := range wrap(text, textWidth-runes(indent)) {
			b.WriteString(indent + l + "\n")
		}
	}
	paragraph("", s.heading())
	points := s.table(true)
	b.WriteString("\n" + points.plainText("  ") + "\n")
	paragraph("  ", s.legend(points))
	if lines := s.brokeLines(); len(lines) > 0 {
		b.WriteString("\n" + capital(s.brokeTitle()) + ":\n")
		for _, line := range lines {
			for i, l := range wrap(line, textWidth-6) {
				b.WriteString(map[bool]string{true: "  ", false: "     "}[i == 0] + l + "\n")
			}
		}
	}
	if m, ok := s.mapTable(); ok {
		b.WriteString("\n" + s.mapTitle() + "\n\n" + m.plainText("  "))
	}
	if t := s.frontTable(); len(t.Rows) > 0 && len(s.Points) > 1 {
		b.WriteString("\n")
		paragraph("", s.frontTitle())
		b.WriteString("\n" + t.plainText("  "))
	}
	if t := s.effectTable(); len(t.Rows) > 0 {
		b.WriteString("\n")
		paragraph("", s.effectTitle())
		b.WriteString("\n" + t.plainText("  "))
	}
	b.WriteString("\n")
	for _, line := range s.SafeWords() {
		for i, l := range wrap(line, textWidth-4) {
			if i > 0 {
				l = "  " + l
			}
			b.WriteString("  " + l + "\n")
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Markdown prints the sweep for a step summary.
func (s *Sweep) Markdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "## %s\n\n", markdownText(s.heading()))
	for _, line := range s.SafeWords() {
		fmt.Fprintf(&b, "- %s\n", markdownText(line))
	}
	points := s.table(false)
	b.WriteString("\n" + points.markdown())
	fmt.Fprintf(&b, "\n%s\n", markdownText(s.legend(points)))
	if m, ok := s.mapTable(); ok {
		fmt.Fprintf(&b, "\n### %s\n\n%s", s.mapTitle(), m.markdown())
	}
	if t := s.frontTable(); len(t.Rows) > 0 && len(s.Points) > 1 {
		fmt.Fprintf(&b, "\n### %s\n\n%s", s.frontTitle(), t.markdown())
	}
	if t := s.effectTable(); len(t.Rows) > 0 {
		fmt.Fprintf(&b, "\n### %s\n\n%s", s.effectTitle(), t.markdown())
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (s *Sweep) heading() string {
	done, all := 0, len(s.Points)*len(s.Seeds)
	for _, p := range s.Points {
		done += len(p.Runs)
	}
	words := make([]string, len(s.Axes))
	for i, a := range s.Axes {
		words[i] = fmt.Sprintf("%s (%s)", shortKey(a.Name), strings.Join(a.Levels, ", "))
	}
	if s.switches() {
		for i, a := range s.Axes {
			words[i] = a.Name
		}
	}
	text := fmt.Sprintf("%s: %s × %s", s.Scenario, plural(len(s.Points), "setting"), plural(len(s.Seeds), "seed"))
	if len(words) > 0 {
		text += ": " + strings.Join(words, " × ")
	}
	if done < all {
		text += fmt.Sprintf("; %d of %d runs finished", done, all)
	}
	return text
}

func (s *Sweep) mapTitle() string {
	return fmt.Sprintf("%s: %s down, %s across; ok is safe, x is not", s.Headline.Name, shortKey(s.Axes[0].Name), shortKey(s.Axes[1].Name))
}

func (s *Sweep) safeName() string {
	names := make([]string, len(s.Safe))
	for i, r := range s.Safe {
		names[i] = r.Says
	}
	return strings.Join(names, ", ")
}

// at returns the point with these levels on the first two axes and the first level on the rest.
func (s *Sweep) at(i, j int) (SweepPoint, bool) {
	for _, p := range s.Points {
		if p.Levels[0] == i && p.Levels[1] == j && (len(p.Levels) == 2 || alone(p.Levels[2:], -1)) {
			return p, true
		}
	}
	return SweepPoint{}, false
}

// mapTable is the heat map in letters, of the first two axes.
func (s *Sweep) mapTable() (table, bool) {
	if len(s.Axes) < 2 || s.switches() {
		return table{}, false
	}
	t := s.mapOf(s.cellWhy)
	if t.width() > textWidth-2 {
		t = s.mapOf(s.cellText)
	}
	return t, true
}

// mapOf makes the map of cells.
func (s *Sweep) mapOf(cell func(i, j int) string) table {
	t := table{Head: append([]string{""}, s.Axes[1].Levels...)}
	for i, row := range s.Axes[0].Levels {
		cells := []string{row}
		for j := range s.Axes[1].Levels {
			cells = append(cells, cell(i, j))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func (s *Sweep) cellText(i, j int) string {
	p, ok := s.at(i, j)
	if !ok || len(p.Runs) == 0 {
		return "–"
	}
	return s.Headline.Unit.Format(s.value(p, s.Headline)) + " " + s.safeMark(p)
}

// cellWhy is cellText with what broke, where there is room for it.
func (s *Sweep) cellWhy(i, j int) string {
	text := s.cellText(i, j)
	if p, ok := s.at(i, j); ok && len(s.Axes[1].Levels) <= mostReasons && len(p.Runs) > 0 {
		if why := s.brokeBrief(p); why != "" {
			text += " " + why
		}
	}
	return text
}

// mostReasons is how many columns of the map leave room for reasons.
const mostReasons = 4

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (s *Sweep) frontTitle() string {
	if len(s.front()) == 1 {
		return "Best of all on both " + s.Headline.Name + " and " + s.Cost.Name
	}
	return "Worth choosing from: no other setting is better on both " + s.Headline.Name + " and " + s.Cost.Name
}

func (s *Sweep) frontTable() table {
	t := table{Head: append(s.settingHeads(), s.Headline.Name, s.Cost.Name)}
	for _, p := range s.front() {
		t.Rows = append(t.Rows, append(s.settingCells(p), s.Headline.Unit.Format(s.value(p, s.Headline)), s.Cost.Unit.Format(s.value(p, s.Cost))))
	}
	return t
}

func (s *Sweep) effectTitle() string {
	return "What each changes in " + s.Headline.Name + ", against " + s.name(SweepPoint{Levels: make([]int, len(s.Axes))})
}

func (s *Sweep) effectTable() table {
	t := table{Head: []string{"change", "on average", "alone"}}
	for _, e := range s.effects() {
		name := shortKey(e.Axis) + " " + e.Level
		if s.switches() {
			name = e.Axis
		}
		aloneText := "–"
		if !math.IsNaN(e.Alone) {
			aloneText = signed(e.Alone, s.Headline.Unit)
		}
		t.Rows = append(t.Rows, []string{name, signed(e.Mean, s.Headline.Unit), aloneText})
	}
	return t
}

// SafeWords says where it is safe: for each condition, and for all together, the furthest setting that keeps it on
// every seed.
func (s *Sweep) SafeWords() []string {
	var out []string
	seeds := "on " + plural(len(s.Seeds), "seed")
	for _, r := range s.Safe {
		out = append(out, s.region(r.Says, seeds, r))
	}
	if len(s.Safe) > 1 {
		out = append(out, s.region("all of these", seeds, s.Safe...))
	}
	if best := s.ranked(); len(best) > 0 && !s.keeps(best[0], s.Safe...) {
		out = append(out, "Least harm: "+s.name(best[0])+" ("+s.Headline.Name+" "+s.Headline.Unit.Format(s.value(best[0], s.Headline))+").")
	}
	return out
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// region says in words where rules are kept.
func (s *Sweep) region(says, seeds string, rules ...SafeRule) string {
	var good []SweepPoint
	for _, p := range s.Points {
		if s.keeps(p, rules...) {
			good = append(good, p)
		}
	}
	head := capital(says) + " " + seeds + ": "
	switch {
	case len(good) == 0 && len(s.ranked()) == 0:
		return head + "nothing has run yet."
	case len(good) == 0:
		return head + "with none of the settings."
	case len(good) == len(s.Points):
		return head + "with every setting."
	case len(s.Axes) == 2 && !s.switches():
		return head + s.staircase(good) + "."
	}
	names := make([]string, 0, 6)
	for i, p := range good {
		if i == 6 {
			names = append(names, fmt.Sprintf("%d more", len(good)-6))
			break
		}
		names = append(names, s.name(p))
	}
	return head + strings.Join(names, "; ") + "."
}

// staircase tells a region of two axes: for each level of the second, how far one may go on the first.
func (s *Sweep) staircase(good []SweepPoint) string {
	first := shortKey(s.Axes[0].Name)
	var parts []string
	for j, level := range s.Axes[1].Levels {
		kept := make([]bool, len(s.Axes[0].Levels))
		n := 0
		for _, p := range good {
			if p.Levels[1] == j {
				kept[p.Levels[0]] = true
				n++
			}
		}
		with := " with " + shortKey(s.Axes[1].Name) + " " + level
		if n > 0 {
			parts = append(parts, rangeWords(first, s.Axes[0].Levels, kept, n)+with)
		}
	}
	return strings.Join(parts, "; ")
}

// rangeWords says which levels of an axis are kept: all, up to one, from one on, or a list.
func rangeWords(axis string, levels []string, kept []bool, n int) string {
	prefix, suffix := 0, 0
	for prefix < len(kept) && kept[prefix] {
		prefix++
	}
	for suffix < len(kept) && kept[len(kept)-1-suffix] {
		suffix++
	}
	switch {
	case n == len(kept):
		return "any " + axis
	case prefix == n:
		return axis + " up to " + levels[prefix-1]
	case suffix == n:
		return axis + " from " + levels[len(levels)-suffix] + " on"
	}
	var names []string
	for i, k := range kept {
		if k {
			names = append(names, levels[i])
		}
	}
	return axis + " " + strings.Join(names, ", ")
}

// SweepSummary is a sweep as JSON.
type SweepSummary struct {
	Schema   string              `json:"schema"` // "aftershock.sweepsummary/v1"
	Scenario string              `json:"scenario"`
	Axes     []SweepAxis         `json:"axes"`
	Seeds    []int64             `json:"seeds"`
	Points   []SweepPointSummary `json:"points"` // best first
	Front    [][]string          `json:"front"`
	Effects  []SweepEffect       `json:"effects"`
	Safe     []string            `json:"safe"`
}

// SweepPointSummary is one setting.
type SweepPointSummary struct {
	Levels  []string           `json:"levels"`
	Runs    int                `json:"runs"`
	Safe    bool               `json:"safe"`
	Met     int                `json:"met"`     // runs
	Broken  []Broken           `json:"broken"`  // what did not hold, on how many seeds
	Metrics map[string]float64 `json:"metrics"` // median over the seeds, counts of harm their worst
}

// SweepEffect is what one level of one axis changes in the headline metric.
type SweepEffect struct {
	Axis  string   `json:"axis"`
	Level string   `json:"level"`
	Mean  float64  `json:"mean"`
	Alone *float64 `json:"alone"`
}

// Summary is the sweep as JSON.
func (s *Sweep) Summary() SweepSummary {
	out := SweepSummary{Schema: "aftershock.sweepsummary/v1", Scenario: s.Scenario, Axes: s.Axes, Seeds: s.Seeds, Points: []SweepPointSummary{}, Front: [][]string{}, Effects: []SweepEffect{}, Safe: s.SafeWords()}
	for _, p := range s.ranked() {
		ps := SweepPointSummary{Levels: s.levelNames(p), Runs: len(p.Runs), Safe: s.keeps(p, s.Safe...), Met: met(p), Broken: append([]Broken{}, s.broke(p)...), Metrics: map[string]float64{}}
		for _, m := range Metrics() {
			if v := s.value(p, m); !math.IsNaN(v) {
				ps.Metrics[m.Name] = v
			}
		}
		out.Points = append(out.Points, ps)
	}
	for _, p := range s.front() {
		out.Front = append(out.Front, s.levelNames(p))
	}
	for _, e := range s.effects() {
		row := SweepEffect{Axis: e.Axis, Level: e.Level, Mean: e.Mean}
		if !math.IsNaN(e.Alone) {
			row.Alone = &e.Alone
		}
		out.Effects = append(out.Effects, row)
	}
	return out
}

func (s *Sweep) levelNames(p SweepPoint) []string {
	names := make([]string, len(p.Levels))
	for i, l := range p.Levels {
		names[i] = s.Axes[i].Levels[l]
	}
	return names
}
