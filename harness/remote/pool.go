package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/sut/fleet"
)

// pool is the copies of a service: it starts and ends them as the scaling rule asks, replaces those that end, and
// keeps those out of rotation that do not answer.
type pool struct {
	name     string
	engine   Engine
	part     func(slot int) Part
	ready    string // path that a copy answers when it is ready, on its first door
	door     string
	rotate   func(ctx context.Context, urls []string) error
	settings func() fleet.Settings // in force, time squeezed
	load     func(ctx context.Context, units []Unit) (load, error)
	draws    chance.Source                           // of starting times
	version  func() int64                            // of the settings
	greet    func(ctx context.Context, u Unit) error // gives a copy its settings
	client   *http.Client                            // of probes
	theirs   bool                                    // somebody else's: what its copies do is theirs, and told

	wake    chan struct{}
	life    context.Context // of run
	helpers sync.WaitGroup  // starts and stops under way

	mu      sync.Mutex
	members map[int]*member // by slot
	units   map[int]Unit    // every unit that was ever started, by slot
	size    int             // how many are meant to exist
	wanted  int             // what the rule asks for, before the ceiling
	starts  uint64
	failed  int       // starts, one after another
	rest    time.Time // no copy is started before, after one that did not start
	shown   []string  // in rotation
	scaler  scaler
	errs    []error
	ended   []error      // copies of somebody else's sender that ended by themselves, or did not start
	down    map[int]bool // slots that the timeline keeps empty for a while
}

// load is what scaling looks at.
type load struct {
	used    time.Duration // core time used since the start, by copies that are gone too
	backlog int64
	oldest  time.Duration
}

// member is one copy.
type member struct {
	slot    int
	unit    Unit      // nil until it has been started
	due     time.Time // takes no requests before; zero when that is over
	state   memberState
	quiet   bool      // it did not answer in time
	probed  time.Time // when the last probe began
	probing bool
	version int64 // of the settings that it has
	leaving bool  // on its way out
	replace bool  // with leaving: another one follows in its slot
}

type memberState uint8

const (
	starting memberState = iota
	ready
	gone
)

// tickEvery is how often the pool looks after its copies.
const tickEvery = 50 * time.Millisecond

// begin starts the first copies and puts them in rotation.
func (p *pool) begin(ctx context.Context) error {
	p.wake = make(chan struct{}, 1)
	p.members, p.units, p.down = map[int]*member{}, map[int]Unit{}, map[int]bool{}
	n := p.settings().Replicas.Min
	p.size, p.wanted = n, n
	errs := make([]error, n)
	var starts sync.WaitGroup
	for i := range n {
		m := &member{slot: i + 1}
		p.members[m.slot] = m
		p.starts++
		starts.Go(func() {
			u, err := p.start(ctx, m, nil)
			errs[i] = err
			p.settle(m, u, err)
		})
	}
	starts.Wait()
	first := p.part(1)
	p.door, p.ready = first.Doors[0], first.Ready
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return p.show(ctx)
}

// settle notes how starting a copy went.
func (p *pool) settle(m *member, u Unit, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u != nil {
		p.units[m.slot] = u
	}
	if err != nil || u == nil {
		m.state = gone
		p.rest = time.Now().Add(time.Second)
		if p.failed++; p.failed >= tolerated {
			p.died(err)
		}
		return
	}
	m.unit, m.state, p.failed = u, ready, 0
}

// tolerated is how many starts may fail one after another: on a busy machine a copy may take too long now and then,
// and is started again.
const tolerated = 3

// start starts a copy, one that was there before with the settings of now.
func (p *pool) start(ctx context.Context, m *member, before Unit) (Unit, error) {
	version := p.version()
	u, err := before, error(nil)
	if before == nil {
		u, err = start(ctx, p.engine, p.part(m.slot))
	} else {
		if ok, _ := before.Alive(); ok { // one that was given up
			_ = before.Kill(ctx)
		}
		if err = before.Start(ctx); err == nil && p.greet(ctx, before) != nil {
			version = -1 // it gets its settings when it answers
		}
	}
	p.mu.Lock()
	m.version = version
	p.mu.Unlock()
	return u, err
}

