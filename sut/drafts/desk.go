package drafts

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/sut/policy"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// desk hands drafts out: it takes them from the queue's lanes, a few ahead of each, and lets them go at the rate limit
// as long as there is room in flight.
//
// Every decision falls on the desk's own instants. Whatever made it ring has then come to rest, so that which draft is
// next does not depend on who was quicker.
type desk struct {
	s    *Service
	lane instant.Lane
	bell chan struct{} // rung when something changed that the desk may be waiting for

	mu       sync.Mutex
	trays    []*tray
	pace     policy.Pace
	inFlight int
	wantRoom bool      // the desk waits for room in flight
	probing  bool      // the desk waits for what becomes of a probe
	fullAt   time.Time // when it last did
	failed   error
}

// tray is one lane of the queue and the drafts taken ahead from it.
type tray struct {
	lane
	ahead  []taken
	credit int           // turns left in this round
	space  chan struct{} // one for each draft that may still be taken ahead
}

// taken is a claim, when it was taken, and the rate at which the pace let it go.
type taken struct {
	queue.Claim
	at    time.Time
	paced quantity.Rate
}

// takeAhead is how many drafts are taken ahead from each lane.
const takeAhead = 4

func newDesk(s *Service) *desk {
	return &desk{s: s, lane: s.w.Lanes.Of(instant.System, instant.Dispatcher), bell: make(chan struct{}, 1)}
}

func (k *desk) kick() {
	select {
	case k.bell <- struct{}{}:
	default:
	}
}

// run hands out until ctx ends.
func (k *desk) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var feeders sync.WaitGroup
	for _, l := range lanes(k.s.cfg.Load()) {
		t := &tray{lane: l, credit: l.weight, space: make(chan struct{}, takeAhead)}
		for range takeAhead {
			t.space <- struct{}{}
		}
		k.trays = append(k.trays, t)
		feeders.Go(func() { k.feed(ctx, t) })
	}
	err := k.handOut(ctx)
	cancel()
	feeders.Wait()
	for _, t := range k.trays {
		for _, c := range t.ahead { // taken ahead and not handed out
			_ = c.Retry(context.WithoutCancel(ctx), 0, nil) // when it fails the lease gives it back
		}
	}
	return err
}

func (k *desk) handOut(ctx context.Context) error {
	for ctx.Err() == nil {
		c, wait, err := k.next(time.Now())
		if err != nil {
			return err
		}
		if c.Claim != nil {
			k.s.flights.Go(func() {
				k.s.dispatch(c)
				k.landed()
			})
			continue
		}
		k.rest(ctx, wait)
	}
	return nil
}

// rest waits until the bell rings, or for wait when that is above 0.
func (k *desk) rest(ctx context.Context, wait time.Duration) {
	var tick <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(k.lane.After(time.Now(), wait))
		defer timer.Stop()
		tick = timer.C
	}
	select {
	case <-k.bell:
		k.lane.Sleep(0)
	case <-tick:
	case <-ctx.Done():
	}
}

// feed takes drafts ahead for a tray.
func (k *desk) feed(ctx context.Context, t *tray) {
	for {
		select {
		case <-t.space:
		case <-ctx.Done():
			return
		}
		c, err := k.s.w.Queue.Take(ctx, t.name)
		if ctx.Err() != nil || errors.Is(err, queue.ErrClosed) {
			if c != nil {
				_ = c.Retry(context.WithoutCancel(ctx), 0, nil) // when it fails the lease gives it back
			}
			return
		}
		k.mu.Lock()
		if err != nil {
			k.failed = fmt.Errorf("take from lane %q: %w", t.name, err)
		} else {
			t.ahead = append(t.ahead, taken{Claim: c, at: time.Now()})
		}
		ring := err != nil || len(t.ahead) == 1
		k.mu.Unlock()
		if ring {
			k.kick()
		}
		if err != nil {
			return
		}
	}
}

// pausedLook is how often the desk looks whether a pause has ended by its time.
const pausedLook = time.Second

