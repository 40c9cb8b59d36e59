package queue

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// streamLane is one lane: who waits for it, and the two consumers that feed it. Takers ask the server for as many items
// as they are; nothing is fetched ahead of a taker, so nothing waits in this process while its lease runs.
type streamLane struct {
	name   string
	open   chan struct{} // closed when the consumers are there, or could not be made
	failed error         // why they could not
	takers takerList
	wait   int                       // number of takers
	held   map[*streamClaim]struct{} // claims of this process, neither settled nor out of time
	due    source
	fresh  source

	paused bool
	until  time.Time         // when the pause ends; zero: at Resume
	bodies map[uint64][]byte // what held retries brought

	probing bool // the server was asked what is due now
	probed  bool // and said that there is no more
	coming  int  // items given back, due at once, that have not come again
	asked   int  // times that the server was asked for them and did not know of them yet
	resting bool // before it is asked once more

	moved  time.Time // last delivery, or when takers began to wait
	stalls int       // in a row
}

// source is one consumer of a lane.
type source struct {
	stream, consumer, filter string

	inbox  string
	sub    *nats.Subscription
	last   chan struct{} // closed when the word lastToken came back
	token  uint64
	pulls  []pull
	spare  []*streamClaim       // came when no taker waited
	back   map[uint64]time.Time // items given back that keep their place, and when they are due
	broken bool                 // the server does not know the consumer, or it has no leader
}

// pull is a request for items that the server has not answered in full.
type pull struct {
	token uint64
	left  int
	end   time.Time
}

const (
	pullFor   = 5 * time.Second
	pullGrace = 2 * time.Second

	lastToken = "last" // in place of a request's number: nothing comes after this
)

// Take implements Queue.
func (q *Streamed) Take(ctx context.Context, lane string) (Claim, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l, err := q.laneOf(ctx, lane)
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil, ErrClosed
	}
	t := &taker{got: make(chan Claim, 1)}
	if l.wait == 0 {
		l.moved = time.Now()
	}
	l.takers.push(t)
	l.wait++
	q.serve(l)
	q.mu.Unlock()
	q.ask(l)

	select {
	case c := <-t.got:
		return handed(c)
	case <-ctx.Done():
	}
	q.mu.Lock()
	waiting := l.takers.remove(t)
	if waiting {
		l.wait--
	}
	q.mu.Unlock()
	if waiting {
		return nil, ctx.Err()
	}
	return handed(<-t.got)
}

