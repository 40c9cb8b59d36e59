package hunt_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/harness/hunt"
	"github.com/aftershock-dev/aftershock/scenarios"
)

func reference(t testing.TB) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Read("reference.yaml", []byte(hunt.Reference), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFewSeeds: the sender as it is keeps every promise.
func TestFewSeeds(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	most := int64(40)
	if n, err := strconv.Atoi(os.Getenv("HUNT_SEEDS")); err == nil {
		most = int64(n)
	}
	trial := &hunt.Trial{Dir: t.TempDir()}
	var cover hunt.Cover
	h := &hunt.Hunt{Base: reference(t), Ours: true, Try: trial.Run, Most: 5, Budget: 60,
		Tried: func(seed int64, e hunt.Evidence) {
			cover.Add(e)
			if len(e.Invalid) > 0 {
				t.Logf("seed %d is invalid: %v", seed, e.Invalid)
			}
		}}
	found, err := h.Run(context.Background(), hunt.Range(1, most))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Errorf("seed %d: %s\n%s", f.Seed, f.Broken.Says, f.Scenario.YAML())
	}
	var b strings.Builder
	if err := cover.Text(&b, true); err != nil {
		t.Error(err)
	}
	t.Log("\n" + b.String())
	if why := cover.Nothing(); why != "" {
		t.Error(why)
	}
}

// TestALoadWithoutMessagesBreaksNothing: by chance the load of this seed has no message, and nothing can be said of it.
func TestALoadWithoutMessagesBreaksNothing(t *testing.T) {
	s, err := hunt.Draw(reference(t), 2204, true).Build(hunt.Promises(true))
	if err != nil {
		t.Fatal(err)
	}
	e, err := (&hunt.Trial{Dir: t.TempDir()}).Run(context.Background(), s)
	if err != nil || len(e.Broken) > 0 || len(e.Invalid) != 1 {
		t.Errorf("%+v, %v", e, err)
	}
}
