package fleet

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/quantity"
)

// What can become of a piece of work.
var (
	ErrBusy = errors.New("too many requests are waiting in this replica")
	ErrShed = errors.New("shed: the replica is overloaded")
	ErrGone = errors.New("the replica was killed")
	ErrLeft = errors.New("the caller has gone")
)

// Replica is one running copy of a service.
type Replica struct {
	Slot    int    // 1, 2, …: the name that stays when a copy is replaced
	Name    string // whatsapp/1
	fleet   *Fleet
	start   uint64 // number of this start, for draws and lanes
	cores   cores
	held    atomic.Int64 // requests inside
	dead    atomic.Bool
	down    chan struct{} // closed when the copy is killed
	guard   guard
	frozen  sync.Mutex    // guards the next two
	stopped time.Time     // when it was paused or cut off
	resume  chan struct{} // closed when it runs again; nil while it runs
}

func newReplica(f *Fleet, slot int, start uint64, n int) *Replica {
	r := &Replica{Slot: slot, Name: f.name + "/" + strconv.Itoa(slot), fleet: f, start: start, down: make(chan struct{})}
	r.cores.total = n
	return r
}

// Job is one request while a replica works on it.
type Job struct {
	Replica *Replica
	Number  uint64          // of the request, counted per service in order of arrival
	Caller  context.Context // done when the caller has gone; nil when nobody asks
	Spent   time.Duration   // core time this job has used
	Media   bool
	Back    bool // yields to the front line where there are two
}

// Left reports whether the caller has gone.
func (j *Job) Left() bool {
	return j.Caller != nil && j.Caller.Err() != nil
}

// Work holds a core for a service time drawn from d, first waiting its turn. class and the job's number name the lane
// on which the work ends; purpose keys the draw. bounded work is refused (ErrBusy) when too many are waiting already.
// With leave, a caller that goes while the job waits ends it (ErrLeft).
func (j *Job) Work(class instant.Class, purpose chance.Source, d quantity.Dist, bounded, leave bool) error {
	r := j.Replica
	if err := r.gate(j, class); err != nil {
		return err
	}
	if d.IsZero() {
		return nil
	}
	f := r.fleet
	line, bound := j.line()
	if !bounded {
		bound = 0
	}
	from, err := r.turn(j, class, line, bound, leave)
	if err != nil {
		return err
	}
	took := time.Duration(float64(d.Sample(purpose.Float(j.Number))) * f.slowdown())
	end := from.Add(took)
	now := time.Now()
	time.Sleep(f.lanes.Of(class, j.Number).Near(now, end.Sub(now)))
	f.used.Add(int64(took))
	j.Spent += took
	if j.Left() {
		f.wasted.Add(int64(took))
	}
	// A timer fires late, by a millisecond or more on a busy machine, and in virtual time on its lane, a millisecond early or
	// late. The core is handed on as of the end that was meant: it does exactly the work that it is given.
	r.cores.release(end, f.settings().Admission.FrontWeight, r.shedder())
	return r.gate(j, class)
}

// line is where the job waits, and how many may.
func (j *Job) line() (line, bound int) {
	s := j.Replica.fleet.settings()
	if j.Back && s.Admission.FrontWeight > 0 {
		return backLine, s.Admission.BackQueue
	}
	return frontLine, s.Replicas.Queue
}

// turn waits for a core, and returns since when it is held.
func (r *Replica) turn(j *Job, class instant.Class, line, bound int, leave bool) (from time.Time, err error) {
	now := time.Now()
	w, from, ok := r.cores.acquire(now, line, bound)
	if !ok {
		return now, ErrBusy
	}
	if w == nil {
		r.guard.waited(from, from.Sub(now))
		return from, nil
	}
	var left <-chan struct{}
	if leave && j.Caller != nil {
		left = j.Caller.Done()
	}
	got := false
	select {
	case ok = <-w.grant:
		got = true
	case <-r.down:
	case <-left:
	}
	if !got && !r.cores.abandon(w) { // granted at this very instant
		ok, got = <-w.grant, true
	}
	switch {
	case r.dead.Load():
		r.fleet.lanes.Of(class, j.Number).Sleep(0) // everyone who waited here goes at an instant of their own
		return now, ErrGone
	case !got:
		return now, ErrLeft
	}
	from = w.from
	r.guard.waited(from, from.Sub(w.since))
	r.cores.recycle(w)
	if !ok { // one release can shed many, who then go at instants of their own, too
		r.fleet.lanes.Of(class, j.Number).Sleep(0)
		return from, ErrShed
	}
	return from, nil
}

// gate lets a job pass while the replica runs; it waits while the replica is paused, and fails when it was killed.
func (r *Replica) gate(j *Job, class instant.Class) error {
	for {
		if r.dead.Load() {
			return ErrGone
		}
		r.frozen.Lock()
		resume := r.resume
		r.frozen.Unlock()
		if resume == nil {
			return nil
		}
		select {
		case <-resume:
		case <-r.down:
		}
		r.fleet.lanes.Of(class, j.Number).Sleep(0)
	}
}

// Gate is for work that holds no core: it waits while the replica is paused or cut off.
func (j *Job) Gate(class instant.Class) error { return j.Replica.gate(j, class) }

// Charge books core time without holding a core: small work that is not worth waiting for.
func (j *Job) Charge(d time.Duration) {
	j.Spent += d
	j.Replica.fleet.used.Add(int64(d))
}

// Waste books core time as spent for nothing.
func (j *Job) Waste(d time.Duration) { j.Replica.fleet.Waste(d) }

// Waste books core time as spent for nothing.
func (f *Fleet) Waste(d time.Duration) { f.wasted.Add(int64(d)) }

// usable reports whether the load balancer sends requests here at now.
func (r *Replica) usable(now time.Time, probe time.Duration) bool {
	if r.dead.Load() {
		return false
	}
	r.frozen.Lock()
	defer r.frozen.Unlock()
	return r.resume == nil || now.Sub(r.stopped) < probe
}

// freeze stops the replica without ending it: nothing comes in and nothing goes out until thaw. To everyone else a
// paused process and a cut network look the same.
func (r *Replica) freeze() {
	r.frozen.Lock()
	defer r.frozen.Unlock()
	if r.resume == nil {
		r.resume, r.stopped = make(chan struct{}), time.Now()
	}
}

// thaw lets the replica go on.
func (r *Replica) thaw() {
	r.frozen.Lock()
	defer r.frozen.Unlock()
	if r.resume != nil {
		close(r.resume)
		r.resume = nil
	}
}

// kill ends the replica at once; the work inside is lost.
func (r *Replica) kill() {
	if r.dead.CompareAndSwap(false, true) {
		close(r.down)
	}
}
