package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// Options say which agents a run asks for.
type Options struct {
	Group   string        // default DefaultGroup
	Version string        // of the program: agents of another one are refused
	Agents  int           // how many are needed
	Within  time.Duration // to find them; default 30 s
	Silence time.Duration // after which an agent counts as dead; default 5 s
	Key     string        // signs what agents are told; "": nothing is signed
}

// Team is the agents of one run. Gather finds them, Prepare gives each its share, Fire lets them go.
type Team struct {
	conn     *nats.Conn
	opts     Options
	subjects subjects
	members  []*teammate
	order    Order
}

// teammate is one agent as the team knows it.
type teammate struct {
	id     string
	nonce  string
	shard  int
	hits   int
	offset time.Duration // its clock minus ours
	error  time.Duration // by how much that may be wrong

	mu      sync.Mutex
	heard   time.Time
	batches int
	rows    int
	done    *finish
	fault   error
}

// Gather calls agents until there are enough of them.
func Gather(ctx context.Context, conn *nats.Conn, o Options) (*Team, error) {
	o.Group = cmp.Or(o.Group, DefaultGroup)
	o.Within = cmp.Or(o.Within, 30*time.Second)
	o.Silence = cmp.Or(o.Silence, 5*time.Second)
	if err := checkToken("group", o.Group); err != nil {
		return nil, err
	}
	if o.Agents < 1 {
		return nil, fmt.Errorf("a team of %d agents: at least 1 is needed", o.Agents)
	}
	t := &Team{conn: conn, opts: o, subjects: subjects{o.Group}}
	ctx, cancel := context.WithTimeout(ctx, o.Within)
	defer cancel()
	found := map[string]hello{}
	for {
		if err := t.call(ctx, found); err != nil {
			return nil, err
		}
		free, others := sift(found, o.Version)
		if len(free) >= o.Agents {
			for i, id := range free[:o.Agents] {
				t.members = append(t.members, &teammate{id: id, nonce: found[id].Nonce, shard: i})
			}
			return t, t.clocks(ctx)
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%d of %d agents answered in %v%s\nhint: start more with 'aftershock agent --nats URL'",
				len(free), o.Agents, o.Within, others)
		}
	}
}

// call asks who is there, and listens for a while.
func (t *Team) call(ctx context.Context, found map[string]hello) error {
	inbox := t.conn.NewRespInbox()
	sub, err := t.conn.SubscribeSync(inbox)
	if err != nil {
		return fmt.Errorf("call agents: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := t.conn.PublishRequest(t.subjects.call(), inbox, nil); err != nil {
		return fmt.Errorf("call agents: %w", err)
	}
	listen, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	clear(found)
	for {
		m, err := sub.NextMsgWithContext(listen)
		if errors.Is(err, nats.ErrNoResponders) {
			wait(listen, 500*time.Millisecond)
			return nil
		}
		if err != nil {
			return t.conn.LastError()
		}
		if h, err := decode[hello](m.Data); err == nil && checkToken("agent", h.ID) == nil {
			if _, twice := found[h.ID]; twice {
				return fmt.Errorf("two agents call themselves %q: give each its own --id", h.ID)
			}
			found[h.ID] = h
		}
		if free, _ := sift(found, t.opts.Version); len(free) >= t.opts.Agents {
			return nil
		}
	}
}

// sift returns the agents that can be used, in order, and tells of the others.
func sift(found map[string]hello, version string) (free []string, others string) {
	busy, strange := 0, ""
	for id, h := range found {
		switch {
		case h.Version != version:
			strange = h.Version
		case h.Busy:
			busy++
		default:
			free = append(free, id)
		}
	}
	slices.Sort(free)
	if busy > 0 {
		others = fmt.Sprintf("; %d are busy", busy)
	}
	if strange != "" {
		others += fmt.Sprintf("; some are of version %s, this is %s", strange, version)
	}
	return free, others
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// clocks finds out how far each agent's clock is from ours: the quickest of some readings is off by half its round
// trip at most.
func (t *Team) clocks(ctx context.Context) error {
	return t.each(func(m *teammate) error {
		m.error = time.Hour
		for range 9 {
			asked := time.Now()
			r, err := ask[clockReading](ctx, t, m, "clock", nil)
			if err != nil {
				return err
			}
			trip := time.Since(asked)
			if trip/2 < m.error {
				m.error = trip / 2
				m.offset = time.Unix(0, r.Now).Sub(asked.Add(trip / 2))
			}
		}
		return nil
	})
}

// Prepare gives every agent its share. hits is how many messages all shares must hold together.
func (t *Team) Prepare(ctx context.Context, o Order, hits int) error {
	o.Shards = len(t.members)
	t.order = o
	if err := checkToken("run", o.Run); err != nil {
		return err
	}
	err := t.each(func(m *teammate) error {
		mine := o
		mine.Shard = m.shard
		p, err := ask[prepared](ctx, t, m, "order", encode(mine))
		if err == nil && p.Error != "" {
			err = fmt.Errorf("agent %s: %s", m.id, p.Error)
		}
		m.hits = p.Hits
		return err
	})
	if err != nil {
		return err
	}
	sum := 0
	for _, m := range t.members {
		sum += m.hits
	}
	if sum != hits {
		return fmt.Errorf("the agents' shares hold %d messages, the scenario %d: are all of one version?", sum, hits)
	}
	return nil
}

// String names the agents.
func (t *Team) String() string {
	ids, apart := make([]string, len(t.members)), time.Duration(0)
	for i, m := range t.members {
		ids[i], apart = m.id, max(apart, m.error)
	}
	return fmt.Sprintf("%d agents (%s), whose clocks are known to %v", len(ids), strings.Join(ids, ", "), apart.Round(time.Microsecond))
}

// each does something with every agent at once.
func (t *Team) each(f func(m *teammate) error) error {
	errs := make([]error, len(t.members))
	var all sync.WaitGroup
	for i, m := range t.members {
		all.Go(func() { errs[i] = f(m) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// ask sends one agent a request.
func ask[T any](ctx context.Context, t *Team, m *teammate, door string, data []byte) (T, error) {
	within := answerIn
	if door == "order" {
		within = 30 * time.Second // a long schedule takes a moment
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var none T
	request := &nats.Msg{Subject: t.subjects.agent(m.id, door), Data: data}
	if t.opts.Key != "" {
		request.Header = nats.Header{headSignature: []string{sign(t.opts.Key, m.id, door, m.nonce, data)}}
	}
	answer, err := t.conn.RequestMsgWithContext(ctx, request)
	if err != nil {
		return none, fmt.Errorf("agent %s: %s: %w", m.id, door, err)
	}
	v, err := decode[T](answer.Data)
	if err != nil {
		return none, fmt.Errorf("agent %s: %s: %w", m.id, door, err)
	}
	return v, nil
}