// next picks the draft to hand out now. Without one, wait says how long until the pace allows it; 0 until the bell.
func (k *desk) next(now time.Time) (c taken, wait time.Duration, err error) {
	cfg := k.s.cfg.Load()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failed != nil {
		return c, 0, k.failed
	}
	t := k.pick()
	open, until := k.s.gates.open(cfg, now)
	if ended := k.overdue(cfg, now); ended != nil {
		return k.give(ended), 0, nil
	}
	switch {
	case t != nil && open && until > 0: // the provider is out: nothing goes until the next probe
		return c, until, nil
	case t != nil && open && k.inFlight > 0:
		k.probing = true
		return c, cfg.Provider.Open, nil
	case t == nil && k.s.stops.any.Load():
		return c, pausedLook, nil
	case t == nil:
		return c, 0, nil
	case k.inFlight >= k.s.gates.underWay(cfg):
		k.wantRoom, k.fullAt = true, now
		return c, 0, nil
	}
	rate := k.s.gates.rate(cfg, now)
	if wait := k.pace.Wait(now, rate, cfg.Burst); wait > 0 {
		return c, wait, nil
	}
	k.pace.Take(now, rate)
	t.credit--
	c = k.give(t)
	c.paced = rate
	return c, 0, nil
}

// give takes the next draft off a tray.
func (k *desk) give(t *tray) taken {
	c := t.ahead[0]
	t.ahead = append(t.ahead[:0], t.ahead[1:]...)
	k.inFlight++
	t.space <- struct{}{}
	return c
}

// overdue finds a draft whose validity is over. It is not sent any more, so it waits for no pace and no provider: what
// expires is seen to expire, and is in nobody's way when a backlog is worked off.
func (k *desk) overdue(cfg *Config, now time.Time) *tray {
	if cfg.Provider.Off() {
		return nil
	}
	for _, t := range k.trays {
		if len(t.ahead) > 0 && !k.s.stops.lane(t.class) {
			if e := t.ahead[0].Item().Expires; !e.IsZero() && !now.Before(e) {
				return t
			}
		}
	}
	return nil
}

// extend keeps the claims of drafts that were taken ahead from running out while the provider is out.
func (k *desk) extend(ctx context.Context) {
	k.mu.Lock()
	var list []taken
	for _, t := range k.trays {
		list = append(list, t.ahead...)
	}
	k.mu.Unlock()
	for _, c := range list {
		_ = c.Extend(ctx) // a claim that has run out, or was settled meanwhile, is not ours to extend
	}
}

// pick is weighted round robin over the lanes that have something: the most important first while it has turns left.
func (k *desk) pick() *tray {
	for range 2 {
		any := false
		for _, t := range k.trays {
			if len(t.ahead) == 0 || k.s.stops.lane(t.class) {
				continue
			}
			if t.credit > 0 {
				return t
			}
			any = true
		}
		if !any {
			return nil
		}
		for _, t := range k.trays {
			t.credit = t.weight
		}
	}
	return nil
}

// takeOff takes room in flight for a draft that was parked.
func (k *desk) takeOff() {
	k.mu.Lock()
	k.inFlight++
	k.mu.Unlock()
}

// bounced gives the place in the pace back that a draft had and did not use.
func (k *desk) bounced(paced quantity.Rate) {
	k.mu.Lock()
	k.pace.Back(paced)
	k.mu.Unlock()
	k.kick()
}

// full reports whether drafts have lately waited for room in flight, and not for the pace.
func (k *desk) full(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.wantRoom || !k.fullAt.IsZero() && now.Sub(k.fullAt) < fullFor
}

// fullFor is how long a desk counts as full after it last was.
const fullFor = 15 * time.Second

// landed makes room in flight.
func (k *desk) landed() {
	k.mu.Lock()
	k.inFlight--
	ring := k.wantRoom || k.probing
	k.wantRoom, k.probing = false, false
	k.mu.Unlock()
	if ring {
		k.kick()
	}
}
