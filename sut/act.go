package sut

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/sut/fleet"
)

// Act does something to the copies of a service: kill, start, pause, resume, partition, heal, restart on whatsapp/1 (or
// on whatsapp, for all of them), scale on whatsapp with the number of copies.
//
// A killed copy loses what it was doing and is replaced after its start time, so that start has nothing left to do; a
// restarted one finishes first. A paused and a partitioned copy look alike from outside: nothing comes back until resume
// or heal, which do nothing to a copy that scaling has removed meanwhile. Scaling moves the floor, and the ceiling when
// that is lower.
func (s *Sender) Act(verb, target string, n int) error {
	f, slot, err := s.target(target)
	if err != nil {
		return err
	}
	if verb == "scale" {
		return s.scale(target, slot, n)
	}
	act, err := verbOf(f, verb)
	if err != nil {
		return err
	}
	slots := []int{slot}
	if slot == 0 {
		slots = f.Slots()
	}
	for _, slot := range slots {
		if err := act(slot); err != nil {
			return fmt.Errorf("%s %s: %w", verb, target, err)
		}
	}
	return nil
}

func verbOf(f *fleet.Fleet, verb string) (func(slot int) error, error) {
	switch verb {
	case "kill":
		return f.Kill, nil
	case "restart":
		return f.Restart, nil
	case "start":
		return func(int) error { return nil }, nil
	case "pause", "partition":
		return f.Pause, nil
	case "resume", "heal":
		return f.Resume, nil
	}
	return nil, fmt.Errorf("%w: verb %q: use kill, start, pause, resume, partition, heal, restart or scale", ErrTarget, verb)
}

func (s *Sender) scale(target string, slot, n int) error {
	switch {
	case slot != 0:
		return fmt.Errorf("%w: scale %s: a service is scaled, not one copy of it", ErrTarget, target)
	case n < 1:
		return fmt.Errorf("scale %s to %d: at least 1 copy is needed", target, n)
	case target == "drafts":
		return s.Apply(fmt.Appendf(nil, "drafts: {replicas: {count: %d}}", n))
	}
	ceiling := max(n, s.cfg.Load().WhatsApp.Replicas.Max)
	return s.Apply(fmt.Appendf(nil, "whatsapp: {replicas: {min: %d, max: %d}}", n, ceiling))
}

func cutTarget(name string) (service string, slot int, one bool) {
	service, number, one := strings.Cut(name, "/")
	if one {
		slot, _ = strconv.Atoi(number) // 0, which target refuses, when it is not a number
	}
	return service, slot, one
}
