//go:build !race

// Whole days of virtual time: with the race detector they would take an hour. make golden runs them.

package gate

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aftershock-dev/aftershock/internal/golden"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// TestCatalog: every scenario of the catalog, and every variant of it that is not a day long, comes to the same verdict
// and the same fate of every message as it did. A change that moves a digest says so by this file:
// go test ./internal/gate -run Catalog -update accepts it.
func TestCatalog(t *testing.T) {
	lines := make([]string, len(scenarios.Names()))
	var mu sync.Mutex
	t.Run("runs", func(t *testing.T) {
		for i, name := range scenarios.Names() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s, err := open(name, nil)
				if err != nil {
					t.Fatal(err)
				}
				r := replay(t, s)
				var missed []string
				for _, th := range r.Thresholds {
					if th.Verdict != "met" {
						missed = append(missed, th.ID+" "+string(th.Verdict))
					}
				}
				mu.Lock()
				defer mu.Unlock()
				lines[i] = strings.TrimSpace(fmt.Sprintf("%-14s %-8s %s %s", name, r.Verdict, r.Info.Digest, strings.Join(missed, ", ")))
			})
		}
	})
	if slices.Contains(lines, "") {
		t.Fatal("not every scenario was run")
	}
	golden.Check(t, "testdata/catalog.golden", []byte(strings.Join(lines, "\n")+"\n"))
}

// TestRecoveryWaitsForTheBacklog: june6 is not healthy while what is due waits for what was due before.
func TestRecoveryWaitsForTheBacklog(t *testing.T) {
	s, err := open("june6", nil)
	if err != nil {
		t.Fatal(err)
	}
	rec := replay(t, s).Summary().Recovery
	if rec.RecoveredS == nil || rec.DrainedS == nil || *rec.RecoveredS < *rec.DrainedS-600 {
		t.Errorf("%+v", rec)
	}
}
