package sut

import (
	"maps"
	"slices"
	"testing"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

// TestSwitchesLeadFromTheIncidentToHardened turns every switch: alone it gives a valid configuration, all together
// they give hardened, and no setting belongs to two of them.
func TestSwitchesLeadFromTheIncidentToHardened(t *testing.T) {
	from, to := preset(t, "incident"), preset(t, "hardened")
	all := map[string]any{}
	for _, s := range Switches() {
		turned := s.Between(from, to)
		one := map[string]any{}
		for k, v := range turned {
			if _, twice := all[k]; twice {
				t.Errorf("%s belongs to %s and to another switch", k, s.Name)
			}
			all[k], one[k] = v, v
		}
		if len(turned) == 0 {
			t.Errorf("%s changes nothing", s.Name)
		}
		tree, err := strict.Nest(one)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := overlay(from, tree); err != nil {
			t.Errorf("%s alone: %v\n%v", s.Name, err, turned)
		}
	}
	tree, err := strict.Nest(all)
	if err != nil {
		t.Fatal(err)
	}
	got, err := overlay(from, tree)
	if err != nil {
		t.Fatal(err)
	}
	is, want := got.Effective(), to.Effective()
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if k != "preset" && is[k] != want[k] {
			t.Errorf("%s is %s with every switch turned, and %s in hardened: it belongs to no switch", k, is[k], want[k])
		}
	}
}
