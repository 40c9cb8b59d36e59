package local_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

func open(t testing.TB, name string, o scenarios.Options) *scenarios.Scenario {
	t.Helper()
	o.Blocks = local.Blocks()
	s, err := scenarios.Open(name, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// replay runs a scenario and returns its record, which has to be one that can be believed.
func replay(t testing.TB, o local.Options) *record.Run {
	t.Helper()
	run := tried(t, o)
	if why := run.Info.Harness.Invalid; len(why) > 0 {
		t.Errorf("the run is invalid: %v", why)
	}
	return run
}

// tried is replay for a run that need not be one.
func tried(t testing.TB, o local.Options) *record.Run {
	t.Helper()
	o.Dir = filepath.Join(t.TempDir(), "run")
	o.Info.Scenario.Name, o.Info.Scenario.Seed = o.Scenario.Name, o.Scenario.Seed
	if _, err := local.Replay(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	run, err := record.Load(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func outcomes(run *record.Run) map[record.Outcome]int {
	n := map[record.Outcome]int{}
	for _, m := range run.Messages {
		n[m.Outcome]++
	}
	return n
}

func TestSmoke(t *testing.T) {
	run := replay(t, local.Options{Scenario: open(t, "smoke", scenarios.Options{})})
	n := outcomes(run)
	if len(run.Messages) == 0 || n[record.Delivered] != len(run.Messages) {
		t.Errorf("of %d messages: %v", len(run.Messages), n)
	}
}
