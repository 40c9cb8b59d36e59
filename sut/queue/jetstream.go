package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/queue/natsnode"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Storage says where JetStream keeps its streams.
type Storage string

// The storages. Memory is for virtual time: what it holds ends with the server.
const (
	StorageFile   Storage = "file"
	StorageMemory Storage = "memory"
)

// JetStream says which NATS to use and how. The zero value is a server of the queue's own, with synced files in a
// temporary directory.
type JetStream struct {
	URL         string         // servers of an outside cluster, comma separated
	Credentials string         // file of credentials for URL
	Node        *natsnode.Node // a server in this process that somebody else stops
	Dir         string         // directory of the queue's own server, used without URL and Node

	Prefix   string  // names streams and subjects, so that queues can share a cluster; default "aftershock"
	Replicas int     // copies of each stream; default 3 in an outside cluster of three or more servers, else 1
	Storage  Storage // default StorageFile
	Unsynced bool    // the queue's own server does not sync its writes

	// ShortRetry is the longest delay of a retry that keeps its place in the stream. Longer ones, and those with a new
	// body, move to the stream LATER. Default 2 s.
	ShortRetry time.Duration

	// StallAfter is how long a lane with items and takers may deliver nothing before the queue asks anew, and then
	// makes the consumer anew. Default 1 min.
	StallAfter time.Duration

	KeepDead time.Duration // how long dead letters are kept; default 30 days, in virtual time (Config.Lanes) for ever
}

const (
	defaultPrefix     = "aftershock"
	defaultShortRetry = 2 * time.Second
	defaultStallAfter = time.Minute
	defaultKeepDead   = 30 * 24 * time.Hour
	longestLease      = 24 * time.Hour
	watchEvery        = 5 * time.Second
	tryFor            = 5 * time.Second        // one attempt at a request
	tryAgain          = 200 * time.Millisecond // between two attempts
)

var prefixPattern = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (o JetStream) withDefaults() (JetStream, error) {
	if o.Prefix == "" {
		o.Prefix = defaultPrefix
	}
	if o.Replicas == 0 && o.URL == "" {
		o.Replicas = 1
	}
	if o.Storage == "" {
		o.Storage = StorageFile
	}
	if o.ShortRetry == 0 {
		o.ShortRetry = defaultShortRetry
	}
	if o.StallAfter == 0 {
		o.StallAfter = defaultStallAfter
	}
	if o.KeepDead == 0 {
		o.KeepDead = defaultKeepDead
	}
	switch {
	case !prefixPattern.MatchString(o.Prefix):
		return o, fmt.Errorf("prefix %q: only letters, digits, _ and - are allowed", o.Prefix)
	case o.Replicas < 0 || o.Replicas > 5:
		return o, fmt.Errorf("%d replicas: JetStream keeps 1 to 5", o.Replicas)
	case o.Storage != StorageFile && o.Storage != StorageMemory:
		return o, fmt.Errorf("storage %q: there are %q and %q", o.Storage, StorageFile, StorageMemory)
	case o.ShortRetry < 0 || o.StallAfter < 0 || o.KeepDead < 0:
		return o, fmt.Errorf("a duration is negative: short retry %v, stall after %v, keep dead %v", o.ShortRetry, o.StallAfter, o.KeepDead)
	case o.URL != "" && o.Node != nil, o.URL != "" && o.Dir != "", o.Node != nil && o.Dir != "":
		return o, errors.New("of URL, Node and Dir one at most can say where NATS is")
	}
	return o, nil
}

// Streamed is a queue in NATS JetStream. Any number of them, in any number of processes, may share the same streams.
//
// Fresh items are in the stream OUT, which refuses what does not fit. Items that wait long are schedules in the stream
// LATER, which puts them back when they are due: schedules and refusal cannot be had in one stream. Dead letters are in
// the stream DEAD. Each lane has a consumer on OUT and one on LATER.
type Streamed struct {
	cfg   Config
	opts  JetStream
	names names
	lease time.Duration
	clock instant.Lane

	own  *natsnode.Node // stopped by Close
	nc   *nats.Conn
	js   jetstream.JetStream
	out  jetstream.Stream
	late jetstream.Stream
	dead jetstream.Stream

	total atomic.Int64 // unfinished items, as far as known
	later atomic.Int64 // those of them in LATER, as far as known

	request func(*nats.Msg) error // asks for items

	health health
	ended  <-chan struct{} // closed by Close
	stop   context.CancelFunc
	kick   chan struct{} // wakes watch
	work   sync.WaitGroup
	events events

	mu     sync.Mutex // never held while waiting
	closed bool
	lanes  map[string]*streamLane
}

// events counts what should not happen.
type events struct {
	stalls, recreated, reconnects, foreign, failures, restarts atomic.Int64
}

var (
	_ Queue  = (*Streamed)(nil)
	_ Pauser = (*Streamed)(nil)
)

// Prepare must be called before a testing/synctest bubble is entered in which OpenJetStream is used.
func Prepare() { natsnode.Prepare() }

// OpenJetStream opens the streams, making them if needed. It waits for a cluster to be ready as long as ctx allows.
func OpenJetStream(ctx context.Context, cfg Config, opts JetStream) (*Streamed, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("queue: jetstream: %w", err)
	}
	life, stop := context.WithCancel(context.Background())
	q := &Streamed{
		cfg:   cfg,
		opts:  opts,
		names: names{prefix: opts.Prefix},
		lease: cfg.Lease,
		clock: cfg.Lanes.Of(instant.System, instant.QueueTimer),
		ended: life.Done(),
		stop:  stop,
		kick:  make(chan struct{}, 1),
		lanes: map[string]*streamLane{},
	}
	if q.lease == 0 {
		q.lease = longestLease
	}
	if err := q.open(ctx); err != nil {
		stop()
		return nil, fmt.Errorf("queue: open jetstream: %w", errors.Join(err, q.disconnect()))
	}
	q.request = q.nc.PublishMsg
	q.work.Go(func() { q.watch(life) })
	if q.own != nil && opts.Storage == StorageFile && !cfg.Lanes.On {
		q.health.recovers()
		q.work.Go(func() { q.nurse(life) })
	}
	return q, nil
}

