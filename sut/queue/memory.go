package queue

import (
	"context"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
)

// Memory is a queue in this process. Every operation takes O(log n) or less and the order is exact: a lane hands out
// due retries by the instant they became due, then items that were never taken in the order they were put. One timer
// serves all waits.
type Memory struct {
	cfg   Config
	clock instant.Lane
	fires sync.WaitGroup // timers armed, or firing

	mu      sync.Mutex // never held while waiting
	closed  bool
	lanes   map[string]*memoryLane
	tenants map[tenantKey]*tenantCount
	seq     uint64
	total   int // unfinished
	delayed int
	claimed int
	ages    ageList
	waits   waitHeap
	seen    seenIDs
	dead    deadList
	timer   *time.Timer
	timerAt time.Time // what the timer was set for; zero: not set
}

// memoryLane is one lane: what is ready, and who waits for it.
type memoryLane struct {
	name   string
	due    itemList // retries and redeliveries that are due
	fresh  itemList // never taken
	takers takerList
	total  int // unfinished
	window int // what counts against MaxClaims

	paused bool
	until  time.Time // when the pause ends; zero: at Resume
}

type tenantKey struct{ lane, tenant string }

type tenantCount struct {
	key tenantKey
	n   int
}

var (
	_ Queue  = (*Memory)(nil)
	_ Pauser = (*Memory)(nil)
)

// NewMemory returns an empty queue in memory. It panics on a configuration that Validate refuses.
func NewMemory(cfg Config) *Memory {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	return &Memory{
		cfg:     cfg,
		clock:   cfg.Lanes.Of(instant.System, instant.QueueTimer),
		lanes:   map[string]*memoryLane{},
		tenants: map[tenantKey]*tenantCount{},
		seen:    newSeenIDs(cfg.dedupeWindow()),
	}
}

// Put implements Queue.
func (q *Memory) Put(ctx context.Context, it Item) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkItem(&it); err != nil {
		return err
	}
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if q.seen.has(now, it.ID) {
		return ErrDuplicate
	}
	if err := q.add(now, it); err != nil {
		return err
	}
	q.seen.add(now, it.ID)
	return nil
}

// add puts a new item where it belongs, or refuses it for want of room.
func (q *Memory) add(now time.Time, it Item) error {
	if q.cfg.MaxItems > 0 && q.total >= q.cfg.MaxItems {
		return ErrFull
	}
	key := tenantKey{it.Lane, it.Tenant}
	tenant := q.tenants[key]
	if tenant != nil && q.cfg.MaxPerTenant > 0 && tenant.n >= q.cfg.MaxPerTenant {
		return ErrTenantFull
	}
	if tenant == nil {
		tenant = &tenantCount{key: key}
		q.tenants[key] = tenant
	}
	it.Enqueued, it.Delivery = now, 0
	q.seq++
	n := &node{item: it, seq: q.seq, lane: q.lane(it.Lane), tenant: tenant, wait: -1}
	tenant.n++
	n.lane.total++
	q.total++
	if it.NotBefore.After(now) {
		q.delay(n, it.NotBefore)
		return nil
	}
	q.ages.add(n, now)
	n.lane.fresh.push(n)
	q.serve(n.lane)
	return nil
}

// Take implements Queue.
func (q *Memory) Take(ctx context.Context, lane string) (Claim, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil, ErrClosed
	}
	l := q.lane(lane)
	if l.takers.first == nil {
		if n := q.next(l); n != nil {
			c := q.claim(n)
			q.mu.Unlock()
			return c, nil
		}
	}
	t := &taker{got: make(chan Claim, 1)}
	l.takers.push(t)
	q.mu.Unlock()

	select {
	case c := <-t.got:
		return handed(c)
	case <-ctx.Done():
	}
	q.mu.Lock()
	waiting := l.takers.remove(t)
	q.mu.Unlock()
	if waiting {
		return nil, ctx.Err()
	}
	return handed(<-t.got) // it was served first: the item is its own
}

func handed(c Claim) (Claim, error) {
	if c == nil {
		return nil, ErrClosed
	}
	return c, nil
}

// Stats implements Queue.
func (q *Memory) Stats(context.Context) (Stats, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return Stats{}, ErrClosed
	}
	s := Stats{
		Ready:     q.total - q.delayed - q.claimed,
		Delayed:   q.delayed,
		Claimed:   q.claimed,
		Dead:      q.dead.len(),
		Oldest:    q.ages.oldest(),
		PerLane:   make(map[string]int, len(q.lanes)),
		PerTenant: make(map[string]int, len(q.tenants)),
	}
	for name, l := range q.lanes {
		if l.total > 0 {
			s.PerLane[name] = l.total
		}
	}
	for key, t := range q.tenants {
		s.PerTenant[key.tenant] += t.n
	}
	return s, nil
}

// Close implements Queue.
func (q *Memory) Close(context.Context) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	q.closed = true
	q.disarm()
	for _, l := range q.lanes {
		for t := l.takers.pop(); t != nil; t = l.takers.pop() {
			t.got <- nil
		}
	}
	q.mu.Unlock()
	q.fires.Wait()
	return nil
}

// Pause implements Pauser.
func (q *Memory) Pause(_ context.Context, lane string, until time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	l := q.lane(lane)
	l.paused, l.until = true, until
	q.arm()
	return nil
}

// Resume implements Pauser.
func (q *Memory) Resume(_ context.Context, lane string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	l := q.lane(lane)
	l.paused, l.until = false, time.Time{}
	q.serve(l)
	return nil
}

func (q *Memory) lane(name string) *memoryLane {
	l := q.lanes[name]
	if l == nil {
		l = &memoryLane{name: name}
		q.lanes[name] = l
	}
	return l
}

// next takes what the lane hands out next off its lists; nil when there is nothing, or nothing allowed.
func (q *Memory) next(l *memoryLane) *node {
	if l.paused {
		return nil
	}
	full := q.cfg.MaxClaims > 0 && l.window >= q.cfg.MaxClaims
	if l.due.first != nil && (!full || q.cfg.HoldRetries) {
		return l.due.pop()
	}
	if full {
		return nil
	}
	return l.fresh.pop()
}

// serve hands items to waiting takers as long as there are both.
func (q *Memory) serve(l *memoryLane) {
	for l.takers.first != nil {
		n := q.next(l)
		if n == nil {
			return
		}
		l.takers.pop().got <- q.claim(n)
	}
}
