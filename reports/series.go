package reports

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Series is several runs of one scenario, and what they came to together.
type Series struct {
	Schema   string      `json:"schema"` // "aftershock.series/v1"
	Scenario string      `json:"scenario"`
	Purpose  string      `json:"purpose"`
	Folder   string      `json:"folder"`
	Verdict  Verdict     `json:"verdict"`
	ExitCode int         `json:"exit_code"`
	Asked    int         `json:"asked"` // runs; fewer were made when the series was interrupted
	Runs     []SeriesRun `json:"runs"`
	Baseline *Comparison `json:"baseline,omitempty"` // all of them against it
	Words    Words       `json:"-"`
}

// SeriesRun is what a series keeps of one run; the rest is in the run's folder.
type SeriesRun struct {
	Folder     string            `json:"folder"`
	Seed       int64             `json:"seed"`
	Verdict    Verdict           `json:"verdict"`
	ExitCode   int               `json:"exit_code"`
	Why        []string          `json:"why"` // it is not met
	Retried    int               `json:"retried,omitempty"`
	Messages   SummaryMessages   `json:"messages"`
	Duplicates SummaryDuplicates `json:"duplicates"`
	Delivery   SummaryTimes      `json:"delivery_time_ms"`
}

// NewSeries begins a series.
func NewSeries(folder string, asked int) *Series {
	return &Series{Schema: "aftershock.series/v1", Folder: folder, Asked: asked, Verdict: Invalid, ExitCode: ExitInvalid, Runs: []SeriesRun{}}
}

// Add takes in a run that has ended. The first one says what the series is of.
func (s *Series) Add(r *Report, folder string) SeriesRun {
	run := SeriesRun{Folder: folder, Seed: r.Info.Scenario.Seed, Verdict: r.Verdict, ExitCode: r.ExitCode, Why: r.why(), Retried: len(r.Info.Retried),
		Messages: r.summary.Messages, Duplicates: r.summary.Duplicates, Delivery: r.summary.Delivery}
	if len(s.Runs) == 0 {
		s.Scenario, s.Words, s.Purpose = r.Info.Scenario.Name, r.Words, purpose(r.Scenario)
	}
	s.Runs = append(s.Runs, run)
	s.conclude()
	return run
}

// why says what keeps a run from being met: the thresholds that were missed, or why it is invalid.
func (r *Report) why() []string {
	out := []string{}
	if r.Verdict == Invalid {
		return append(out, r.Reasons...)
	}
	for _, t := range r.Thresholds {
		if t.Verdict == Missed && !t.Warn() {
			out = append(out, fmt.Sprintf("%s: %s", t.ID, t.Observed))
		}
	}
	for _, c := range Failed(r.changes) {
		out = append(out, c.Sentence())
	}
	return out
}

// Against compares all runs with a baseline, together.
func (s *Series) Against(base *Baseline) error {
	mine, err := LoadBaseline(s.Folder)
	if err != nil {
		return err
	}
	if base, err = base.only(distinct(mine.Seeds)); err != nil {
		return &IncomparableError{err}
	}
	changes, err := Compare(base, mine)
	if err != nil {
		return err
	}
	c := NewComparison(base, mine, changes)
	s.Baseline = &c
	s.conclude()
	return nil
}

// Believable reports whether every run can be believed, so that they can be compared.
func (s *Series) Believable() bool {
	return !slices.ContainsFunc(s.Runs, func(r SeriesRun) bool { return r.Verdict == Invalid })
}

// conclude comes to the verdict of all: missed when one run was, or when they are worse than the baseline; else invalid when
// one run was, when there are fewer than asked for, or when they are too few to tell; else met.
func (s *Series) conclude() {
	missed, invalid := false, len(s.Runs) < s.Asked
	for _, r := range s.Runs {
		missed, invalid = missed || r.Verdict == Missed, invalid || r.Verdict == Invalid
	}
	if s.Baseline != nil {
		missed, invalid = missed || s.Baseline.Worse > 0, invalid || TooFew(s.Baseline.changes) != ""
	}
	switch {
	case missed:
		s.Verdict, s.ExitCode = Missed, ExitMissed
	case invalid:
		s.Verdict, s.ExitCode = Invalid, ExitInvalid
	default:
		s.Verdict, s.ExitCode = Met, ExitMet
	}
}

