package local

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/virtual"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut"
	"github.com/aftershock-dev/aftershock/sut/drafts"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// process is the reference sender as one process, which a scenario can end: what it had in memory is gone, and it starts
// again from its journal and from the queue. Where no scenario ends it, it has one life and no journal.
type process struct {
	cfg     sut.Config
	wiring  sut.Wiring
	plant   Plant
	queue   queue.Queue
	network *virtual.Network
	disk    *virtual.Disk // nil: no scenario ends it

	sender atomic.Pointer[sut.Sender] // of the present life, or of the last
	mu     sync.Mutex
	life   *life
	lives  []*life
	point  drafts.Point // at which it is to die; "" is none
	before sut.Stats    // counted in earlier lives
	frozen *sut.Stats   // as of the death; nil while it lives
	told   [][]byte     // settings it was given while it ran, which its later lives have as well
	start  func(run func(context.Context) error)
}

// mortal reports whether a scenario ends the sender's process or strikes its disk.
func mortal(s *scenarios.Scenario) bool { return slices.ContainsFunc(s.Timeline, scenarios.Step.Ends) }

// begin starts a life.
func (p *process) begin() error {
	w := p.wiring
	l := newLife()
	if wrap := p.plant.Transport; wrap != nil {
		w.Transport = wrap(w.Transport)
	}
	if p.disk != nil {
		if p.life != nil {
			if err := p.life.free(l.ctx); err != nil {
				return err
			}
		}
		w.Transport = calls{l, w.Transport}
		w.Queue = backlog{p.queue, l}
		w.Disk, w.Unsynced = disk{l, p.disk}, true
		if wrap := p.plant.Disk; wrap != nil {
			w.Disk = wrap(w.Disk)
		}
		if step := w.Step; step != nil {
			w.Step = func(s drafts.Step) {
				if !l.dead.Load() {
					step(s)
				}
			}
		}
		w.At = func(at drafts.Point) { p.at(l, at) }
		observe := w.Observe
		w.Observe = func(a sut.Attempt) {
			if !l.dead.Load() {
				observe(a)
			}
		}
		l.onEnd = func() { p.died(l) }
	}
	s, err := sut.New(p.cfg, w)
	if err != nil {
		return fmt.Errorf("start the sender: %w", err)
	}
	p.mu.Lock()
	told := p.told
	p.mu.Unlock()
	for _, yaml := range told {
		if err := s.Apply(yaml); err != nil {
			return fmt.Errorf("start the sender with the settings it had: %w", err)
		}
	}
	p.mu.Lock()
	p.life, p.frozen = l, nil
	p.lives = append(p.lives, l)
	p.mu.Unlock()
	p.sender.Store(s)
	front, back := s.WhatsApp(), s.Drafts()
	if p.disk != nil {
		front, back = l.door(front), l.door(back)
		p.network.Handle(hostWhatsApp, front)
		p.network.Handle(hostDrafts, back)
	}
	p.start(func(ctx context.Context) error {
		ctx, release := l.bound(ctx)
		defer release()
		err := s.Run(ctx)
		if l.dead.Load() {
			return nil
		}
		return err
	})
	return nil
}

// at is told of every point of a draft's way.
func (p *process) at(l *life, at drafts.Point) {
	p.mu.Lock()
	dies := p.point == at && p.life == l
	if dies {
		p.point = ""
	}
	p.mu.Unlock()
	if dies {
		l.die()
	}
}

// died keeps what the process had counted, and lets nobody in.
func (p *process) died(l *life) {
	s := p.sender.Load()
	stats := s.Stats()
	p.mu.Lock()
	p.frozen = &stats
	p.point = ""
	p.mu.Unlock()
	p.disk.Tear(nil)
	p.network.Handle(hostWhatsApp, nil)
	p.network.Handle(hostDrafts, nil)
	for _, service := range []string{"whatsapp", "drafts"} { // a paused copy of it would never come to its end
		_ = s.Act("resume", service, 0)
	}
}

// Act implements harness.Replicas for the process as a whole and for its disk.
func (p *process) Act(_ context.Context, a scenarios.Action) error {
	p.mu.Lock()
	l := p.life
	p.mu.Unlock()
	switch {
	case a.Target == "disk":
		p.disk.Fill(a.Verb == "fill")
		return nil
	case a.Verb == "start":
		return p.again(l)
	case l.dead.Load():
		return fmt.Errorf("%w: the process is dead already", harness.ErrIdle)
	case a.When == "now":
		l.die()
	case a.When == "journal":
		p.disk.Tear(l.die)
	default:
		p.mu.Lock()
		p.point = drafts.Point(a.When)
		p.mu.Unlock()
	}
	return nil
}

// again starts the process that died; one that did not come to where it was to die lives on.
func (p *process) again(l *life) error {
	if !l.dead.Load() {
		p.mu.Lock()
		p.point = ""
		p.mu.Unlock()
		p.disk.Tear(nil)
		return fmt.Errorf("%w: the process did not come to where it was to die", harness.ErrIdle)
	}
	p.mu.Lock()
	p.before = sut.Sum(p.before, *p.frozen)
	p.mu.Unlock()
	return p.begin()
}

// stats are the numbers of the sender, over all its lives.
func (p *process) stats() sut.Stats {
	p.mu.Lock()
	frozen, before := p.frozen, p.before
	p.mu.Unlock()
	if p.disk == nil {
		return p.sender.Load().Stats()
	}
	now := sut.Stats{}
	if frozen != nil {
		now = *frozen
		now.WhatsApp.Ready, now.DraftsOf.Ready, now.InFlight = 0, 0, 0
	} else {
		now = p.sender.Load().Stats()
	}
	sum := sut.Sum(before, now)
	out := now
	counters(&out, sum)
	if st, err := p.queue.Stats(context.Background()); err == nil { // what waits in the queue is held, whether the process has seen it or not
		out.Backlog, out.MessagesHeld = max(out.Backlog, int64(st.Backlog())), max(out.MessagesHeld, int64(st.Backlog()))
	}
	return out
}

// counters puts the counters of a sum into numbers of now.
func counters(out *sut.Stats, sum sut.Stats) {
	out.Creates, out.CreateFirst, out.CreateTimeouts = sum.Creates, sum.CreateFirst, sum.CreateTimeouts
	out.Sends, out.SendFirst, out.SendTimeouts, out.Send503 = sum.Sends, sum.SendFirst, sum.SendTimeouts, sum.Send503
	out.Expired, out.Failed, out.Dead, out.GivenUp = sum.Expired, sum.Failed, sum.Dead, sum.GivenUp
	out.Held, out.Resolved, out.ResolvedLate, out.Illegal = sum.Held, sum.Resolved, sum.ResolvedLate, sum.Illegal
	out.WhatsApp.Used, out.WhatsApp.Wasted = sum.WhatsApp.Used, sum.WhatsApp.Wasted
	out.DraftsOf.Used, out.DraftsOf.Wasted = sum.DraftsOf.Used, sum.DraftsOf.Wasted
}

// wait returns when nothing is left of any life.
func (p *process) wait() {
	p.mu.Lock()
	lives := p.lives
	p.mu.Unlock()
	for _, l := range lives {
		l.ghosts.Wait()
	}
}

// set changes settings, of this life and of those to come.
func (p *process) set(yaml []byte) error {
	if err := p.now().Apply(yaml); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, yaml)
	return nil
}

// now is the sender as it is.
func (p *process) now() *sut.Sender { return p.sender.Load() }

// down reports whether the process is dead.
func (p *process) down() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.life != nil && p.life.dead.Load()
}
