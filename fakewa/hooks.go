package fakewa

import (
	"context"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
)

// hooks is the webhook engine: it lets statuses take effect, fetches links and posts updates. One goroutine watches a
// heap of what is due; posts and fetches run on a bounded number of workers, so a dead receiver never slows a send.
type hooks struct {
	s     *Server
	lanes instant.Lanes

	mu      sync.Mutex
	tasks   taskHeap
	number  uint64 // of tasks, for lanes
	ready   []job  // waiting for a worker, oldest first
	active  int    // workers
	waiting int    // updates in ready, in batches, and waiting to be retried
	batches map[string]*post
	links   map[string]time.Time // when a good link was fetched
	poke    chan struct{}
	wg      sync.WaitGroup
}

// task is something due at an instant.
type task struct {
	due   int64 // Unix ns
	n     uint64
	stage stage
	later *later  // a stage of a message, or
	post  *post   // a POST to be made, or a batch to be closed,
	again bool    // or to be made again; or
	note  *update // a message from a user
}

// job is what a worker does.
type job struct {
	post  *post
	fetch *later
}

// post is one POST of one or more updates.
type post struct {
	url     string
	updates []*update
	size    int       // of its body, about
	first   time.Time // of the first try
	tries   int
	closed  bool // a batch that has left
}

func newHooks(s *Server, lanes instant.Lanes) *hooks {
	return &hooks{s: s, lanes: lanes, batches: map[string]*post{}, links: map[string]time.Time{}, poke: make(chan struct{}, 1)}
}

// expect schedules the future of an accepted message.
func (h *hooks) expect(l *later) {
	first, after := stageSent, l.Sent
	if len(l.Links) > 0 && l.Fail == nil {
		first, after = stageFetch, l.Fetch
	} else if l.Fail != nil {
		first = stageFailed
	}
	h.schedule(l.Accepted, after, task{stage: first, later: l})
}

// schedule puts a task on the heap, due at the first instant of its lane after now + d.
func (h *hooks) schedule(now time.Time, d time.Duration, t task) {
	h.mu.Lock()
	h.number++
	t.n = h.number
	t.due = now.Add(h.lanes.Of(instant.Webhook, t.n).After(now, d)).UnixNano()
	h.tasks.push(t)
	first := h.tasks[0].n == t.n
	h.mu.Unlock()
	if first {
		select {
		case h.poke <- struct{}{}:
		default:
		}
	}
}

// run works until ctx is done.
func (h *hooks) run(ctx context.Context) {
	defer h.wg.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		t, wait, due := h.pop(time.Now())
		if due {
			h.act(ctx, t)
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-h.poke:
		case <-ctx.Done():
			return
		}
	}
}

// pop takes the first task if it is due, or says how long until one is.
func (h *hooks) pop(now time.Time) (t task, wait time.Duration, due bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.tasks) == 0 {
		return task{}, time.Hour, false
	}
	if wait = time.Duration(h.tasks[0].due - now.UnixNano()); wait > 0 {
		return task{}, wait, false
	}
	return h.tasks.pop(), 0, true
}

func (h *hooks) act(ctx context.Context, t task) {
	now := time.Unix(0, t.due)
	switch {
	case t.again:
		h.start(ctx, job{post: t.post})
	case t.post != nil:
		h.leave(ctx, t.post)
	case t.note != nil:
		if url := h.s.route(t.note.number, stageInbound); url != "" {
			h.send(ctx, now, url, t.note)
		}
	case t.stage == stageFetch:
		h.start(ctx, job{fetch: t.later})
	default:
		h.reach(ctx, now, t.later, t.stage)
	}
}

// reach lets a stage take effect: in the ledger, towards the callback, and for the stage after it.
func (h *hooks) reach(ctx context.Context, now time.Time, l *later, s stage) {
	if s != stageSent {
		e := l.entry(s, now)
		h.s.ledger.add(&e)
	}
	if next, after, ok := l.next(s); ok {
		h.schedule(now, after, task{stage: next, later: l})
	}
	if url := h.s.route(l.Number, s); url != "" && !l.Silent {
		h.send(ctx, now, url, l.update(s, now))
	}
}

