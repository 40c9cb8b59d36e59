// Package fleet is the copies of a service: how many there are, which of them takes a request, what it costs a copy to
// work on it, and how copies are added, lost and replaced. It works the same on the wall clock and in virtual time.
package fleet

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/policy"
)

// Settings is everything a fleet is told.
type Settings struct {
	Replicas  Replicas
	Scaling   Scaling
	Admission Admission
}

// Signals is what scaling can look at besides its own cores.
type Signals struct {
	Backlog int64
	Oldest  time.Duration
}

// Config is how a fleet is built.
type Config struct {
	Name     string
	Lanes    instant.Lanes
	Seed     chance.Source
	Ticker   instant.Lane    // of the scaler
	Starts   uint64          // number of the first start in class Start, apart from other fleets'
	Settings func() Settings // in force now; must be cheap
	Signals  func() Signals  // nil: none
}

// Fleet is the copies of one service.
type Fleet struct {
	name     string
	lanes    instant.Lanes
	seed     chance.Source
	ticker   instant.Lane
	base     uint64
	read     func() Settings
	signals  func() Signals
	current  atomic.Pointer[Settings]
	arrivals atomic.Uint64
	turn     atomic.Uint64 // whose turn it is
	used     atomic.Int64  // core time, ns
	wasted   atomic.Int64
	media    atomic.Int64 // requests inside that carry media
	wanted   atomic.Int64
	peak     atomic.Int64
	wake     chan struct{}

	mu       sync.Mutex
	rotation atomic.Pointer[[]*Replica] // ready copies in order of their slots
	starting []boot
	draining []*Replica
	starts   uint64
	size     int // copies that are meant to exist
	wishes   policy.Wishes
	history  history
}

// boot is a copy on its way.
type boot struct {
	slot int
	num  uint64
	at   time.Time
}

// New returns a fleet with its minimum of copies ready.
func New(c Config) *Fleet {
	f := &Fleet{
		name: c.Name, lanes: c.Lanes, seed: c.Seed, ticker: c.Ticker, base: c.Starts,
		read: c.Settings, signals: c.Signals, wake: make(chan struct{}, 1),
	}
	f.Refresh()
	s := f.settings()
	f.size = s.Replicas.Min
	ready := make([]*Replica, f.size)
	for i := range ready {
		f.starts++
		ready[i] = newReplica(f, i+1, f.starts, s.Replicas.Cores)
	}
	f.rotation.Store(&ready)
	f.wanted.Store(int64(f.size))
	f.peak.Store(int64(f.size))
	return f
}

// Refresh reads the settings anew, after they changed.
func (f *Fleet) Refresh() {
	s := f.read()
	f.current.Store(&s)
	f.nudge()
}

func (f *Fleet) settings() *Settings { return f.current.Load() }

func (f *Fleet) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// ErrNobody is returned when no copy is there to take a request.
var ErrNobody = errors.New("no replica is ready")

// Begin gives the next request its number and its copy. End must be called when it is over.
func (f *Fleet) Begin() (*Job, error) {
	number := f.arrivals.Add(1)
	if r := f.choose(time.Now()); r != nil {
		r.held.Add(1)
		return &Job{Replica: r, Number: number}, nil
	}
	return nil, ErrNobody
}

// choose is the load balancer: strictly in turn, or, beginning at whose turn it is, where the fewest are.
func (f *Fleet) choose(now time.Time) *Replica {
	ready := *f.rotation.Load()
	s := f.settings()
	var best *Replica
	var fewest int64
	first := int(f.turn.Add(1) - 1)
	for i := range ready {
		r := ready[(first+i)%len(ready)]
		if !r.usable(now, s.Replicas.Probe) {
			continue
		}
		if s.Replicas.Balance != "least" {
			return r
		}
		if n := r.cores.crowd(); best == nil || n < fewest {
			best, fewest = r, n
		}
	}
	return best
}

// End lets go of a job's copy.
func (j *Job) End() {
	j.Replica.held.Add(-1)
	if j.Media {
		j.Replica.fleet.media.Add(-1)
	}
}

// CarriesMedia marks the request as one that holds media in memory.
func (j *Job) CarriesMedia() {
	if !j.Media {
		j.Media = true
		j.Replica.fleet.media.Add(1)
	}
}

// Handler serves requests on the fleet's copies. What h returns is how it ended: nil when it has answered; ErrGone
// breaks the connection as a dying process does; ErrLeft answers nobody.
func (f *Fleet) Handler(h func(j *Job, w http.ResponseWriter, r *http.Request) error, busy func(w http.ResponseWriter, err error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		j, err := f.Begin()
		if err != nil {
			busy(w, err)
			return
		}
		defer j.End()
		j.Caller = r.Context()
		switch err := h(j, w, r); {
		case err == nil:
		case errors.Is(err, ErrGone), errors.Is(err, ErrLeft):
			panic(http.ErrAbortHandler) // net/http's way to break a connection
		default:
			busy(w, err)
		}
	})
}

func (f *Fleet) slowdown() float64 {
	s := f.settings()
	if s.Scaling.Contention == 0 && s.Scaling.Coherence == 0 {
		return 1
	}
	return policy.Slowdown(len(*f.rotation.Load()), s.Scaling.Contention, s.Scaling.Coherence)
}

// Stats is a snapshot of a fleet.
type Stats struct {
	Ready, Starting, Wanted, Max int
	Waiting, Held                int
	Cores                        int
	Used, Wasted                 time.Duration // core time, cumulative
	Memory                       int64         // bytes, by the model
}

// Stats returns a snapshot.
func (f *Fleet) Stats() Stats {
	s := f.settings()
	ready := *f.rotation.Load()
	out := Stats{
		Ready: len(ready), Wanted: int(f.wanted.Load()), Max: s.Replicas.Max,
		Cores: len(ready) * s.Replicas.Cores,
		Used:  time.Duration(f.used.Load()), Wasted: time.Duration(f.wasted.Load()),
	}
	for _, r := range ready {
		_, waiting := r.cores.load()
		out.Waiting += waiting
		out.Held += int(r.held.Load())
	}
	f.mu.Lock()
	out.Starting = len(f.starting)
	f.mu.Unlock()
	out.Memory = int64(out.Ready+out.Starting)*s.Replicas.Memory.Base + int64(out.Held)*s.Replicas.Memory.Request +
		f.media.Load()*s.Replicas.Memory.Media
	return out
}

// ErrNone is returned for a copy that does not exist.
var ErrNone = errors.New("there is no")

// Replica returns the copy in a slot, or an error that names those there are.
func (f *Fleet) Replica(slot int) (*Replica, error) {
	ready := *f.rotation.Load()
	for _, r := range ready {
		if r.Slot == slot {
			return r, nil
		}
	}
	return nil, fmt.Errorf("%w %s/%d: %d replicas are running", ErrNone, f.name, slot, len(ready))
}
