package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/aftershock-dev/aftershock/harness/docker"
	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/harness/local/proc"
	"github.com/aftershock-dev/aftershock/harness/remote"
	"github.com/aftershock-dev/aftershock/internal/offlimits"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// fakeToken is the environment variable with the token of a fake's control doors.
const fakeToken = "AFTERSHOCK_FAKE_TOKEN"

// fakeListens is where the fake for a sender that is not ours listens, unless it is told otherwise.
const fakeListens = "127.0.0.1:8080"

// placeFlags are the flags of run that say where the system runs.
type placeFlags struct {
	env, target, fake, image string
	faketime                 string
	fakeChosen               bool
}

func (p *placeFlags) register(fl *pflag.FlagSet) {
	fl.StringVar(&p.env, "env", "embedded", "where the system runs: embedded, processes, containers or external (a sender of your own that runs already)")
	fl.StringVar(&p.target, "target", "", "URL of the sender to test, with --env external (default: the scenario's target.url)")
	fl.StringVar(&p.fake, "fake", fakeListens, "with --env external: where the fake listens, or the URL of the control doors of one that runs already ("+fakeToken+")")
	fl.StringVar(&p.faketime, "libfaketime", "", "with --compress and a target: the library that squeezes its time (default: where Debian's package faketime has it)")
	fl.StringVar(&p.image, "image", "", "with --env containers: an image that holds aftershock, instead of one made from this program")
}

// check refuses flags that do not go together.
func (p *placeFlags) check(f *pflag.FlagSet) error {
	switch {
	case p.target != "" && p.env != "external":
		return errors.New("--target is for a sender that runs already: add --env external")
	case p.fakeChosen && p.env != "external" && p.env != "processes":
		return errors.New("--fake goes with --env external; elsewhere the fake's address is chosen")
	case p.image != "" && p.env != "containers":
		return errors.New("--image goes with --env containers")
	case p.faketime != "" && f.Lookup("compress").Value.String() == "1":
		return errors.New("--libfaketime goes with --compress")
	case p.target != "":
		if err := doorError(p.target); err != nil {
			return fmt.Errorf("--target: %w", err)
		}
	}
	if strings.Contains(p.fake, "://") {
		if err := doorError(p.fake); err != nil {
			return fmt.Errorf("--fake: %w", err)
		}
		return nil
	}
	if _, _, err := net.SplitHostPort(p.fake); err != nil {
		return fmt.Errorf("--fake %q: write HOST:PORT, such as 127.0.0.1:8088, or the URL of one that runs already", p.fake)
	}
	return nil
}

// doorError refuses what is not the URL of a sender's door, and what is Meta's.
func doorError(text string) error {
	problem, hint := scenarios.CheckDoor(text)
	if err := offlimits.Check(context.Background(), scenarios.MeantDoor(text)); errors.Is(err, offlimits.ErrMeta) {
		return err
	}
	if problem != "" {
		return fmt.Errorf("%s\nhint: %s", problem, hint)
	}
	return nil
}

// settle chooses the environment of a scenario whose target is a program, where no flag has: it runs here.
func (p *placeFlags) settle(s *scenarios.Scenario, f *pflag.FlagSet) {
	p.fakeChosen = f.Changed("fake")
	if s.Target.Program() && !f.Changed("env") && p.target == "" {
		p.env = "processes"
	}
}

// suits refuses a scenario whose sender is not to be found in this environment.
func (p *placeFlags) suits(s *scenarios.Scenario) error {
	t := s.Target
	switch {
	case t == nil && p.fakeChosen && p.env != "external":
		return errors.New("--fake goes with --env external; elsewhere the fake's address is chosen")
	case t == nil && p.env == "external" && p.target == "":
		return errors.New("--env external needs a sender: a target: block in the scenario (docs/your-sender.md), or --target URL for one with the reference sender's doors")
	case t == nil:
		return nil
	case t.Program() && p.env == "containers":
		return errors.New("target.command is a program of this machine: leave --env out; containers need target.image")
	case t.Program() && p.env == "embedded":
		return errors.New("target.command is a program with a clock of its own: leave --env out")
	case t.Program() && p.target == "":
	case p.env != "external" && p.env != "containers":
		return errors.New("the scenario's target is a sender of your own: add --env external when it runs already, target.command to have it started, or --env containers when target.image names its image")
	case p.env == "containers" && t.Image == "":
		return errors.New("--env containers starts the target from its image, and target.image is missing; --env external tests a sender that runs already")
	case p.env == "external" && p.target == "" && strings.HasPrefix(t.URL, "/"):
		return fmt.Errorf("target.url is a path, %s: add --target http://HOST:PORT", t.URL)
	}
	for key, door := range map[string]string{"url": t.URL, "webhook": t.Webhook} {
		if strings.HasPrefix(door, "http") && !strings.Contains(door, "{{") {
			if err := doorError(door); err != nil {
				return fmt.Errorf("target.%s: %w", key, err)
			}
		}
	}
	return nil
}

// outside is the sender that is not ours.
func (p *placeFlags) outside(s *scenarios.Scenario) remote.Outside {
	o := remote.Outside{URL: p.target, Faketime: p.faketime}
	if strings.Contains(p.fake, "://") {
		o.FakeURL, o.FakeToken = p.fake, os.Getenv(fakeToken)
	} else {
		o.FakeListen = p.fake
	}
	if s.Target.Program() && p.target == "" && !p.fakeChosen && s.Target.AsksForFake() {
		o.FakeListen = "" // it is told where
	}
	return o
}

// elsewhere returns what builds the system of an environment outside this process, or nil for the embedded one.
func (f *runFlags) elsewhere(o local.Options) func(context.Context) (*remote.System, error) {
	ro := remote.Options{
		Scenario: o.Scenario, Compress: f.compress, Queue: f.queue, NATS: f.nats, Run: o.Info.ID, Outside: f.outside(o.Scenario),
	}
	switch f.env {
	case "processes", "external":
		return func(ctx context.Context) (*remote.System, error) {
			return proc.Build(ctx, proc.Options{Options: ro, Dir: o.Dir})
		}
	case "containers":
		return func(ctx context.Context) (*remote.System, error) {
			own, err := os.Executable()
			if err != nil {
				return nil, fmt.Errorf("find this program's file: %w", err)
			}
			return docker.Build(ctx, docker.Options{Options: ro, Dir: o.Dir, Image: f.image, Janitor: []string{own, "janitor"}})
		}
	}
	return nil
}
