package remote

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// replicas is harness's handle on the parts.
type replicas struct{ system *System }

// Act implements harness.Replicas: on whatsapp/1, whatsapp (all of them), drafts, fake, nats/2.
func (r replicas) Act(ctx context.Context, a scenarios.Action) error {
	name, slot, err := splitTarget(a.Target)
	if err != nil {
		return err
	}
	switch {
	case r.system.drafts == nil && name == r.system.pool.name && a.Verb != "scale":
		return r.system.pool.act(ctx, a.Verb, slot)
	case r.system.drafts == nil:
		return fmt.Errorf("%s %s: of someone else's sender there is %s/1 and so on, to kill, pause, partition or restart", a.Verb, a.Target, sender)
	case a.Verb == "scale" && name == part.WhatsApp && slot == 0:
		return r.scale(ctx, a.Count)
	case a.Verb == "scale":
		return fmt.Errorf("scale %s: only whatsapp can be scaled here", a.Target)
	case name == part.WhatsApp:
		return r.system.pool.act(ctx, a.Verb, slot)
	case name == part.Drafts && a.Verb == "kill":
		return r.system.replaceDrafts(ctx)
	case name == part.Drafts:
		return actOnUnit(ctx, a.Verb, r.system.drafts)
	}
	for _, u := range append([]Unit{r.system.fake.unit}, r.system.nats...) {
		if u.Name() == a.Target {
			return actOnUnit(ctx, a.Verb, u)
		}
	}
	return fmt.Errorf("%s %s: there is no such part", a.Verb, a.Target)
}

// scale moves the floor, and the ceiling when that is lower.
func (r replicas) scale(ctx context.Context, n int) error {
	if n < 1 {
		return fmt.Errorf("scale whatsapp to %d: at least 1 copy is needed", n)
	}
	most := max(n, r.system.settings.fleet().Replicas.Max)
	return r.system.settings.Set(ctx, map[string]any{"sender.whatsapp.replicas.min": n, "sender.whatsapp.replicas.max": most})
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
func (p *pool) act(ctx context.Context, verb string, slot int) error {
	p.mu.Lock()
	var chosen []*member
	for _, s := range sortedKeys(p.members) {
		if m := p.members[s]; (slot == 0 || s == slot) && m.state == ready && !m.leaving {
			chosen = append(chosen, m)
		}
	}
	p.mu.Unlock()
	if len(chosen) == 0 {
		return fmt.Errorf("%s %s: no such replica is running", verb, target(p.name, slot))
	}
	for _, m := range chosen {
		if err := p.actOn(ctx, verb, m); err != nil {
			return fmt.Errorf("%s %s: %w", verb, m.unit.Name(), err)
		}
	}
	p.nudge()
	return nil
}

func (p *pool) actOn(ctx context.Context, verb string, m *member) error {
	switch verb {
	case "kill": // another one follows in its slot, as an orchestrator would have it
		return m.unit.Kill(ctx)
	case "restart":
		p.mu.Lock()
		m.replace = true
		p.leave(m)
		p.mu.Unlock()
		return nil
	}
	return actOnUnit(ctx, verb, m.unit)
}

// actOnUnit does what the timeline asks of a part that nobody replaces.
func actOnUnit(ctx context.Context, verb string, u Unit) error {
	switch verb {
	case "kill":
		return u.Kill(ctx)
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
	}
	return fmt.Errorf("nobody knows how to %s", verb)
}

func target(name string, slot int) string {
	if slot == 0 {
		return name
	}
	return name + "/" + strconv.Itoa(slot)
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
