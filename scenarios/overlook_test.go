package scenarios_test

import (
	"testing"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// What a scenario's thresholds may overlook is theirs: a scenario that extends it with thresholds of its own begins anew.
func TestOverlookBelongsToTheThresholds(t *testing.T) {
	read := func(text string) *scenarios.Scenario {
		t.Helper()
		s, err := scenarios.Read("x.yaml", []byte("extends: june6\n"+text), scenarios.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	own := "thresholds: [{id: all, metric: messages.delivered, is: '> 0'}]\n"
	for text, want := range map[string]float64{"": 0.25, "seed: 3\n": 0.25, own: 0.001, own + "overlook: 2%\n": 0.02} {
		if got := read(text).Overlooks(); got != want {
			t.Errorf("%q overlooks %v, want %v", text, got, want)
		}
	}
	if !read(own).Replays() {
		t.Error("what a scenario is for is handed down")
	}
}