// refresh gives every copy the settings of now. One that does not answer gets them when it does.
func (p *pool) refresh(ctx context.Context) {
	p.mu.Lock()
	var behind []*member
	for _, m := range p.members {
		if m.state == ready && m.version != p.version() {
			behind = append(behind, m)
		}
	}
	p.mu.Unlock()
	var all sync.WaitGroup
	for _, m := range behind {
		all.Go(func() { p.update(ctx, m) })
	}
	all.Wait()
	p.nudge()
}

func (p *pool) update(ctx context.Context, m *member) {
	version := p.version()
	if p.greet(ctx, m.unit) == nil {
		p.mu.Lock()
		m.version = version
		p.mu.Unlock()
	}
}

// run looks after the copies until ctx ends, and returns when nothing that it started is under way any more.
func (p *pool) run(ctx context.Context) {
	p.mu.Lock()
	p.life = ctx
	p.mu.Unlock()
	defer p.helpers.Wait()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	decide := time.Now().Add(p.interval())
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-p.wake:
		}
		p.tend(ctx)
		if now := time.Now(); !now.Before(decide) {
			p.decide(ctx, now)
			decide = now.Add(p.interval())
		}
		p.resize(ctx)
		if err := p.show(ctx); err != nil && ctx.Err() == nil {
			p.note(err)
		}
	}
}

func (p *pool) interval() time.Duration {
	return max(p.settings().Scaling.Interval, 10*time.Millisecond)
}

func (p *pool) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noteLocked(err)
}

// died notes that a copy ended by itself; the caller holds mu. A copy of ours must not; what another sender does, its
// report tells.
func (p *pool) died(err error) {
	if !p.theirs {
		p.noteLocked(err)
	} else if err != nil && len(p.ended) < 100 {
		p.ended = append(p.ended, err)
	}
}

func (p *pool) noteLocked(err error) {
	if err != nil && len(p.errs) < 100 {
		p.errs = append(p.errs, err)
	}
}

// leastProbe is how long a busy machine may keep a probe waiting, whatever compressed time makes of the setting.
const leastProbe = time.Second

// tend notes which copies have ended, and asks the others now and then whether they are there.
func (p *pool) tend(ctx context.Context) {
	within := max(p.settings().Replicas.Probe, leastProbe)
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.members {
		if m.state == ready {
			if ok, why := m.unit.Alive(); !ok {
				m.state = gone
				if why != "" {
					p.died(fmt.Errorf("%s: %s", m.unit.Name(), why))
				}
			} else if !m.probing && now.Sub(m.probed) >= within/3 {
				m.probing, m.probed = true, now
				p.helpers.Go(func() { p.probe(ctx, m, within) })
			}
		}
	}
}

// probe asks one copy.
func (p *pool) probe(ctx context.Context, m *member, within time.Duration) {
	ok := p.answers(ctx, m.unit, within)
	p.mu.Lock()
	m.probing = false
	if ctx.Err() == nil {
		m.quiet = !ok
	}
	behind := ok && m.version != p.version()
	p.mu.Unlock()
	if behind {
		p.update(ctx, m)
	}
}

