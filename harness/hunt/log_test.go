package hunt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// TestLogGoesOn: seeds that end out of turn count once those before them have ended, whenever the hunt is stopped.
func TestLogGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hunt")
	begin := Plan{Scenario: "reference", SHA256: "a", Tool: "v1", From: 5}
	l, err := OpenLog(dir, begin)
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range []int64{6, 5, 8, 9} {
		l.Tried(seed, Evidence{Offered: 10, Struck: []string{"kill"}})
	}
	if _, err := l.Keep(Finding{Seed: 6, Broken: Broken{"once", "twice"}, Scenario: &scenarios.Scenario{Name: "hunt-6-once"}, Steps: 2, Drawn: 4}); err != nil {
		t.Fatal(err)
	}
	if l, err = OpenLog(dir, begin); err != nil {
		t.Fatal(err)
	}
	if l.Next != 7 || l.Cover.Seeds != 2 || l.Cover.Messages != 20 || len(l.Found) != 1 || l.Found[0].File != "hunt-6-once.yaml" {
		t.Errorf("%+v", l)
	}
	l.Tried(7, Evidence{})
	if l.Next != 8 {
		t.Errorf("seeds 8 and 9 counted before they were kept: next is %d", l.Next)
	}
	for what, other := range map[string]Plan{
		"scenario": {Scenario: "x", SHA256: "a", Tool: "v1", From: 5}, "scenario as it is now": {Scenario: "reference", SHA256: "b", Tool: "v1", From: 5},
		"version": {Scenario: "reference", SHA256: "a", Tool: "v2", From: 5}, "first seed": {Scenario: "reference", SHA256: "a", Tool: "v1", From: 6},
	} {
		if _, err := OpenLog(dir, other); err == nil || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "--out") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, text := range []string{"", "{}", `{"schema":"aftershock.hunt/v1","scenario":"reference","sha256":"a","tool":"v1","from":5,"next":-3}`} {
		if err := os.WriteFile(filepath.Join(dir, FileLog), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenLog(dir, begin); err == nil {
			t.Errorf("%q was taken for a log", text)
		}
	}
}