func (q *Streamed) open(ctx context.Context) error {
	if q.opts.URL == "" && q.opts.Node == nil {
		node, err := natsnode.Start(natsnode.Config{Dir: q.opts.Dir, Unsynced: q.opts.Unsynced})
		if err != nil {
			return err
		}
		q.own = node
	}
	if err := q.connect(ctx); err != nil {
		return err
	}
	var err error
	if q.js, err = jetstream.New(q.nc); err != nil {
		return err
	}
	for _, s := range []struct {
		cfg  jetstream.StreamConfig
		into *jetstream.Stream
	}{{q.outConfig(), &q.out}, {q.laterConfig(), &q.late}, {q.deadConfig(), &q.dead}} {
		err := q.persist(ctx, func(ctx context.Context) (err error) {
			*s.into, err = q.js.CreateOrUpdateStream(ctx, s.cfg)
			return err
		})
		if err != nil {
			return fmt.Errorf("stream %s: %w", s.cfg.Name, err)
		}
	}
	return q.recount(ctx)
}

func (q *Streamed) connect(ctx context.Context) error {
	opts := []nats.Option{
		nats.Name("aftershock queue"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(tryAgain),
		nats.ReconnectJitter(tryAgain/4, tryAgain/4),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) { q.events.failures.Add(1) }),
		nats.ReconnectHandler(func(*nats.Conn) {
			q.events.reconnects.Add(1)
			q.forgetPulls()
			q.wake()
		}),
	}
	if q.opts.Credentials != "" {
		opts = append(opts, nats.UserCredentials(q.opts.Credentials))
	}
	switch {
	case q.own != nil:
		nc, err := q.own.Connect(opts...)
		q.nc = nc
		return err
	case q.opts.Node != nil:
		nc, err := q.opts.Node.Connect(opts...)
		q.nc = nc
		return err
	}
	err := q.persist(ctx, func(context.Context) error {
		nc, err := nats.Connect(q.opts.URL, opts...)
		q.nc = nc
		return err
	})
	if err == nil && q.opts.Replicas == 0 {
		q.opts.Replicas = 1
		if len(q.nc.Servers()) >= 3 { // those that we were told of, and those that they told of
			q.opts.Replicas = 3
		}
	}
	return err
}

// persist does something again and again until it works, is refused for good, or ctx is done.
func (q *Streamed) persist(ctx context.Context, do func(context.Context) error) error {
	for {
		try, cancel := context.WithTimeout(ctx, tryFor)
		err := do(try)
		cancel()
		if err == nil || ctx.Err() != nil || !passing(err) {
			return err
		}
		if q.pauseFor(ctx, tryAgain) != nil {
			return err
		}
	}
}

// pauseFor waits; it ends early with ctx and with the queue.
func (q *Streamed) pauseFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(q.clock.After(time.Now(), d))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-q.ended:
		return ErrClosed
	}
}

// passing tells failures that may be gone the next time from refusals.
func passing(err error) bool {
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		return api.Code >= 500 && !isFull(err)
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return slices.ContainsFunc([]error{
		context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, jetstream.ErrNoStreamResponse, nats.ErrNoServers,
		nats.ErrDisconnected, nats.ErrConnectionReconnecting, nats.ErrReconnectBufExceeded, nats.ErrStaleConnection,
	}, func(target error) bool { return errors.Is(err, target) })
}

// Close implements Queue. Items claimed and not settled are handed out again when their lease has run out.
func (q *Streamed) Close(ctx context.Context) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	q.closed = true
	q.stop()
	var unused []*streamClaim
	for _, l := range q.lanes {
		for t := l.takers.pop(); t != nil; t = l.takers.pop() {
			t.got <- nil
		}
		unused = append(unused, l.due.spare...)
		unused = append(unused, l.fresh.spare...)
		l.due.spare, l.fresh.spare = nil, nil
	}
	q.mu.Unlock()
	for _, c := range unused {
		q.giveBack(c)
	}
	q.work.Wait()
	q.drain(ctx)
	return q.disconnect()
}

// drain waits until the items that were on their way to takers have come, and have been given back. (The connection's
// own Drain keeps timers from one use to the next, and in a bubble no other bubble's timer may be used.)
func (q *Streamed) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	for _, l := range q.opened() {
		for _, s := range []*source{&l.due, &l.fresh} {
			if err := q.nc.Publish(s.inbox+"."+lastToken, nil); err != nil {
				return
			}
			select {
			case <-s.last:
			case <-ctx.Done():
				return
			}
			if err := s.sub.Unsubscribe(); err != nil {
				return
			}
		}
	}
	if err := q.nc.FlushWithContext(ctx); err != nil { // what was given back comes when its lease has run out
		q.events.failures.Add(1)
	}
}

func (q *Streamed) disconnect() error {
	var errs []error
	if q.nc != nil {
		closed := make(chan struct{})
		q.nc.SetClosedHandler(func(*nats.Conn) { close(closed) })
		q.nc.Close()
		<-closed
	}
	if q.own != nil {
		errs = append(errs, q.own.Stop())
	}
	return errors.Join(errs...)
}
