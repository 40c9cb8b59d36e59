package agent

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/aftershock-dev/aftershock/harness"
)

// Result is what a team did.
type Result struct {
	Rows       int           // messages that were told of
	Histograms               // of all agents together
	Skew       time.Duration // by how much the agents' starts may have differed
}

// ErrLost is returned when an agent died: its share was not sent, and the run measured something else than it says.
var ErrLost = errors.New("an agent was lost")

// Fire lets the agents go, all at start, and collects what they did until the last of them is done. report is called
// once for every message, never twice at a time. Whatever goes wrong with one agent stops all of them.
func (t *Team) Fire(ctx context.Context, start time.Time, report func(harness.Hit)) (Result, error) {
	c := &collector{team: t, report: report, over: make(chan struct{}), members: map[string]*teammate{}}
	for _, m := range t.members {
		c.members[m.id] = m
		m.heard = time.Now()
	}
	subs, err := c.listen()
	if err == nil {
		err = t.begin(ctx, start)
	}
	if err == nil {
		err = c.watch(ctx, start)
	}
	if err != nil {
		c.stop()
		_ = t.each(func(m *teammate) error { // those who can still hear it
			_, err := ask[receipt](context.WithoutCancel(ctx), t, m, "stop", nil)
			return err
		})
	}
	for _, s := range subs {
		err = errors.Join(err, s.Unsubscribe())
	}
	result, sumErr := c.result()
	return result, errors.Join(err, sumErr)
}

// begin tells every agent when to start, by its own clock.
func (t *Team) begin(ctx context.Context, start time.Time) error {
	return t.each(func(m *teammate) error {
		r, err := ask[receipt](ctx, t, m, "start", encode(begin{start.Add(m.offset).UnixNano()}))
		if err == nil && r.Error != "" {
			err = fmt.Errorf("agent %s: %s", m.id, r.Error)
		}
		return err
	})
}

// collector takes in what the agents tell.
type collector struct {
	team    *Team
	members map[string]*teammate
	report  func(harness.Hit)

	mu      sync.Mutex // one batch at a time
	stopped bool
	left    int
	over    chan struct{} // closed when every agent has finished
}

func (c *collector) listen() ([]*nats.Subscription, error) {
	c.left = len(c.members)
	run := c.team.order.Run
	var subs []*nats.Subscription
	for subject, handle := range map[string]func(*teammate, *nats.Msg) error{
		c.team.subjects.rows(run): c.rows, c.team.subjects.finish(run): c.finish,
	} {
		s, err := c.team.conn.Subscribe(subject, func(m *nats.Msg) { c.take(m, handle) })
		if err != nil {
			return subs, fmt.Errorf("listen to the agents: %w", err)
		}
		subs = append(subs, s)
	}
	return subs, c.team.conn.Flush()
}

// take handles one message of an agent and acknowledges it.
func (c *collector) take(m *nats.Msg, handle func(*teammate, *nats.Msg) error) {
	mate := c.members[m.Header.Get(headAgent)]
	answer := receipt{}
	c.mu.Lock()
	switch {
	case mate == nil || c.stopped:
		answer.Stop = true
	default:
		if err := handle(mate, m); err != nil {
			answer.Stop = true
			mate.mu.Lock()
			mate.fault = errors.Join(mate.fault, fmt.Errorf("agent %s: %w", mate.id, err))
			mate.mu.Unlock()
		}
	}
	c.mu.Unlock()
	_ = m.Respond(encode(answer)) // an agent that hears nothing tells again
}

// rows merges one batch; one that came before counts once.
func (c *collector) rows(mate *teammate, m *nats.Msg) error {
	n, err := strconv.Atoi(m.Header.Get(headBatch))
	if err != nil {
		return fmt.Errorf("a batch without a number: %w", err)
	}
	mate.mu.Lock()
	defer mate.mu.Unlock()
	mate.heard = time.Now()
	if n < mate.batches {
		return nil
	}
	if n > mate.batches {
		return fmt.Errorf("batch %d came after %d: some are missing", n, mate.batches)
	}
	mate.batches++
	order := c.team.order
	order.Shard = mate.shard
	for data := m.Data; len(data) > 0; mate.rows++ {
		var r harness.Hit
		if r, data, err = readRow(data); err != nil {
			return err
		}
		if !order.Mine(r.Number) {
			return fmt.Errorf("it sent message %d, which is not of its share", r.Number)
		}
		c.report(r)
	}
	return nil
}

// finish takes an agent's last word.
func (c *collector) finish(mate *teammate, m *nats.Msg) error {
	f, err := decode[finish](m.Data)
	if err != nil {
		return err
	}
	mate.mu.Lock()
	defer mate.mu.Unlock()
	mate.heard = time.Now()
	if mate.done != nil {
		return nil
	}
	mate.done = &f
	if c.left--; c.left == 0 {
		close(c.over)
	}
	return nil
}

// stop tells every agent that asks to give up.
func (c *collector) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
}

// watch returns when all agents have finished, or one cannot be counted on any more.
func (c *collector) watch(ctx context.Context, start time.Time) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.over:
			return c.faults()
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := c.faults(); err != nil {
			return err
		}
		for _, m := range c.team.members {
			m.mu.Lock()
			quiet, done, told := time.Since(later(m.heard, start)), m.done != nil, m.rows
			m.mu.Unlock()
			if !done && quiet > c.team.opts.Silence {
				return fmt.Errorf("%w: agent %s has been silent for %v, %d of its %d messages are unaccounted for",
					ErrLost, m.id, quiet.Round(100*time.Millisecond), m.hits-told, m.hits)
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (c *collector) faults() error {
	var errs []error
	for _, m := range c.team.members {
		m.mu.Lock()
		errs = append(errs, m.fault)
		if m.done != nil && m.done.Error != "" {
			errs = append(errs, fmt.Errorf("%w: agent %s: %s", ErrLost, m.id, m.done.Error))
		}
		m.mu.Unlock()
	}
	return errors.Join(errs...)
}

// result adds up and checks the sums.
func (c *collector) result() (Result, error) {
	out := Result{Histograms: NewHistograms()}
	var errs []error
	for _, m := range c.team.members {
		m.mu.Lock()
		out.Rows += m.rows
		out.Skew = max(out.Skew, m.error)
		if f := m.done; f != nil {
			errs = append(errs, m.check(f))
			h, err := decodeHistograms(f.Histograms)
			if err == nil {
				err = out.merge(h)
			}
			errs = append(errs, err)
		}
		m.mu.Unlock()
	}
	return out, errors.Join(errs...)
}

// check compares an agent's last word with what arrived; the caller holds its mutex.
func (m *teammate) check(f *finish) error {
	if f.Error == "" && (f.Rows != m.rows || f.Batches != m.batches || m.rows != m.hits) {
		return fmt.Errorf("%w: agent %s was to send %d messages, says it sent %d, and %d arrived here", ErrLost, m.id, m.hits, f.Rows, m.rows)
	}
	return nil
}
