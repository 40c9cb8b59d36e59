package drafts

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/policy"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// desk hands drafts out: it takes them from the queue's lanes, one ahead of each, and lets them go at the rate limit
// as long as there is room in flight.
type desk struct {
	s    *Service
	lane instant.Lane
	bell chan struct{} // rung when something changed that the desk may be waiting for

	mu       sync.Mutex
	trays    []*tray
	pace     policy.Pace
	inFlight int
	wantRoom bool // the desk waits for room in flight
	failed   error
}

// tray is one lane of the queue and the draft taken ahead from it.
type tray struct {
	policy.Lane
	claim  queue.Claim
	credit int           // turns left in this round
	empty  chan struct{} // tells the feeder to take the next one
}

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
	cfg := k.s.cfg.Load()
	var feeders sync.WaitGroup
	for _, l := range cfg.Classes.Lanes() {
		t := &tray{Lane: l, credit: l.Weight, empty: make(chan struct{}, 1)}
		k.trays = append(k.trays, t)
		feeders.Go(func() { k.feed(ctx, t) })
	}
	for ctx.Err() == nil {
		c, wait, err := k.next(time.Now())
		if err != nil {
			cancel()
			feeders.Wait()
			return err
		}
		if c != nil {
			k.s.flights.Go(func() {
				k.s.dispatch(c)
				k.landed()
			})
			continue
		}
		k.rest(ctx, wait)
	}
	feeders.Wait()
	for _, t := range k.trays {
		if t.claim != nil { // taken ahead and not handed out
			_ = t.claim.Retry(context.WithoutCancel(ctx), 0, nil) // when it fails the lease gives it back
		}
	}
	return nil
}

// rest waits until the bell rings, or for wait when that is above 0.
func (k *desk) rest(ctx context.Context, wait time.Duration) {
	if wait <= 0 {
		select {
		case <-k.bell:
		case <-ctx.Done():
		}
		return
	}
	timer := time.NewTimer(k.lane.After(time.Now(), wait))
	defer timer.Stop()
	select {
	case <-k.bell:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// feed takes one item ahead of its tray.
func (k *desk) feed(ctx context.Context, t *tray) {
	for {
		c, err := k.s.w.Queue.Take(ctx, t.Name)
		if ctx.Err() != nil || errors.Is(err, queue.ErrClosed) {
			if c != nil {
				_ = c.Retry(context.WithoutCancel(ctx), 0, nil)
			}
			return
		}
		k.mu.Lock()
		if err != nil {
			k.failed = fmt.Errorf("take from lane %q: %w", t.Name, err)
		}
		t.claim = c
		k.mu.Unlock()
		k.kick()
		if err != nil {
			return
		}
		select {
		case <-t.empty:
		case <-ctx.Done():
			return
		}
	}
}

// next picks the draft to hand out now. Without one, wait says how long until the pace allows it; 0 until the bell.
func (k *desk) next(now time.Time) (c queue.Claim, wait time.Duration, err error) {
	cfg := k.s.cfg.Load()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failed != nil {
		return nil, 0, k.failed
	}
	t := k.pick()
	if t == nil {
		return nil, 0, nil
	}
	if k.inFlight >= cfg.Dispatch.InFlight {
		k.wantRoom = true
		return nil, 0, nil
	}
	if wait := k.pace.Wait(now, cfg.RateLimit, cfg.Burst); wait > 0 {
		return nil, wait, nil
	}
	k.pace.Take(now, cfg.RateLimit)
	c, t.claim = t.claim, nil
	t.credit--
	k.inFlight++
	t.empty <- struct{}{}
	return c, 0, nil
}

// pick is weighted round robin over the lanes that have something: the most important first while it has turns left.
func (k *desk) pick() *tray {
	for range 2 {
		any := false
		for _, t := range k.trays {
			if t.claim == nil {
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
			t.credit = t.Weight
		}
	}
	return nil
}

// landed makes room in flight.
func (k *desk) landed() {
	k.mu.Lock()
	k.inFlight--
	ring := k.wantRoom
	k.wantRoom = false
	k.mu.Unlock()
	if ring {
		k.kick()
	}
}
