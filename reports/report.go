package reports

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"

	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// Exit codes of a verdict; design.md lists them all.
const (
	ExitMet         = 0
	ExitBroken      = 1
	ExitInvalid     = 3
	ExitMissed      = 99
	ExitInterrupted = 130
)

// Report is a run with its numbers and its verdict: everything a document needs, computed from the record alone.
type Report struct {
	Info       record.Info
	Scenario   *scenarios.Scenario
	Thresholds []ThresholdResult
	Verdict    Verdict
	Words      Words    // what the verdict is called
	Reasons    []string // why the verdict is invalid, or would be if nothing had been missed
	ExitCode   int

	damage  []string // what contradicts itself in the record
	data    *Measured
	base    *Baseline
	changes []Change
	summary Summary
}

// Open builds the report of a run's folder, its scenario and, if the run had one, its baseline included.
func Open(dir string) (*Report, error) {
	run, err := record.Load(dir)
	if err != nil {
		return nil, err
	}
	sc, err := loadScenario(dir)
	if err != nil {
		return nil, err
	}
	return build(run, sc, inconsistent(run, sc))
}

func loadScenario(dir string) (*scenarios.Scenario, error) {
	b, err := record.LoadScenario(dir)
	if err != nil {
		return nil, err
	}
	return scenarios.Read(filepath.Join(dir, record.FileScenario), b, scenarios.Options{})
}

// Build computes the report of a run.
func Build(run *record.Run, sc *scenarios.Scenario) (*Report, error) { return build(run, sc, nil) }

// build is Build for a record of which some damage is known.
func build(run *record.Run, sc *scenarios.Scenario, damage []string) (*Report, error) {
	d, err := measure(run, sc)
	if err != nil {
		return nil, err
	}
	base, err := storedBaseline(run.Dir)
	if err != nil {
		return nil, err
	}
	r := &Report{Info: d.run.Info, Scenario: sc, Words: WordsFor(sc), data: d, base: base, damage: damage}
	r.conclude()
	return r, nil
}

// conclude computes everything that depends on thresholds and baseline.
func (r *Report) conclude() {
	r.summary = r.data.summary()
	r.Thresholds = r.data.judgeAll(r.base)
	r.changes, r.Reasons = nil, nil
	if r.base != nil && !r.base.Joint {
		mine, err := NewBaseline([]*Report{r}, true)
		if err == nil {
			r.changes, err = Compare(r.base, mine)
		}
		if few := TooFew(r.changes); err == nil && few != "" {
			r.Reasons = append(r.Reasons, "against the baseline: "+few)
		}
		if err != nil {
			r.Reasons = append(r.Reasons, err.Error())
		}
	}
	r.judge()
	r.finishSummary()
}

// JSON prints summary.json.
func (r *Report) JSON(w io.Writer) error {
	b, err := r.summary.JSON()
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// Summary returns what summary.json holds.
func (r *Report) Summary() Summary { return r.summary }

// judge comes to the verdict of the run: invalid when the run cannot be trusted, missed when a threshold or the
// baseline was missed, invalid when something could not be judged or was not looked at, met otherwise.
func (r *Report) judge() {
	r.Reasons = append(r.Reasons, r.untrusted()...)
	missed := len(Failed(r.changes))
	var noData []string
	for _, t := range r.Thresholds {
		switch {
		case t.Warn():
		case t.Verdict == Missed:
			missed++
		case t.Verdict == Invalid:
			noData = append(noData, fmt.Sprintf("%s: %s", t.ID, t.Reason))
		}
	}
	noData = append(noData, r.unjudged()...)
	switch {
	case len(r.Reasons) > 0:
		r.Verdict = Invalid
	case missed > 0:
		r.Verdict = Missed
	case len(noData) > 0:
		r.Verdict = Invalid
	default:
		r.Verdict = Met
	}
	r.Reasons = append(r.Reasons, noData...)
	r.ExitCode = map[Verdict]int{Met: ExitMet, Missed: ExitMissed, Invalid: ExitInvalid}[r.Verdict]
	switch r.Info.State {
	case record.Interrupted:
		r.ExitCode = ExitInterrupted
	case record.Broken:
		r.ExitCode = ExitBroken
	}
}

// untrusted lists why nothing that was measured can be believed.
func (r *Report) untrusted() []string {
	out := append(slices.Clone(r.damage), r.Info.Harness.Invalid...)
	if why := r.unbound(); why != "" {
		out = append(out, why)
	}
	switch r.Info.State {
	case record.Running:
		why := "the run was cut off: its record has no end"
		if cutOff(r.data.run) {
			why += ", and what became of its messages had not been written"
		}
		out = append(out, why)
	case record.Interrupted:
		out = append(out, "the run was interrupted")
	case record.Broken:
		out = append(out, "the run failed: "+r.Info.Error)
	case record.Finished:
	default:
		out = append(out, fmt.Sprintf("the run's state is %q, which no run ends in", r.Info.State))
	}
	if r.summary.Messages.Offered == 0 {
		out = append(out, "no message was offered")
	}
	if n := r.summary.Messages.Residue; n != 0 {
		out = append(out, fmt.Sprintf("%d messages have no outcome", n))
	}
	return out
}

// inconsistent lists what contradicts itself in a finished record of a version that kept no sums of its files: it has a
// digest of its messages, a hash of its scenario, and a last event.
func inconsistent(run *record.Run, sc *scenarios.Scenario) (out []string) {
	if run.Info.State != record.Finished || run.Info.Files != nil {
		return nil
	}
	if want := run.Info.Digest; want != "" && want != record.Digest(run.Messages) {
		out = append(out, "the record was damaged: "+record.FileMessages+" does not hold the messages whose digest "+record.FileInfo+" has")
	}
	if want := run.Info.Scenario.SHA256; want != "" && want != sc.SHA256() {
		out = append(out, "the record was damaged: "+record.FileScenario+" is not the scenario that was run")
	}
	if n := len(run.Events); n == 0 || run.Events[n-1].Kind != "end" {
		out = append(out, "the record was damaged: "+record.FileEvents+" does not end with the run")
	}
	return out
}

func (r *Report) finishSummary() {
	s := &r.summary
	s.Verdict, s.ExitCode = r.Verdict, r.ExitCode
	for _, t := range r.Thresholds {
		row := SummaryThreshold{ID: t.ID, Says: t.Says, Metric: t.Metric, During: t.During, Op: t.Criterion.Op, Limit: t.Criterion.Text, Observed: t.Observed, Verdict: t.Verdict}
		if t.First >= 0 {
			v := rounded(t.First.Seconds())
			row.FirstS = &v
		}
		if t.Warn() {
			row.Level = "warn"
		}
		s.Thresholds = append(s.Thresholds, row)
	}
	if r.base != nil && !r.base.Joint {
		s.Baseline = &SummaryBaseline{Runs: len(r.base.Seeds), Compared: len(r.changes), Worse: []string{}}
		for _, c := range Failed(r.changes) {
			s.Baseline.Worse = append(s.Baseline.Worse, c.Sentence())
		}
	}
	if words := r.retriedWords(); words != "" {
		s.Harness.Warnings = append(s.Harness.Warnings, words)
	}
	s.Harness.Warnings = append(s.Harness.Warnings, r.Reasons...)
}

// Value returns a metric over the whole run, and whether there is one.
func (r *Report) Value(name string) (float64, bool) {
	m, err := Metric(name)
	if err != nil {
		return math.NaN(), false
	}
	return m.value(r.data, r.data.whole())
}
