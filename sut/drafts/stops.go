package drafts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Stop is one pause: nothing of its scope is sent until it ends.
type Stop struct {
	Scope string    `json:"scope"`          // all, lane, class, tenant, number
	Name  string    `json:"name,omitempty"` // which of them; "" for all
	Until time.Time `json:"until,omitzero"` // zero: until it is resumed
	Since time.Time `json:"since"`
}

// stops are the pauses in force. Looking whether there are any costs nothing while there are none.
type stops struct {
	any  atomic.Bool
	mu   sync.Mutex
	list []Stop
}

// scopes lists what can be paused. Pausing all is the kill switch.
func scopes() []string { return []string{"all", "lane", "class", "tenant", "number"} }

func (p *stops) pause(st Stop) error {
	if !slices.Contains(scopes(), st.Scope) {
		return fmt.Errorf("scope %q is not one of %s", st.Scope, strings.Join(scopes(), ", "))
	}
	if (st.Scope == "all") != (st.Name == "") {
		return fmt.Errorf("scope %s: %s", st.Scope, map[bool]string{true: "takes no name", false: "needs a name"}[st.Scope == "all"])
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(st)
	p.list = append(p.list, st)
	p.any.Store(true)
	return nil
}

// resume ends a pause; it reports whether there was one.
func (p *stops) resume(st Stop) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := len(p.list)
	p.remove(st)
	p.any.Store(len(p.list) > 0)
	return len(p.list) < was
}

func (p *stops) remove(st Stop) {
	p.list = slices.DeleteFunc(p.list, func(x Stop) bool { return x.Scope == st.Scope && x.Name == st.Name })
}

// all returns the pauses in force.
func (p *stops) all() []Stop {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.list)
}

// has reports whether a scope is paused at now; pauses that have ended are dropped on the way.
func (p *stops) has(now time.Time, match func(Stop) bool) bool {
	if !p.any.Load() {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = slices.DeleteFunc(p.list, func(x Stop) bool { return !x.Until.IsZero() && !now.Before(x.Until) })
	p.any.Store(len(p.list) > 0)
	return slices.ContainsFunc(p.list, match)
}

// lane reports whether nothing may be taken from a class's lane.
func (p *stops) lane(name string) bool {
	return p.has(time.Now(), func(x Stop) bool { return x.Scope == "all" || x.Scope == "lane" && x.Name == name })
}

// draft reports whether a draft may not be sent.
func (p *stops) draft(d *draft, class string) bool {
	return p.has(time.Now(), func(x Stop) bool {
		switch x.Scope {
		case "all":
			return true
		case "class":
			return x.Name == class
		case "tenant":
			return x.Name == d.tenant
		case "number":
			return x.Name == d.from
		}
		return false
	})
}

// lines writes the pauses in force for the journal.
func (p *stops) lines() []string {
	var out []string
	for _, st := range p.all() {
		out = append(out, linePaused(st))
	}
	return out
}

// recall takes in a line of the journal: a pause outlives the process that was told of it.
func (p *stops) recall(w []string) error {
	if want := map[string]int{"P": 5, "R": 3}[w[0]]; len(w) != want {
		return fmt.Errorf("%d words", len(w))
	}
	scope, err1 := unword(w[1])
	name, err2 := unword(w[2])
	st := Stop{Scope: scope, Name: name}
	if w[0] == "R" {
		p.resume(st)
		return errors.Join(err1, err2)
	}
	var err3, err4 error
	st.Since, err3 = unstamp(w[3])
	st.Until, err4 = unstamp(w[4])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	return p.pause(st)
}
