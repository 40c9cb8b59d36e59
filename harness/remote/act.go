package remote

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// replicas is harness's handle on the parts.
type replicas struct{ system *System }

// Act implements harness.Replicas: on whatsapp/1, whatsapp (all of them), drafts, fake, nats/2; of someone else's
// sender, on target/1 and target.
func (r replicas) Act(ctx context.Context, a scenarios.Action) error {
	name, slot, err := splitTarget(a.Target)
	if err != nil {
		return err
	}
	s := r.system
	if s.pool == nil {
		return fmt.Errorf("%s %s: the sender was not started by this run, so that it can only be asked for messages", a.Verb, a.Target)
	}
	switch {
	case a.Verb == "scale" && (name != s.pool.name || slot != 0):
		return fmt.Errorf("scale %s: only %s can be scaled here", a.Target, s.pool.name)
	case a.Verb == "scale" && a.Count < 1:
		return fmt.Errorf("scale %s to %d: at least 1 copy is needed", a.Target, a.Count)
	case a.Verb == "scale":
		return s.scale(ctx, a.Count)
	case name == s.pool.name:
		return s.pool.act(ctx, a, slot)
	case name == part.Drafts && s.drafts != nil && a.Verb == "kill":
		return s.replaceDrafts(ctx)
	}
	for _, u := range s.fixed() {
		if u.Name() == a.Target {
			return actOnUnit(ctx, a, u)
		}
	}
	return fmt.Errorf("%s %s: there is no such part", a.Verb, a.Target)
}

// scale changes how many copies there are.
func (s *System) scale(ctx context.Context, n int) error {
	if s.pool.name == target {
		if s.copies.Swap(int64(n)) == int64(n) {
			return fmt.Errorf("%w: %d is the number there is", harness.ErrIdle, n)
		}
		s.pool.nudge()
		return nil
	}
	return s.scaleWhatsApp(ctx, n)
}

// tryDelays finds out before the load begins whether what the timeline slows down can be slowed down.
func (s *System) tryDelays(ctx context.Context) error {
	for _, step := range s.opts.Scenario.Timeline {
		if len(step.Delay) == 0 {
			continue
		}
		err := delay(ctx, s.gateway, time.Millisecond)
		if err == nil {
			err = delay(ctx, s.gateway, 0)
		}
		if err != nil {
			return fmt.Errorf("timeline at %v: %w", step.At, err)
		}
		return nil
	}
	return nil
}

// scaleWhatsApp moves the floor, and the ceiling when that is lower.
func (s *System) scaleWhatsApp(ctx context.Context, n int) error {
	most := max(n, s.settings.fleet().Replicas.Max)
	return s.settings.Set(ctx, map[string]any{"sender.whatsapp.replicas.min": n, "sender.whatsapp.replicas.max": most})
}

// replaceDrafts kills the Drafts service; it is started again after its starting time, as an orchestrator would have it.
func (s *System) replaceDrafts(ctx context.Context) error {
	if err := s.drafts.Kill(ctx); err != nil {
		return err
	}
	s.deathsOfDrafts++
	delay := s.settings.config().Drafts.Replicas.Start.Sample(s.pool.draws.For("drafts").Float(s.deathsOfDrafts))
	s.running.Go(func() {
		if !wait(s.life, delay) {
			return
		}
		if ok, _ := s.drafts.Alive(); ok {
			return // the timeline was quicker
		}
		err := s.drafts.Start(s.life)
		if err == nil {
			err = s.tell(s.life, s.drafts, s.settings.forDrafts())
		}
		if err != nil && s.life.Err() == nil {
			s.pool.note(fmt.Errorf("replace drafts: %w", err))
		}
	})
	return nil
}

// act does what the timeline asks of one copy, or of all when slot is 0.
func (p *pool) act(ctx context.Context, a scenarios.Action, slot int) error {
	p.mu.Lock()
	if a.Verb == "start" { // what a kill kept away
		maps.DeleteFunc(p.down, func(down int, _ bool) bool { return slot == 0 || down == slot })
		p.nudge()
	}
	var chosen []*member
	for _, s := range sortedKeys(p.members) {
		if m := p.members[s]; (slot == 0 || s == slot) && m.state == ready && !m.leaving {
			chosen = append(chosen, m)
		}
	}
	p.mu.Unlock()
	switch {
	case a.Verb == "start", len(chosen) == 0 && (a.Verb == "resume" || a.Verb == "heal"):
		return nil // a killed copy is replaced without being asked, and what scaling has removed needs no help
	case len(chosen) == 0:
		return fmt.Errorf("%w: no %s is running", harness.ErrIdle, a.Target)
	}
	for _, m := range chosen {
		if err := p.actOn(ctx, a, m); err != nil {
			return fmt.Errorf("%s %s: %w", a.Verb, m.unit.Name(), err)
		}
	}
	p.nudge()
	return nil
}

func (p *pool) actOn(ctx context.Context, a scenarios.Action, m *member) error {
	switch a.Verb {
	case "kill": // another one follows in its slot, as an orchestrator would have it
		if a.Held && p.theirs {
			p.mu.Lock()
			p.down[m.slot] = true
			p.mu.Unlock()
		}
		return m.unit.Kill(ctx)
	case "restart":
		p.mu.Lock()
		m.replace = true
		p.leave(m)
		p.mu.Unlock()
		return nil
	}
	return actOnUnit(ctx, a, m.unit)
}

// actOnUnit does what the timeline asks of a part that nobody replaces.
func actOnUnit(ctx context.Context, a scenarios.Action, u Unit) error {
	switch a.Verb {
	case "kill":
		return u.Kill(ctx)
	case "start":
		if ok, _ := u.Alive(); ok {
			return nil
		}
		return u.Start(ctx)
	case "restart":
		if ok, _ := u.Alive(); ok {
			if err := u.Stop(ctx); err != nil {
				return err
			}
		}
		return u.Start(ctx)
	case "pause":
		return u.Pause(ctx)
	case "resume":
		return u.Resume(ctx)
	case "partition":
		return u.Cut(ctx)
	case "heal":
		return u.Heal(ctx)
	case "delay":
		return delay(ctx, u, a.By)
	}
	return fmt.Errorf("nobody knows how to %s", a.Verb)
}

// delay holds back all that a part sends.
func delay(ctx context.Context, u Unit, by time.Duration) error {
	d, ok := u.(Delayer)
	if !ok {
		return fmt.Errorf("%s cannot be slowed down here", u.Name())
	}
	return d.Delay(ctx, by)
}

// splitTarget reads whatsapp/1 or drafts.
func splitTarget(s string) (name string, slot int, err error) {
	name, number, numbered := strings.Cut(s, "/")
	if numbered {
		if slot, err = strconv.Atoi(number); err != nil || slot < 1 {
			return "", 0, fmt.Errorf("%q is not a part: write whatsapp/1, drafts or nats/2", s)
		}
	}
	return name, slot, nil
}