// send posts an update, as the faults in force let it.
func (h *hooks) send(ctx context.Context, now time.Time, url string, u *update) {
	cfg := &h.s.settings().Webhook
	p := posting{now: now, update: u, batch: cfg.Batch}
	h.s.mu.Lock()
	h.s.core.faults.post(&p)
	h.s.mu.Unlock()
	if p.lost {
		h.s.ledger.change(func(s *Summary) { s.Webhooks.Dropped++ })
		return
	}
	for _, after := range append(p.copies, 0) {
		h.queue(ctx, now, url, u, p.delay+after, p.batch, cfg.Linger)
	}
}

// queue posts an update after a delay, in company where batching is on.
func (h *hooks) queue(ctx context.Context, now time.Time, url string, u *update, delay time.Duration, batch int, linger time.Duration) {
	h.mu.Lock()
	if h.waiting >= h.s.hookQueue() {
		h.mu.Unlock()
		h.s.ledger.change(func(s *Summary) { s.Webhooks.Dropped++ })
		return
	}
	h.waiting++
	one := &post{url: url, updates: []*update{u}, size: u.size()}
	if batch <= 1 {
		h.mu.Unlock()
		if delay > 0 {
			h.schedule(now, delay, task{post: one})
		} else {
			h.leave(ctx, one)
		}
		return
	}
	open := h.batches[url]
	var heavy *post // leaves before this update would make it too large
	if open != nil && open.size+one.size > maxHook {
		heavy, open = open, nil
	}
	opened := open == nil
	if opened {
		open = one
		h.batches[url] = open
	} else {
		open.updates, open.size = append(open.updates, u), open.size+one.size
	}
	full := len(open.updates) >= batch
	h.mu.Unlock()
	if heavy != nil {
		h.leave(ctx, heavy)
	}
	switch {
	case full:
		h.leave(ctx, open)
	case opened:
		h.schedule(now, max(delay, linger), task{post: open})
	}
}

// maxHook is the most bytes of a POST, as Meta documents it.
const maxHook = 3 * mib

// size is about how many bytes an update takes up in a POST, and not less.
func (u *update) size() int {
	if u.inbound != nil {
		return 1024 + 12*len(u.inbound.name) + len(u.inbound.message)
	}
	return 1024 + 6*len(u.later.Callback)
}

// leave hands a POST to a worker; a batch leaves once.
func (h *hooks) leave(ctx context.Context, p *post) {
	h.mu.Lock()
	if p.closed {
		h.mu.Unlock()
		return
	}
	p.closed = true
	if h.batches[p.url] == p {
		delete(h.batches, p.url)
	}
	h.mu.Unlock()
	h.start(ctx, job{post: p})
}

// start gives a job to a new worker, or to the next one that becomes free.
func (h *hooks) start(ctx context.Context, j job) {
	most := h.s.hookWorkers()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.active >= most {
		h.ready = append(h.ready, j)
		return
	}
	h.active++
	h.wg.Go(func() { h.work(ctx, j) })
}

func (h *hooks) work(ctx context.Context, j job) {
	for {
		if j.post != nil {
			h.try(ctx, j.post)
		} else {
			h.fetch(ctx, j.fetch)
		}
		h.mu.Lock()
		if len(h.ready) == 0 || ctx.Err() != nil {
			h.active--
			h.mu.Unlock()
			return
		}
		j = h.ready[0]
		h.ready[0] = job{}
		h.ready = h.ready[1:]
		h.mu.Unlock()
	}
}

// lane returns a lane for a wait of a worker.
func (h *hooks) lane() instant.Lane {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.number++
	return h.lanes.Of(instant.Webhook, h.number)
}

// reset forgets what was to come; posts under way end as they will.
func (h *hooks) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tasks, h.ready, h.waiting = nil, nil, 0
	clear(h.batches)
	clear(h.links)
}

// gauge returns how many updates wait and how many workers are busy.
func (h *hooks) gauge() (waiting, active int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.waiting, h.active
}
