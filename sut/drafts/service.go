// Package drafts is the Drafts service: it takes drafts in, holds them in a queue, and hands them to the WhatsApp
// service at the pace and under the rules of its Config. Start with Service; state.go is the state machine.
package drafts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// Wiring is what the Drafts service is connected to.
type Wiring struct {
	Caller   *wire.Caller
	WhatsApp string // base URL of the WhatsApp service
	Queue    queue.Queue
	Seed     chance.Source
	Lanes    instant.Lanes
	Journal  *Journal           // what must outlive the process; nil: nothing
	Foreign  bool               // the queue may hold drafts of processes whose journals are elsewhere
	Observe  func(wire.Attempt) // nil: nobody
	Traces   wire.Traces
	At       func(Point)  // called at each point of a draft's way; for tests that end the process there; nil: nobody
	Step     func(Step)   // told of every step of a draft; must not block; nil: nobody
	Log      *slog.Logger // nil: no log
}

// Service is the Drafts service.
type Service struct {
	cfg     atomic.Pointer[Config]
	w       Wiring
	sendURL *url.URL
	fleet   *fleet.Fleet
	books   *books
	desk    *desk
	gates   *gates
	stops   stops
	amnesia amnesia
	count   Counters
	times   histogram
	draws   draws
	flights sync.WaitGroup
	began   time.Time
	stop    chan struct{} // closed when Run begins to drain
	handler http.Handler
}

// draws are the sources of chance, one per purpose.
type draws struct{ create, dispatch, backoff, throttle chance.Source }

// New returns a service; cfg must be valid.
func New(cfg Config, w Wiring) (*Service, error) {
	if w.Queue == nil {
		return nil, errors.New("drafts: a queue is needed")
	}
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	send, err := url.Parse(w.WhatsApp + "/v1/send")
	if err != nil {
		return nil, fmt.Errorf("drafts: address of the WhatsApp service: %w", err)
	}
	s := &Service{
		w: w, sendURL: send, books: newBooks(), gates: newGates(), began: time.Now(), stop: make(chan struct{}),
		draws: draws{w.Seed.For("create"), w.Seed.For("dispatch"), w.Seed.For("send backoff"), w.Seed.For("throttle")},
	}
	s.cfg.Store(&cfg)
	s.fleet = fleet.New(fleet.Config{
		Name: "drafts", Lanes: w.Lanes, Seed: w.Seed.For("drafts"), Ticker: w.Lanes.Of(instant.Other, 1), Starts: 1 << 16,
		Settings: func() fleet.Settings { return s.cfg.Load().Settings() },
	})
	s.desk = newDesk(s)
	s.books.step = s.step
	s.books.wake, s.books.foreign = s.unpark, w.Foreign || w.Journal == nil
	if err := s.recall(); err != nil {
		return nil, fmt.Errorf("drafts: %w", err)
	}
	if !s.books.foreign {
		s.books.survey.open()
	}
	s.handler = s.routes()
	return s, nil
}

// step is told of every step of a draft.
func (s *Service) step(d *draft, to State, legal bool) {
	if !legal {
		s.w.Log.Error("a draft was to take a step that does not exist", "draft", d.id, "from", d.state, "to", to)
	}
	if s.w.Step != nil {
		s.w.Step(Step{d.id, d.state, to, legal})
	}
}

// Apply puts new settings in force; they must be valid.
func (s *Service) Apply(cfg Config) {
	s.cfg.Store(&cfg)
	s.fleet.Refresh()
	s.desk.kick()
}

// Fleet is the copies of the service.
func (s *Service) Fleet() *fleet.Fleet { return s.fleet }

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// State tells how a message stands, by its reference; final says that the sender has nothing left to do for it.
func (s *Service) State(ref string) (state, reason string, final, known bool) {
	return s.books.state(ref)
}

// Waiting is how many drafts were never tried yet, and how old the oldest of them is.
func (s *Service) Waiting() (n int64, oldest time.Duration) { return s.books.waiting() }

// Wanting is Waiting as far as more replicas would help: nothing while drafts wait for the pace, for a status, for their
// retry, or for their number.
func (s *Service) Wanting() (n int64, oldest time.Duration) {
	if !s.desk.full(time.Now()) {
		return 0, 0
	}
	return s.books.waiting()
}

// Run dispatches until ctx ends. It then stops taking drafts, lets those on their way finish, gives the others back to
// the queue and returns.
func (s *Service) Run(ctx context.Context) error {
	fleetCtx, stopFleet := context.WithCancel(context.WithoutCancel(ctx))
	var own sync.WaitGroup
	own.Go(func() { _ = s.fleet.Run(fleetCtx) })
	own.Go(func() { s.sweep(ctx) })
	if s.w.Journal != nil {
		own.Go(func() { s.heal(ctx) })
		own.Go(func() { s.surveyed(ctx) })
	}
	err := s.desk.run(ctx)
	close(s.stop)
	s.clearPark()
	s.fleet.Release() // what is on its way in a copy that is paused would never land
	s.flights.Wait()
	stopFleet()
	own.Wait()
	return err
}

// sweep keeps the books small.
func (s *Service) sweep(ctx context.Context) {
	lane := s.w.Lanes.Of(instant.System, instant.Sweeper)
	for {
		timer := time.NewTimer(lane.After(time.Now(), min(s.cfg.Load().Dispatch.Lease/3, time.Minute)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if lines, turned := s.books.turn(time.Now(), s.cfg.Load().Idempotency.Keep); turned {
			s.remember(s.w.Journal.rotate(append(lines, s.stops.lines()...)))
		}
		if after := s.cfg.Load().Status.Missing; after > 0 {
			s.count.Missing.Add(s.books.missing(time.Now(), after))
		}
		s.gates.sweep(time.Now())
		s.extendPark()
		if open, _ := s.gates.open(s.cfg.Load(), time.Now()); open {
			s.desk.extend(ctx)
		}
	}
}
