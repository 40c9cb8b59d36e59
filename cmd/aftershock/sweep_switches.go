package main

import (
	"maps"

	"github.com/aftershock-dev/aftershock/harness/sweep"
	"github.com/aftershock-dev/aftershock/sut"
)

// switchAxis is an axis on which each policy of the sender is turned alone from incident to hardened, and at its end all
// of them.
func switchAxis() (sweep.Axis, error) {
	from, err := sut.Preset("incident")
	if err != nil {
		return sweep.Axis{}, err
	}
	to, err := sut.Preset("hardened")
	if err != nil {
		return sweep.Axis{}, err
	}
	a := sweep.Axis{Name: "policy", Levels: []sweep.Level{{Name: "none"}}}
	all := map[string]string{}
	for _, s := range sut.Switches() {
		set := map[string]string{}
		for k, v := range s.Between(from, to) {
			set["sender."+k] = v
		}
		maps.Copy(all, set)
		a.Levels = append(a.Levels, sweep.Level{Name: s.Name, Set: set})
	}
	a.Levels = append(a.Levels, sweep.Level{Name: "all", Set: all})
	return a, nil
}
