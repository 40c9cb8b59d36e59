package fleet

import (
	"context"
	"slices"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/policy"
)

// Run scales the fleet and lets starting copies in until ctx ends. When it returns, nobody waits in a copy any more.
func (f *Fleet) Run(ctx context.Context) error {
	defer f.Release()
	tick := f.nextTick(time.Now())
	for {
		at, what := tick, tickEvent
		if b, ok := f.nextBoot(); ok && b.Before(at) {
			at, what = b, bootEvent
		}
		timer := time.NewTimer(time.Until(at))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-f.wake: // settings or copies changed: look again
			timer.Stop()
			f.resize(f.bounded(f.sized()))
			continue
		case <-timer.C:
		}
		if ctx.Err() != nil {
			return nil
		}
		if what == bootEvent {
			f.boot(at)
			continue
		}
		f.scale(time.Now())
		tick = f.nextTick(time.Now())
	}
}

type event uint8

const (
	tickEvent event = iota
	bootEvent
)

func (f *Fleet) nextTick(now time.Time) time.Time {
	every := max(f.settings().Scaling.Interval, time.Second)
	return now.Add(f.ticker.After(now, every))
}

func (f *Fleet) nextBoot() (time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.starting) == 0 {
		return time.Time{}, false
	}
	at := f.starting[0].at
	for _, b := range f.starting[1:] {
		if b.at.Before(at) {
			at = b.at
		}
	}
	return at, true
}

// boot lets in the copies that are due at now.
func (f *Fleet) boot(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ready := slices.Clone(*f.rotation.Load())
	f.starting = slices.DeleteFunc(f.starting, func(b boot) bool {
		if b.at.After(now) {
			return false
		}
		ready = append(ready, newReplica(f, b.slot, b.num, f.settings().Replicas.Cores))
		return true
	})
	f.setReady(ready)
}

func (f *Fleet) setReady(ready []*Replica) {
	slices.SortFunc(ready, func(a, b *Replica) int { return a.Slot - b.Slot })
	f.rotation.Store(&ready)
	f.peak.Store(max(f.peak.Load(), int64(len(ready))))
}

func (f *Fleet) sized() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size
}

func (f *Fleet) bounded(n int) int {
	r := f.settings().Replicas
	return min(max(n, r.Min), r.Max)
}

// scale is one decision of the scaling rule.
func (f *Fleet) scale(now time.Time) {
	s := f.settings()
	if s.Scaling.Signal == "none" {
		f.resize(f.bounded(f.sized()))
		return
	}
	f.mu.Lock()
	ready, starting := len(*f.rotation.Load()), len(f.starting)
	spent := f.history.spent(now, f.used.Load(), s.Scaling.ScrapeDelay)
	size := f.size
	f.mu.Unlock()

	rule := policy.ScaleRule{
		Tolerance: s.Scaling.Tolerance, Damping: s.Scaling.Damping,
		UpFactor: s.Scaling.UpFactor, UpCopies: s.Scaling.UpCopies, DownFactor: s.Scaling.DownFactor,
	}
	wish := 0
	for _, ratio := range f.ratios(s.Scaling, s.Replicas.Cores, ready, spent) {
		wish = max(wish, rule.Wish(ready, starting, ratio))
	}
	f.wanted.Store(int64(wish))
	f.mu.Lock()
	settled := f.wishes.Settle(now, wish, size, s.Scaling.UpWindow, s.Scaling.DownWindow)
	f.mu.Unlock()
	f.resize(f.bounded(rule.Step(size, settled)))
}

// history is the core time used as it was read at past decisions.
type history struct{ reads []reading }

type reading struct {
	at   time.Time
	used int64
}

// spent adds a reading and returns the core time of the last whole interval that a metric of that age can know of.
func (h *history) spent(now time.Time, used int64, delay time.Duration) int64 {
	h.reads = append(h.reads, reading{now, used})
	last := len(h.reads) - 1
	for last > 0 && now.Sub(h.reads[last].at) < delay {
		last--
	}
	before := int64(0)
	if last > 0 {
		before = h.reads[last-1].used
	}
	spent := h.reads[last].used - before
	if last > 1 {
		h.reads = append(h.reads[:0], h.reads[last-1:]...)
	}
	return spent
}

