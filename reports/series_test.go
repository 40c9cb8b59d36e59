package reports

import (
	"slices"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/reports/internal/synth"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// Only what the machine alone made invalid may be run again: never what was missed, nor what its sender or its scenario made
// invalid.
func TestHinderedByTheMachineAlone(t *testing.T) {
	good := shared(t, healthy)
	const late = "hits started late: p99 4s is over the budget of 100ms"
	for _, c := range []struct {
		name   string
		change func(*record.Run)
		want   bool
	}{
		{"a run that was met", func(*record.Run) {}, false},
		{"late hits", func(r *record.Run) { r.Info.Harness.Invalid, r.Info.Harness.Machine = []string{late}, []string{late} }, true},
		{"late hits, and a message lost", func(r *record.Run) {
			r.Info.Harness.Invalid, r.Info.Harness.Machine = []string{late}, []string{late}
			r.Messages[3].Outcome = record.Lost
		}, true},
		{"a message lost", func(r *record.Run) { r.Messages[3].Outcome = record.Lost }, false},
		{"a sender that took nothing", func(r *record.Run) { r.Info.Harness.Invalid = []string{"the sender took none"} }, false},
		{"late hits, and a sender that took nothing", func(r *record.Run) {
			r.Info.Harness.Invalid, r.Info.Harness.Machine = []string{late, "the sender took none"}, []string{late}
		}, false},
		{"a run that was interrupted", func(r *record.Run) {
			r.Info.Harness.Invalid, r.Info.Harness.Machine, r.Info.State = []string{late}, []string{late}, record.Interrupted
		}, false},
	} {
		run, err := record.Load(good.data.run.Dir)
		if err != nil {
			t.Fatal(err)
		}
		run.Messages = slices.Clone(run.Messages)
		c.change(run)
		run.Info.Files, run.Info.Seal = nil, ""
		run.Info.Digest = record.Digest(run.Messages)
		r, err := Build(run, good.Scenario)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(r.Hindered()) > 0; got != c.want {
			t.Errorf("%s: run again %v (%s: %v)", c.name, got, r.Verdict, r.Reasons)
		}
	}
}

// An earlier attempt is told wherever people read.
func TestEarlierAttemptsAreTold(t *testing.T) {
	run, err := record.Load(shared(t, healthy).data.run.Dir)
	if err != nil {
		t.Fatal(err)
	}
	run.Info.Retried = []record.Retried{{Folder: "x-invalid-1", Why: []string{"the machine was full"}}}
	r, err := Build(run, shared(t, healthy).Scenario)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.Text(&text, false); err != nil {
		t.Fatal(err)
	}
	for where, got := range map[string]string{"text": text.String(), "markdown": string(r.markdown()), "summary": strings.Join(r.summary.Harness.Warnings, " ")} {
		if !strings.Contains(got, "x-invalid-1") {
			t.Errorf("the %s does not say that the run was made again", where)
		}
	}
}

// The verdict of several runs is that of the worst: a missed one is bad news whatever the others are.
func TestSeriesIsAsGoodAsItsWorstRun(t *testing.T) {
	for _, c := range []struct {
		runs  []Verdict
		asked int
		want  Verdict
	}{
		{[]Verdict{Met, Met}, 2, Met},
		{[]Verdict{Met, Missed}, 2, Missed},
		{[]Verdict{Met, Invalid}, 2, Invalid},
		{[]Verdict{Invalid, Missed, Met}, 3, Missed},
		{[]Verdict{Met, Met}, 3, Invalid}, // interrupted
	} {
		s := NewSeries("x", c.asked)
		for _, v := range c.runs {
			s.Runs = append(s.Runs, SeriesRun{Verdict: v})
		}
		s.conclude()
		if s.Verdict != c.want {
			t.Errorf("%v of %d: %s", c.runs, c.asked, s.Verdict)
		}
	}
}

// A threshold relative to a baseline has a value in the run that the first baseline is made of.
func TestTheFirstBaselineKnowsRelativeThresholds(t *testing.T) {
	r := built(t, synth.Options{Seed: 5, Scale: 0.03, Healthy: true})
	r.Scenario.Thresholds[len(r.Scenario.Thresholds)-1].Is = "<= +10%"
	last := r.Scenario.Thresholds[len(r.Scenario.Thresholds)-1]
	r.conclude()
	if r.Verdict != Invalid || !r.LacksBaseline() {
		t.Fatalf("%s, %v", r.Verdict, r.Reasons)
	}
	b, err := NewBaseline([]*Report{r}, false)
	if err != nil {
		t.Fatal(err)
	}
	if v := b.Thresholds[last.ID]; len(v) != 1 || v[0] <= 0 {
		t.Errorf("%s: %v", last.ID, v)
	}
	if err := r.Against(b); err != nil || r.Verdict != Met {
		t.Errorf("against itself: %s, %v, %v", r.Verdict, r.Reasons, err)
	}
}
