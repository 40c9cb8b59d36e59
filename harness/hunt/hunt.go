// Package hunt looks for schedules under which a sender breaks a promise: it draws loads, settings, faults, kills and crashes by
// seed, runs each in virtual time, and makes what breaks a promise as small as it goes. Start with Hunt; promise.go lists the
// promises, trouble.go what befalls a sender.
package hunt

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// Hunt is one hunt. Fill the fields, call Run once.
type Hunt struct {
	Base   *scenarios.Scenario // what is hunted
	Ours   bool                // the sender is the reference sender
	Jobs   int                 // seeds tried side by side; 0 is one
	Budget int                 // runs that making a finding smaller may take; 0 is 300
	Most   int                 // findings after which the hunt ends; 0 is 1

	// Try runs one scenario; it is called from Jobs goroutines at once.
	Try func(ctx context.Context, s *scenarios.Scenario) (Evidence, error)
	// Tried is told of every seed, one at a time; may be nil.
	Tried func(seed int64, e Evidence)
	// Found is told of every promise that is broken before it is made smaller; may be nil.
	Found func(seed int64, b Broken)
}

// Finding is a scenario under which a promise is broken.
type Finding struct {
	Seed     int64
	Broken   Broken
	Evidence Evidence // of the small scenario
	Scenario *scenarios.Scenario
	Steps    int // of its timeline
	Drawn    int // steps of the timeline as it was drawn
}

// Run tries seeds until there are no more, ctx ends, or enough has been found. An error says that the hunt could not go on.
func (h *Hunt) Run(ctx context.Context, seeds func(yield func(int64) bool)) ([]Finding, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	feed, enough := context.WithCancel(ctx) // what has been found is made smaller, also when it is enough
	defer enough()
	next := make(chan int64)
	var workers sync.WaitGroup
	var mu sync.Mutex
	var found []Finding
	var failed error
	for range max(1, h.Jobs) {
		workers.Go(func() {
			for seed := range next {
				f, err := h.seed(ctx, seed, &mu)
				mu.Lock()
				switch {
				case err != nil && ctx.Err() == nil:
					failed = err
					stop()
				case err != nil: // interrupted
				case f != nil && !slices.ContainsFunc(found, func(o Finding) bool { return o.Broken.ID == f.Broken.ID && o.Seed == f.Seed }):
					found = append(found, *f)
					if len(found) >= max(1, h.Most) {
						enough()
					}
				}
				mu.Unlock()
			}
		})
	}
	for seed := range seeds {
		select {
		case next <- seed:
			continue
		case <-feed.Done():
		}
		break
	}
	close(next)
	workers.Wait()
	slices.SortFunc(found, func(a, b Finding) int { return int(a.Seed - b.Seed) })
	return found, failed
}

// seed tries one seed; what it finds is made smaller.
func (h *Hunt) seed(ctx context.Context, seed int64, mu *sync.Mutex) (*Finding, error) {
	c := Draw(h.Base, seed, h.Ours)
	promises := Promises(h.Ours)
	s, err := c.Build(promises)
	if err != nil {
		return nil, err
	}
	e, err := h.Try(ctx, s)
	if err != nil {
		return nil, err
	}
	mu.Lock()
	if h.Tried != nil {
		h.Tried(seed, e)
	}
	if h.Found != nil && len(e.Broken) > 0 {
		h.Found(seed, e.Broken[0])
	}
	mu.Unlock()
	if len(e.Broken) == 0 {
		return nil, nil
	}
	return h.smaller(ctx, c, e)
}

// smaller shrinks a case that broke a promise to a scenario of its own.
func (h *Hunt) smaller(ctx context.Context, c *Case, e Evidence) (*Finding, error) {
	broken := e.Broken[0]
	only := slices.DeleteFunc(Promises(h.Ours), func(p Promise) bool { return p.ID != broken.ID })
	budget := h.Budget
	if budget <= 0 {
		budget = 300
	}
	drawn := len(c.Scenario.Timeline)
	small := Shrink(c, budget, func(c *Case) bool {
		s, err := c.Build(only)
		if err != nil {
			return false
		}
		e, err := h.Try(ctx, s)
		_, broken := e.breaks(broken.ID)
		return err == nil && broken && len(e.Invalid) == 0
	})
	if ctx.Err() != nil { // what was found is kept as it was drawn
		small = c
	}
	s, err := small.Build(only)
	if err != nil {
		return nil, err
	}
	if ctx.Err() == nil {
		if e, err = h.Try(ctx, s); err != nil {
			return nil, err
		}
	}
	b, still := e.breaks(broken.ID)
	if !still { // it was cut short, or broke the promise only together with others
		b = broken
	}
	s.Name = fmt.Sprintf("hunt-%d-%s", c.Seed, broken.ID)
	s.Title = "Broken: " + b.Says
	s.Notes = notes(c.Seed, b, e, drawn, small)
	if ctx.Err() != nil {
		s.Notes += "The hunt ended before it could be made smaller.\n"
	}
	return &Finding{Seed: c.Seed, Broken: b, Evidence: e, Scenario: s, Steps: len(s.Timeline), Drawn: drawn}, nil
}

// notes say what the scenario shows and where it comes from.
func notes(seed int64, b Broken, e Evidence, drawn int, c *Case) string {
	text := fmt.Sprintf("%s.\n\nFound by aftershock hunt, seed %d, and made smaller: %d of %d steps, %s of load.\nIts digest is %s.\n",
		b.Says, seed, len(c.Scenario.Timeline), drawn, strict.Duration(c.Scenario.Load.Duration()), e.Digest)
	switch b.ID {
	case promiseEnds:
		text += "No threshold shows it: the run itself does not end as it should.\n"
	case promiseSame:
		text += "No threshold shows it: run it twice, and the digests differ.\n"
	}
	return text
}

// Range yields the seeds from one to another, both included.
func Range(from, to int64) func(yield func(int64) bool) {
	return func(yield func(int64) bool) {
		for seed := from; seed <= to; seed++ {
			if !yield(seed) {
				return
			}
		}
	}
}

// Until yields the seeds from one on until a time has gone by.
func Until(from int64, d time.Duration) func(yield func(int64) bool) {
	end := time.Now().Add(d)
	return func(yield func(int64) bool) {
		for seed := from; time.Now().Before(end); seed++ {
			if !yield(seed) {
				return
			}
		}
	}
}
