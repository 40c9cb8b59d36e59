package fleet

import (
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/sut/policy"
)

// guard is the state of one replica's own defences.
type guard struct {
	mu    sync.Mutex
	codel policy.CoDelState
	shed  policy.ShedState
}

// waited tells the guard how long a request waited for its core.
func (g *guard) waited(now time.Time, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shed.Waited(now, wait)
	if wait == 0 {
		g.codel.Empty(now)
	}
}

// shedder returns the rule that turns waiting requests away when a core is released, or nil when there is none.
func (r *Replica) shedder() func(wait time.Duration, last bool) bool {
	rule := r.fleet.settings().Admission.CoDel
	if rule.Off() {
		return nil
	}
	now := time.Now()
	return func(wait time.Duration, last bool) bool {
		r.guard.mu.Lock()
		defer r.guard.mu.Unlock()
		if last {
			defer r.guard.codel.Empty(now)
		}
		return rule.Drop(&r.guard.codel, now, wait)
	}
}

// Room reports whether a request may wait here at all. It is the first question, before the request is even read.
func (j *Job) Room() error {
	if most := j.Replica.fleet.settings().Admission.MaxHeld; most > 0 && j.Replica.held.Load() > int64(most) {
		return ErrBusy
	}
	if !j.Replica.cores.admit(j.line()) {
		return ErrBusy
	}
	return nil
}

// Admit decides whether a request may come in under overload, by its priority.
func (j *Job) Admit(priority int) error {
	r := j.Replica
	s := r.fleet.settings()
	if s.Admission.Shed.Off() {
		return nil
	}
	r.guard.mu.Lock()
	defer r.guard.mu.Unlock()
	if !s.Admission.Shed.Admit(&r.guard.shed, time.Now(), priority) {
		return ErrShed
	}
	return nil
}