// ratios returns metric ÷ target for each signal in use.
func (f *Fleet) ratios(s Scaling, cores, ready int, spent int64) []float64 {
	var out []float64
	capacity := float64(s.Interval) * float64(max(ready*cores, 1))
	if s.Signal == "cpu" || s.Signal == "all" {
		out = append(out, float64(spent)/capacity/float64(s.Target))
	}
	if f.signals == nil {
		return out
	}
	sig := f.signals()
	if s.Signal == "backlog" || s.Signal == "all" {
		out = append(out, float64(sig.Backlog)/float64(max(ready, 1))/s.Backlog)
	}
	if s.Signal == "age" || s.Signal == "all" {
		out = append(out, float64(sig.Oldest)/float64(s.Age))
	}
	return out
}

// resize starts copies in the lowest free slots, or takes the highest out of rotation; those finish what they hold.
func (f *Fleet) resize(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.settings()
	ready := slices.Clone(*f.rotation.Load())
	f.size = n
	for len(ready)+len(f.starting) > n {
		if len(f.starting) > 0 { // the last to be started has done nothing yet
			f.starting = f.starting[:len(f.starting)-1]
			continue
		}
		f.draining = append(f.draining, ready[len(ready)-1])
		ready = ready[:len(ready)-1]
	}
	for len(ready)+len(f.starting) < n {
		f.starts++
		wait := s.Replicas.Start.Sample(f.seed.For("start").Float(f.starts))
		lane := f.lanes.Of(instant.Start, f.base+f.starts)
		f.starting = append(f.starting, boot{slot: f.freeSlot(ready), num: f.starts, at: lane.Deadline(wait)})
	}
	f.draining = slices.DeleteFunc(f.draining, func(r *Replica) bool { return r.held.Load() == 0 })
	f.setReady(ready)
}

func (f *Fleet) freeSlot(ready []*Replica) int {
	for slot := 1; ; slot++ {
		taken := slices.ContainsFunc(ready, func(r *Replica) bool { return r.Slot == slot }) ||
			slices.ContainsFunc(f.starting, func(b boot) bool { return b.slot == slot })
		if !taken {
			return slot
		}
	}
}

// Kill ends a copy at once; a new one starts in its slot, as an orchestrator would have it.
func (f *Fleet) Kill(slot int) error {
	r, err := f.Replica(slot)
	if err != nil {
		return err
	}
	f.leave(r)
	r.kill()
	f.nudge()
	return nil
}

// Restart replaces a copy gracefully: it finishes what it holds while the new one starts.
func (f *Fleet) Restart(slot int) error {
	r, err := f.Replica(slot)
	if err != nil {
		return err
	}
	f.leave(r)
	f.nudge()
	return nil
}

// leave takes a copy out of rotation.
func (f *Fleet) leave(r *Replica) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ready := slices.DeleteFunc(slices.Clone(*f.rotation.Load()), func(x *Replica) bool { return x == r })
	if !r.dead.Load() {
		f.draining = append(f.draining, r)
	}
	f.setReady(ready)
}

// Pause stops a copy, or cuts it off from the network, without ending it.
func (f *Fleet) Pause(slot int) error {
	r, err := f.Replica(slot)
	if err != nil {
		return err
	}
	r.freeze()
	return nil
}

// Resume lets a stopped copy go on, also one that scaling has taken out of rotation meanwhile.
func (f *Fleet) Resume(slot int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range slices.Concat(*f.rotation.Load(), f.draining) {
		if r.Slot == slot {
			r.thaw()
		}
	}
	return nil
}

// Slots lists the copies in rotation.
func (f *Fleet) Slots() []int {
	var out []int
	for _, r := range *f.rotation.Load() {
		out = append(out, r.Slot)
	}
	return out
}

// Release lets everything go that is stopped.
func (f *Fleet) Release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range *f.rotation.Load() {
		r.thaw()
	}
	for _, r := range f.draining {
		r.thaw()
	}
}
