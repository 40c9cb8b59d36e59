package local_test

import (
	"context"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/harness/virtual"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// A change of the sender and of the fake is all or none, whichever of the two refuses it.
func TestSettingsAreAllOrNone(t *testing.T) {
	s := open(t, "smoke", scenarios.Options{})
	good := map[string]any{"sender.drafts.rate_limit": "300/min", "whatsapp.latency": "301ms"}
	virtual.Run(s.Start, func() {
		for name, bad := range map[string]map[string]any{
			"nonsense": {"whatsapp.latency": "nonsense"}, "nothing/min": {"sender.drafts.rate_limit": "nothing/min"}, "only sender.…": {"load.rate": 3},
		} {
			sys, err := local.Build(context.Background(), local.Options{Scenario: s, Dir: filepath.Join(t.TempDir(), "run"), Clock: "virtual", Queue: "memory"})
			if err != nil {
				t.Error(err)
				return
			}
			values := maps.Clone(good)
			maps.Copy(values, bad)
			if err := sys.Settings.Set(context.Background(), values); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
			for key := range bad {
				delete(values, key)
			}
			// What is left of it can still be changed, so it was not; a second time it is the value in force.
			if err := sys.Settings.Set(context.Background(), good); err != nil {
				t.Errorf("%s: afterwards %v", name, err)
			}
			for key, value := range good {
				if err := sys.Settings.Set(context.Background(), map[string]any{key: value}); err == nil {
					t.Errorf("%s: %s was not changed", name, key)
				}
			}
			if err := sys.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// A run in this process is not called by another name.
func TestEnvironmentNeedsElsewhere(t *testing.T) {
	_, err := local.Replay(context.Background(), local.Options{Scenario: open(t, "smoke", scenarios.Options{}), Dir: t.TempDir(), Environment: "external"})
	if err == nil || !strings.Contains(err.Error(), "Elsewhere") {
		t.Errorf("%v", err)
	}
}
