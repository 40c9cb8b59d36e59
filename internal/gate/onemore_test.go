package gate

import (
	"slices"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// TestGateOneMoreIsFound: runs of a scenario against the same runs raise no alarm, and one more duplicate, of whichever seed,
// always does.
func TestGateOneMoreIsFound(t *testing.T) { oneMoreIsFound(t, "smoke", 20) }

func oneMoreIsFound(t *testing.T, name string, seeds int) {
	var dirs []string
	for seed := range seeds {
		s, err := open(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Seed = int64(seed + 1)
		dirs = append(dirs, kept(t, s))
	}
	base, err := reports.LoadBaseline(strings.Join(dirs, ","))
	if err != nil {
		t.Fatal(err)
	}
	if c := compared(t, base, base); c.ExitCode != reports.ExitMet || !c.Identical {
		t.Errorf("%d seeds against themselves: exit %d", seeds, c.ExitCode)
	}
	found := 0
	for i, dir := range dirs {
		if c := compared(t, base, spoilt(t, base, dir, i)); c.ExitCode == reports.ExitMissed && !c.Identical {
			found++
		} else {
			t.Errorf("one more duplicate with seed %d: exit %d\n%s", i+1, c.ExitCode, c.Text(false, false))
		}
	}
	t.Logf("%s: %d seeds against themselves: no alarm; one more duplicate: found in %d of %d", name, seeds, found, seeds)
}

// spoilt is a baseline in which one message of one run was delivered once more.
func spoilt(t *testing.T, base *reports.Baseline, dir string, i int) *reports.Baseline {
	t.Helper()
	r, err := reports.Open(dir)
	if err == nil {
		r, err = oneMore(dir, r)
	}
	if err != nil {
		t.Fatal(err)
	}
	one, err := reports.NewBaseline([]*reports.Report{r}, true)
	if err != nil {
		t.Fatal(err)
	}
	out := *base
	out.Digests = slices.Clone(base.Digests)
	out.Digests[i] = one.Digests[0]
	out.Metrics = map[string][]float64{}
	for name, v := range base.Metrics {
		out.Metrics[name] = slices.Clone(v)
		out.Metrics[name][i] = one.Metrics[name][0]
	}
	return &out
}

// oneMore is the report of a run in which one message was delivered once more.
func oneMore(dir string, r *reports.Report) (*reports.Report, error) {
	run, err := record.Load(dir)
	if err != nil {
		return nil, err
	}
	for i := range run.Messages {
		if m := &run.Messages[i]; m.Outcome == record.Delivered {
			m.Copies++
			m.Causes = append(m.Causes, "unknown")
			break
		}
	}
	run.Info.Files, run.Info.Seal, run.Info.Digest = nil, "", record.Digest(run.Messages)
	return reports.Build(run, r.Scenario)
}

func compared(t *testing.T, base, candidate *reports.Baseline) reports.Comparison {
	t.Helper()
	changes, err := reports.Compare(base, candidate)
	if err != nil {
		t.Fatal(err)
	}
	return reports.NewComparison(base, candidate, changes)
}
