package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/harness/sweep"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// theirFlags are how a sweep runs a sender of one's own: it is started anew for each setting, on the wall's clock.
type theirFlags struct {
	compress float64
	place    placeFlags
}

func (t *theirFlags) register(fl *pflag.FlagSet) {
	fl.Float64Var(&t.compress, "compress", 1, "with a sender of your own (target.command): divide every duration and multiply every rate by this")
	fl.StringVar(&t.place.faketime, "libfaketime", "", "with --compress: the library that squeezes the sender's time")
}

// suits refuses a target that a sweep cannot start, and has runs follow one another: side by side they would take the
// machine from each other.
func (t *theirFlags) suits(s *scenarios.Scenario, fl *pflag.FlagSet, jobs *int) error {
	switch {
	case !(t.compress >= 1 && t.compress <= maxFactor):
		return fmt.Errorf("--compress %g: it divides durations, so it is between 1 and %g", t.compress, maxFactor)
	case s.Target == nil && (t.compress > 1 || t.place.faketime != ""):
		return errors.New("--compress is for a sender of your own: the reference sender's sweeps run in virtual time")
	case s.Target == nil:
		return nil
	case s.Target.Image != "":
		return errors.New("a sweep replays the reference sender, or one that target.command starts anew for each setting: this one is an image\nhint: run it with each setting, --env containers --set target.environment.NAME=…, and compare")
	case !s.Target.Program():
		return errors.New("a sweep replays the reference sender, or one that target.command starts anew for each setting: this one runs already\nhint: add target.command, which says how to start it")
	}
	t.place.env = "processes"
	if !fl.Changed("jobs") {
		*jobs = 1
	}
	if *jobs > 1 && (s.Target.Listens() > 0 || !s.Target.AsksForFake()) {
		return errors.New("--jobs: senders side by side need ports of their own: write target.url as a path, and have the command take {{.Port}} (or PORT) and {{.FakeWA}}")
	}
	return nil
}

// mark tells results on one clock from those on another.
func (t *theirFlags) mark() string {
	if t.place.env == "" {
		return ""
	}
	return fmt.Sprintf("/%s/x%g", t.place.env, t.compress)
}

// options runs a sender of one's own where it has to run.
func (t *theirFlags) options(o local.Options) local.Options {
	if o.Scenario.Target == nil {
		return o
	}
	f := runFlags{placeFlags: t.place, compress: t.compress, queue: o.Queue}
	f.fake = fakeListens
	o.Clock, o.Environment, o.Compress = "wall", t.place.env, t.compress
	o.Elsewhere = f.elsewhere(o)
	return o
}

// newNames tells of variables that a sweep gives to a sender whose scenario has none of that name: it may not know them.
func newNames(s *scenarios.Scenario, axes []sweep.Axis) (out []string) {
	if s.Target == nil {
		return nil
	}
	for _, a := range axes {
		for _, key := range strings.Split(a.Name, "+") {
			name, ok := strings.CutPrefix(key, "target.environment.")
			if _, there := s.Target.Environment[name]; ok && !there {
				out = append(out, key+" is not in the scenario: it is added to the sender's environment")
			}
		}
	}
	return out
}