// laneOf returns a lane whose consumers exist.
func (q *Streamed) laneOf(ctx context.Context, name string) (*streamLane, error) {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil, ErrClosed
	}
	l := q.lanes[name]
	if l == nil {
		l = q.newLane(name)
		q.lanes[name] = l
		q.mu.Unlock()
		l.failed = q.openLane(ctx, l)
		if l.failed != nil {
			q.mu.Lock()
			delete(q.lanes, name)
			q.mu.Unlock()
		}
		close(l.open)
		return l, l.failed
	}
	q.mu.Unlock()
	select {
	case <-l.open:
		return l, l.failed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (q *Streamed) newLane(name string) *streamLane {
	t := token(name)
	return &streamLane{
		name:  name,
		open:  make(chan struct{}),
		held:  map[*streamClaim]struct{}{},
		fresh: source{stream: q.names.out(), consumer: "fresh-" + t, filter: q.names.freshSubject(t, "*"), back: map[uint64]time.Time{}},
		due:   source{stream: q.names.later(), consumer: "due-" + t, filter: q.names.dueSubject(t, "*"), back: map[uint64]time.Time{}},
	}
}

func (q *Streamed) openLane(ctx context.Context, l *streamLane) error {
	for _, s := range []*source{&l.due, &l.fresh} {
		if err := q.ensure(ctx, s); err != nil {
			return err
		}
		if err := q.free(ctx, s); err != nil {
			return err
		}
		s.inbox = q.nc.NewInbox()
		s.last = make(chan struct{})
		var err error
		if s.sub, err = q.nc.Subscribe(s.inbox+".*", func(m *nats.Msg) { q.receive(l, s, m) }); err != nil {
			return fmt.Errorf("lane %q: %w", l.name, err)
		}
		if err := s.sub.SetPendingLimits(-1, -1); err != nil {
			return fmt.Errorf("lane %q: %w", l.name, err)
		}
	}
	return nil
}

// request is one message to the server: up to n items for a source, now or as they come.
type request struct {
	s     *source
	n     int
	token uint64
	now   bool
}

// ask requests items for takers that no request covers. As long as LATER holds anything, what is due there is asked for
// first, and fresh items when there is no more of it.
func (q *Streamed) ask(l *streamLane) {
	q.mu.Lock()
	requests, n := q.wanted(l)
	q.mu.Unlock()
	for _, r := range requests[:n] {
		data := fmt.Appendf(nil, `{"batch":%d,"expires":%d}`, r.n, pullFor)
		if r.now {
			data = fmt.Appendf(nil, `{"batch":%d,"no_wait":true}`, r.n)
		}
		err := q.request(&nats.Msg{
			Subject: "$JS.API.CONSUMER.MSG.NEXT." + r.s.stream + "." + r.s.consumer,
			Reply:   r.s.inbox + "." + strconv.FormatUint(r.token, 10),
			Data:    data,
		})
		if err != nil { // the request will be missed and made again
			q.events.failures.Add(1)
		}
	}
}

func (q *Streamed) wanted(l *streamLane) (requests [2]request, n int) {
	want := l.wait
	if q.cfg.MaxClaims > 0 {
		want = min(want, q.cfg.MaxClaims-len(l.held))
	}
	if q.closed || l.paused || l.probing || l.resting {
		return requests, 0
	}
	now := time.Now()
	due, fresh := want-l.due.expected(), want-l.fresh.expected()
	if fresh > 0 && !l.probed && !l.due.broken && q.later.Load() > 0 {
		l.probing = true
		requests[0] = l.due.pull(fresh, now)
		requests[0].now = true
		return requests, 1
	}
	l.probed = false
	if due > 0 && !l.due.broken {
		requests[n] = l.due.pull(due, now)
		n++
	}
	if fresh > 0 && !l.fresh.broken {
		requests[n] = l.fresh.pull(fresh, now)
		n++
	}
	return requests, n
}

// expected is how many items are here or asked for.
func (s *source) expected() int {
	n := len(s.spare)
	for _, p := range s.pulls {
		n += p.left
	}
	return n
}

func (s *source) pull(n int, now time.Time) request {
	s.token++
	s.pulls = append(s.pulls, pull{s.token, n, now.Add(pullFor + pullGrace)})
	return request{s: s, n: n, token: s.token}
}

// unpull forgets requests; without any, nothing is being looked for.
func (l *streamLane) unpull(s *source, which func(pull) bool) {
	s.pulls = slices.DeleteFunc(s.pulls, which)
	if s == &l.due && len(s.pulls) == 0 {
		l.probing = false
	}
}

// receive takes what the server sends to a lane: an item, or word about a request.
func (q *Streamed) receive(l *streamLane, s *source, m *nats.Msg) {
	if m.Reply == "" {
		q.answered(l, s, m)
		return
	}
	c := q.newClaim(l, s, m)
	q.mu.Lock()
	if len(s.pulls) > 0 { // the server answers its oldest request first
		s.pulls[0].left--
		l.unpull(s, func(p pull) bool { return p.left == 0 })
	}
	delete(s.back, c.seq)
	if s == &l.due && l.coming > 0 {
		l.coming--
		l.asked = 0
	}
	l.moved, l.stalls = time.Now(), 0
	closed := q.closed
	if !closed {
		s.spare = append(s.spare, c)
		q.serve(l)
	}
	q.mu.Unlock()
	if closed {
		q.giveBack(c)
	}
}

// answered hears that a request has ended without all it asked for.
func (q *Streamed) answered(l *streamLane, s *source, m *nats.Msg) {
	word := m.Subject[len(s.inbox)+1:]
	if word == lastToken {
		close(s.last)
		return
	}
	status := m.Header.Get("Status")
	if status == "" || status == "100" {
		return
	}
	number, err := strconv.ParseUint(word, 10, 64)
	if err != nil {
		return
	}
	q.mu.Lock()
	if s == &l.due && l.probing {
		l.probing, l.probed = false, !l.stillComing()
		if !l.probed && !q.closed {
			l.resting = true
			q.work.Go(func() { q.askAgain(l) })
		}
	}
	l.unpull(s, func(p pull) bool { return p.token == number })
	if status != "408" && status != "404" { // its time was not simply over
		s.broken = true
	}
	broken := s.broken
	q.mu.Unlock()
	if broken {
		q.wake()
		return
	}
	q.ask(l)
}

// maxAsked bounds how often the server is asked for an item that it has stored and whose consumer has not heard of it. What
// has not come then is with another process.
const maxAsked = 20

// askAgain asks for due items once more, when the server has had time to tell its consumer.
func (q *Streamed) askAgain(l *streamLane) {
	_ = q.pauseFor(context.Background(), time.Millisecond) // a queue that is closed asks for nothing
	q.mu.Lock()
	l.resting = false
	q.mu.Unlock()
	q.ask(l)
}

// stillComing reports whether to ask for due items once more before fresh ones are handed out.
func (l *streamLane) stillComing() bool {
	if l.coming == 0 {
		return false
	}
	if l.asked++; l.asked < maxAsked {
		return true
	}
	l.coming, l.asked = 0, 0
	return false
}

// serve hands items that have come to takers, due ones first.
func (q *Streamed) serve(l *streamLane) {
	if l.paused {
		return
	}
	for l.wait > 0 && (q.cfg.MaxClaims == 0 || len(l.held) < q.cfg.MaxClaims) {
		s := &l.due
		if len(s.spare) == 0 {
			s = &l.fresh
		}
		if len(s.spare) == 0 {
			return
		}
		c := s.spare[0]
		s.spare[0] = nil
		s.spare = s.spare[1:]
		l.held[c] = struct{}{}
		l.wait--
		l.takers.pop().got <- c
	}
}

// forgetPulls is for when the server may have forgotten them as well.
func (q *Streamed) forgetPulls() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lanes {
		l.unpull(&l.due, anyPull)
		l.unpull(&l.fresh, anyPull)
	}
}

func anyPull(pull) bool { return true }
