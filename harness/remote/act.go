package remote

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

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