// answers asks a copy whether it is ready. A copy that is busy is ready: only one that does not answer is not.
func (p *pool) answers(ctx context.Context, u Unit, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if p.ready == "" {
		_, ok := answers(ctx, nil, u.URL(p.door), "")
		return ok
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.URL(p.door)+p.ready, nil)
	if err != nil {
		return false
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	resp.Body.Close()
	return resp.StatusCode < 500
}

// decide is one decision of the scaling rule.
func (p *pool) decide(ctx context.Context, now time.Time) {
	s := p.settings()
	p.mu.Lock()
	ready, starting := p.count()
	units := p.all()
	size := p.size
	p.mu.Unlock()
	if s.Scaling.Signal == "none" {
		return
	}
	l, err := p.load(ctx, units)
	if err != nil {
		if ctx.Err() == nil {
			p.note(fmt.Errorf("scale %s: %w", p.name, err))
		}
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted, p.size = p.scaler.decide(now, s, ready, starting, size, l)
}

// count returns how many copies are ready and how many are on their way; the caller holds mu.
func (p *pool) count() (up, coming int) {
	for _, m := range p.members {
		switch {
		case m.leaving && m.replace, !m.leaving && m.state == starting, !m.leaving && m.state == ready && !m.due.IsZero():
			coming++
		case !m.leaving && m.state == ready:
			up++
		}
	}
	return up, coming
}

// all lists the units of all slots, in order; the caller holds mu.
func (p *pool) all() []Unit {
	var out []Unit
	for _, slot := range sortedKeys(p.units) {
		out = append(out, p.units[slot])
	}
	return out
}

func sortedKeys[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// resize forgets copies that have ended, and starts others in the lowest free slots, or takes the highest away; those finish what they hold.
func (p *pool) resize(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.members, func(_ int, m *member) bool { return m.state == gone && !m.leaving })
	r := p.settings().Replicas
	p.size = min(max(p.size, r.Min), r.Max)
	slots := sortedKeys(p.members)
	for i := len(slots) - 1; i >= 0 && p.present() > p.size; i-- {
		if m := p.members[slots[i]]; !m.leaving {
			p.leave(m)
		}
	}
	now := time.Now()
	for slot := 1; p.present()+p.kept() < p.size && !now.Before(p.rest); slot++ {
		if p.members[slot] == nil && !p.down[slot] {
			p.launch(ctx, slot)
		}
	}
	for _, m := range p.members {
		if m.state == ready && !m.due.IsZero() && !now.Before(m.due) {
			m.due = time.Time{} // from now on it takes requests
		}
	}
}

// present is how many copies exist or are on their way; the caller holds mu.
func (p *pool) present() int {
	a, b := p.count()
	return a + b
}

// kept is how many slots the timeline keeps empty; the caller holds mu.
func (p *pool) kept() (n int) {
	for slot := range p.down {
		if slot <= p.size {
			n++
		}
	}
	return n
}

// launch starts a copy in a slot; the caller holds mu. It takes requests when its starting time is over, or when it
// is ready, whichever comes later.
func (p *pool) launch(ctx context.Context, slot int) {
	p.starts++
	wait := p.settings().Replicas.Start.Sample(p.draws.Float(p.starts))
	m := &member{slot: slot, due: time.Now().Add(wait)}
	p.members[slot] = m
	before := p.units[slot]
	p.helpers.Go(func() {
		u, err := p.start(ctx, m, before)
		if ctx.Err() != nil {
			u, err = nil, nil
		}
		p.settle(m, u, err)
		p.nudge()
	})
}

// leave takes a copy out of rotation and stops it gracefully; the caller holds mu. The slot is free when it has ended.
func (p *pool) leave(m *member) {
	ctx := p.life
	m.leaving = true
	p.helpers.Go(func() {
		for {
			p.mu.Lock()
			u, state := m.unit, m.state
			p.mu.Unlock()
			if state != starting { // before, there is nothing to stop yet
				if u != nil {
					if err := u.Stop(ctx); err != nil && ctx.Err() == nil {
						p.note(err)
					}
				}
				break
			}
			if !wait(ctx, tickEvery) {
				return
			}
		}
		p.mu.Lock()
		m.state, m.leaving = gone, false
		p.mu.Unlock()
		p.nudge()
	})
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// show puts those in rotation that are ready and answer.
func (p *pool) show(ctx context.Context) error {
	p.mu.Lock()
	var urls []string
	for _, slot := range sortedKeys(p.members) {
		m := p.members[slot]
		if m.state == ready && !m.leaving && m.due.IsZero() && !m.quiet {
			urls = append(urls, m.unit.Inside(p.door))
		}
	}
	same := slices.Equal(urls, p.shown)
	p.mu.Unlock()
	if same {
		return nil
	}
	if err := p.rotate(ctx, urls); err != nil {
		return fmt.Errorf("put the copies of %s in rotation: %w", p.name, err)
	}
	p.mu.Lock()
	p.shown = urls
	p.mu.Unlock()
	return nil
}

func (p *pool) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// inRotation is how many copies take requests, and how many are on their way.
func (p *pool) inRotation() (up, coming, wanted int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, b := p.count()
	return len(p.shown), a + b - len(p.shown), p.wanted
}

// running lists the units that run.
func (p *pool) running() []Unit {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Unit
	for _, slot := range sortedKeys(p.members) {
		if m := p.members[slot]; m.state == ready {
			out = append(out, m.unit)
		}
	}
	return out
}
