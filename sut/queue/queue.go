package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/aftershock-dev/aftershock/internal/instant"
)

// Item is one draft waiting to be dispatched. The queue reads the fields it needs and passes all of them on.
type Item struct {
	ID        string    // the draft's id: the dedupe key, never empty
	Lane      string    // priority lane: agent, transactional, bulk; "" is a lane as well
	Tenant    string    // whose share of the queue it takes; "" is a tenant as well
	Key       string    // conversation, for order; passed on only
	Body      []byte    // opaque to the queue
	NotBefore time.Time // not taken before this instant; zero: at once
	Expires   time.Time // end of validity, zero for never; passed on only: the queue drops nothing
	Enqueued  time.Time // set by Put, kept over retries
	Delivery  int       // set by Take: 1 for the first delivery, one more for each later one
}

// Claim is an item that was taken. Its taker ends it with exactly one of Ack, Retry and Dead; a second end is
// ErrSettled. When the claim's lease has run out the item may be with somebody else already, so Retry, Dead and
// Extend are then ErrStale. A late Ack still counts: the work is done, whoever holds the item now.
type Claim interface {
	// Item returns what was taken. The caller does not change it.
	Item() *Item
	// Ack ends the item for good.
	Ack(ctx context.Context) error
	// Retry gives the item back, to be taken again after a while, with a new body unless body is nil. A retry is never
	// refused for want of room. Once it is due it goes ahead of items that were never taken (in JetStream, one that falls
	// due at this very moment may be overtaken).
	Retry(ctx context.Context, after time.Duration, body []byte) error
	// Dead puts the item among the dead letters.
	Dead(ctx context.Context, reason string) error
	// Extend starts the lease anew.
	Extend(ctx context.Context) error
}

// Queue is where drafts wait. Its methods may be called from any number of goroutines.
type Queue interface {
	// Put adds an item. ErrFull and ErrTenantFull (which is an ErrFull) refuse it; ErrDuplicate says that an item of this
	// ID was put within the dedupe window, whatever became of it.
	Put(ctx context.Context, it Item) error
	// Take waits for the next item of a lane, oldest first, and claims it. Waiting takers are served in their order.
	Take(ctx context.Context, lane string) (Claim, error)
	// Stats tells what is in the queue. It does not wait for takers or timers.
	Stats(ctx context.Context) (Stats, error)

	// DeadLetters returns up to limit dead letters that follow the one named after ("" for the first), oldest first.
	DeadLetters(ctx context.Context, after string, limit int) ([]DeadItem, error)
	// Replay puts a dead letter back at the end of its lane as if it were new, whatever the dedupe window says.
	Replay(ctx context.Context, id string) error
	// Purge drops a dead letter.
	Purge(ctx context.Context, id string) error

	// Close ends the queue: takers get ErrClosed, as do later calls. Unfinished items of a stored queue stay stored.
	Close(ctx context.Context) error
}

// Pauser is a queue whose lanes can be stopped. Both engines are.
type Pauser interface {
	// Pause stops handing out items of a lane until an instant; the zero time means until Resume.
	Pause(ctx context.Context, lane string, until time.Time) error
	// Resume ends a pause.
	Resume(ctx context.Context, lane string) error
}

// DeadItem is a dead letter.
type DeadItem struct {
	ID     string // the dead letter's own name, for Replay and Purge; not the draft's
	Item   Item
	Reason string
	Since  time.Time
}

// Stats is what a queue holds at an instant.
type Stats struct {
	Ready   int // could be taken now
	Delayed int // waiting for their time, by NotBefore or Retry
	Claimed int // taken and not settled
	Dead    int // dead letters

	// Oldest is when the oldest unfinished item became due for the first time; zero without any. Retries do not make an
	// item younger.
	Oldest time.Time

	PerLane   map[string]int // unfinished items
	PerTenant map[string]int // unfinished items
}

// Backlog is the number of unfinished items.
func (s Stats) Backlog() int { return s.Ready + s.Delayed + s.Claimed }

// What Put, Take and the claims return. Callers compare with errors.Is.
var (
	ErrFull       = errors.New("queue is full")
	ErrTenantFull = fmt.Errorf("tenant's share: %w", ErrFull)
	ErrDuplicate  = errors.New("item was put before")
	ErrClosed     = errors.New("queue is closed")
	ErrStale      = errors.New("claim's lease has run out")
	ErrSettled    = errors.New("claim was settled before")
	ErrNotFound   = errors.New("no such dead letter")
	ErrBadItem    = errors.New("item cannot be queued")
)

// DefaultDedupeWindow is how long an ID is remembered unless a Config says otherwise.
const DefaultDedupeWindow = 2 * time.Minute

// Config is what both engines need to know. Its zero value is an unbounded queue whose claims never run out.
type Config struct {
	MaxItems     int // unfinished items there may be when Put adds one; 0: no bound
	MaxPerTenant int // the same for one tenant within one lane; 0: no bound

	// DedupeWindow is how long Put remembers an ID; 0: DefaultDedupeWindow, negative: not at all, and a Put whose
	// answer was lost may have put the item.
	DedupeWindow time.Duration

	// Lease is how long a claim lasts unless extended; the item is then taken again. 0: for ever (JetStream, which
	// cannot wait for ever: a day).
	Lease time.Duration

	// MaxClaims is how many items of one lane may be claimed at once; 0: no bound.
	MaxClaims int

	// HoldRetries lets an item that waits for its retry keep its place among MaxClaims, as JetStream's delayed
	// negative acknowledgements do: enough of them, and nothing fresh is handed out. A fault to replay, not a setting
	// to use.
	HoldRetries bool

	Lanes instant.Lanes // virtual time: the queue's own timer fires alone
}

// Validate says what is wrong with a configuration.
func (c Config) Validate() error {
	switch {
	case c.MaxItems < 0, c.MaxPerTenant < 0, c.MaxClaims < 0:
		return fmt.Errorf("queue: a bound is negative: items %d, per tenant %d, claims %d", c.MaxItems, c.MaxPerTenant, c.MaxClaims)
	case c.Lease < 0:
		return fmt.Errorf("queue: lease %v is negative", c.Lease)
	case c.HoldRetries && c.MaxClaims == 0:
		return errors.New("queue: held retries need a bound on claims")
	}
	return nil
}

func (c Config) dedupeWindow() time.Duration {
	if c.DedupeWindow == 0 {
		return DefaultDedupeWindow
	}
	return max(c.DedupeWindow, 0)
}

func checkItem(it *Item) error {
	if it.ID == "" {
		return fmt.Errorf("put: %w: it has no ID", ErrBadItem)
	}
	for _, s := range []string{it.ID, it.Lane, it.Tenant, it.Key} {
		if !utf8.ValidString(s) {
			return fmt.Errorf("put: %w: %q is not UTF-8", ErrBadItem, s)
		}
	}
	return nil
}