// Line is one run in a line.
func (s *Series) Line(i int) string {
	r := s.Runs[i]
	text := fmt.Sprintf("%*d/%d  %-*s  seed %d  %s of %s delivered, %s, p99 %s", len(fmt.Sprint(s.Asked)), i+1, s.Asked, len(s.Words.Of(Invalid)),
		s.Words.Upper(r.Verdict), r.Seed, grouped(int64(r.Messages.Delivered)), grouped(int64(r.Messages.Offered)), copiesWords(r.Duplicates.Copies), FormatSeconds(r.Delivery.P99.Seconds()))
	if r.Retried > 0 {
		text += fmt.Sprintf("; %s made invalid by the machine before it", plural(r.Retried, "attempt"))
	}
	if len(r.Why) > 0 {
		text += "; " + strings.Join(r.Why, "; ")
	}
	return text
}

func copiesWords(n int) string {
	if n == 1 {
		return "1 copy too many"
	}
	return grouped(int64(n)) + " copies too many"
}

// sentence says what the runs came to, the verdict of all apart.
func (s *Series) sentence() string {
	count := map[Verdict]int{}
	for _, r := range s.Runs {
		count[r.Verdict]++
	}
	var parts []string
	for _, v := range []Verdict{Missed, Invalid, Met} {
		if n := count[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s.Words.Of(v)))
		}
	}
	text := fmt.Sprintf("%s: %s, %s", s.Scenario, plural(len(s.Runs), "run"), strings.Join(parts, ", "))
	if n := s.Asked - len(s.Runs); n > 0 {
		text += fmt.Sprintf("; %d of %d were not made", n, s.Asked)
	}
	if s.Baseline != nil {
		text += ". Against the baseline: " + s.Baseline.sentence()
		return text
	}
	return text + "."
}

// Text prints the verdict of all and, after a comparison, what moved. Lines of the runs are printed as they end.
func (s *Series) Text() string {
	var b strings.Builder
	b.WriteString(s.Words.Upper(s.Verdict) + "  ")
	for i, l := range wrap(s.sentence(), textWidth-12) {
		if i > 0 {
			l = "  " + l
		}
		b.WriteString(l + "\n")
	}
	if s.Baseline != nil {
		b.WriteString("\n" + s.Baseline.Text(false, false))
	}
	fmt.Fprintf(&b, "\n  files  %s: a folder for each run\n", s.Folder)
	return b.String()
}

// Markdown prints the series for a step summary.
func (s *Series) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s %s: %s\n\n", s.Words.icon(s.Verdict), s.Words.Upper(s.Verdict), markdownText(s.sentence()))
	t := table{Head: []string{"run", "seed", "", "delivered", "copies", "p50", "p99", "why"}}
	for _, r := range s.Runs {
		t.Rows = append(t.Rows, []string{filepath.Base(r.Folder), fmt.Sprint(r.Seed), s.Words.Of(r.Verdict), fmt.Sprintf("%d of %d", r.Messages.Delivered, r.Messages.Offered),
			fmt.Sprint(r.Duplicates.Copies), FormatSeconds(r.Delivery.P50.Seconds()), FormatSeconds(r.Delivery.P99.Seconds()), strings.Join(r.Why, "; ")})
	}
	b.WriteString(t.markdown())
	if s.Baseline != nil {
		b.WriteString("\n" + s.Baseline.Text(true, false))
	}
	return b.String()
}

// Beside judges the run's relative thresholds by a baseline, and leaves the comparison to the series that the run is of.
func (r *Report) Beside(b *Baseline) error {
	own, err := b.only([]int64{r.Info.Scenario.Seed})
	if err != nil {
		return &IncomparableError{err}
	}
	own.Joint = true
	if err := r.keep(own); err != nil {
		return err
	}
	r.base = own
	r.conclude()
	return nil
}
