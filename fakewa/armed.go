package fakewa

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
)

// armed is one fault in force.
type armed struct {
	id    string
	raw   string
	scope *Scope
	reach reach
	fault fault
	draw  chance.Source
	from  time.Time
	met   int64 // requests in scope so far
	hits  int64 // of those, the ones it changed something for
}

// hit is one request on its way past the faults.
type hit struct {
	now time.Time
	r   *Request
	d   *Decision
	about
	terms  terms
	struck []*armed
	by     *armed // whose turn it is
	faults string

	shortened bool // lives of media are shorter than they are configured
	changed   bool // limits are others than they are configured
}

// about is what a request is about, as far as faults are narrowed by it and draw for it: the same message or the same
// media have the same key.
type about struct {
	number, to, kind string
	key, attempt     uint64
}

// age returns how long the fault whose turn it is has been in force.
func (h *hit) age() time.Duration { return h.now.Sub(h.by.from) }

// float draws for this attempt and this fault.
func (h *hit) float(purpose string) float64 {
	return h.by.draw.For(purpose).Float(h.key, h.attempt)
}

// touched notes that the fault whose turn it is changed something.
func (h *hit) touched() {
	if h.faults != "" {
		h.faults += ","
	}
	h.faults += h.by.id
}

// faultSet holds the faults in force, by id, and what those that were in force did.
type faultSet struct {
	list []*armed
	past map[string]Strikes
	seed chance.Source
}

// Strikes is what a fault has done.
type Strikes struct {
	Met    int64 `json:"met"`    // requests or updates in its scope
	Struck int64 `json:"struck"` // of those, the ones that it changed something for
}

// retire keeps what a fault did that is no longer in force.
func (s *faultSet) retire(a *armed) {
	if s.past == nil {
		s.past = map[string]Strikes{}
	}
	was := s.past[a.id]
	s.past[a.id] = Strikes{was.Met + a.met, was.Struck + a.hits}
}

// strikes is what every fault has done so far, by id.
func (s *faultSet) strikes() map[string]Strikes {
	out := make(map[string]Strikes, len(s.past)+len(s.list))
	maps.Copy(out, s.past)
	for _, a := range s.list {
		was := out[a.id]
		out[a.id] = Strikes{was.Met + a.met, was.Struck + a.hits}
	}
	return out
}

// clearAll takes every fault out of force.
func (s *faultSet) clearAll() {
	for _, a := range s.list {
		s.retire(a)
	}
	s.list = nil
}

// apply puts a fault in force, in place of the one with the same id.
func (s *faultSet) apply(now time.Time, id string, a *armed) {
	a.id, a.from, a.reach, a.draw = id, now, a.scope.reach(), s.seed.For("fault "+id)
	s.clear(id)
	i, _ := slices.BinarySearchFunc(s.list, id, func(a *armed, id string) int { return strings.Compare(a.id, id) })
	s.list = slices.Insert(slices.Clone(s.list), i, a)
}

// clear takes a fault out of force.
func (s *faultSet) clear(id string) bool {
	return s.drop(func(a *armed) bool { return a.id == id })
}

// expire takes out what has run its time.
func (s *faultSet) expire(now time.Time) {
	s.drop(func(a *armed) bool { return a.over(now) })
}

// drop takes faults out of force; false means that there was none.
func (s *faultSet) drop(gone func(*armed) bool) bool {
	if !slices.ContainsFunc(s.list, gone) {
		return false
	}
	s.list = slices.DeleteFunc(slices.Clone(s.list), func(a *armed) bool {
		if gone(a) {
			s.retire(a)
			return true
		}
		return false
	})
	return true
}

func (a *armed) over(now time.Time) bool {
	return a.scope.For > 0 && now.Sub(a.from) >= a.scope.For
}

// touch finds the faults that strike this request and lets them change its terms.
func (s *faultSet) touch(h *hit) {
	s.expire(h.now)
	for _, a := range s.list {
		if !a.strikes(h) {
			continue
		}
		h.struck = append(h.struck, a)
		if f, ok := a.fault.(termsFault); ok {
			h.by = a
			f.terms(h)
			h.touched()
		}
	}
}

func (s *faultSet) early(h *hit) bool {
	for _, a := range h.struck {
		if f, ok := a.fault.(earlyFault); ok {
			if h.by = a; f.early(h) {
				a.hits++
				h.touched()
				return true
			}
		}
	}
	return false
}

func (s *faultSet) late(h *hit) {
	for _, a := range h.struck {
		if f, ok := a.fault.(lateFault); ok {
			if h.by = a; f.late(h) {
				a.hits++
				h.touched()
			}
		}
		if f, ok := a.fault.(termsFault); ok && f.felt(h) {
			a.hits++
		}
	}
}

func (a *armed) strikes(h *hit) bool {
	if !a.reach.all && !slices.Contains(a.reach.ends, h.r.Endpoint) {
		return false
	}
	if h.r.Message.Read && a.scope.Type == "" && !a.reach.all {
		return false // where: messages means sends
	}
	return a.selects(h.now, &h.about)
}

// selects narrows by number, recipient, type, burst, order and share.
func (a *armed) selects(now time.Time, o *about) bool {
	s := a.scope
	if s.Number != "" && s.Number != o.number || s.Type != "" && s.Type != o.kind || !a.reach.recipient(o.to) {
		return false
	}
	if b := s.Burst; b != nil && now.Sub(a.from)%b.Every >= b.For {
		return false
	}
	if s.First > 0 && o.attempt > uint64(s.First) {
		return false
	}
	a.met++
	if s.Every > 0 && a.met%int64(s.Every) != 0 || s.Until > 0 && a.met > int64(s.Until) {
		return false
	}
	if s.Share != nil && a.draw.Float(o.key, o.attempt) >= float64(*s.Share) {
		return false
	}
	return true
}

// posting is one update on its way to the callback.
type posting struct {
	now    time.Time
	by     *armed
	update *update
	delay  time.Duration
	copies []time.Duration // further copies, each this much later
	lost   bool
	batch  int
}

// float draws for this update and this fault.
func (p *posting) float(purpose string) float64 {
	return p.by.draw.For(purpose).Float(p.update.key, p.update.attempt)
}

// post lets the faults change how an update is posted.
func (s *faultSet) post(p *posting) {
	s.expire(p.now)
	for _, a := range s.list {
		f, ok := a.fault.(hookFault)
		if !ok || !a.reach.webhooks || !a.selects(p.now, &p.update.about) {
			continue
		}
		p.by = a
		before := *p
		if f.hook(p); p.delay != before.delay || len(p.copies) != len(before.copies) || p.lost != before.lost || p.batch != before.batch {
			a.hits++
		}
	}
}

// checkID keeps fault ids printable and short; they stand in ledgers and metrics.
func checkID(id string) error {
	if id == "" || len(id) > 64 {
		return fmt.Errorf("fault id %q: needs 1 to 64 characters", id)
	}
	for _, c := range id {
		if c <= ' ' || c == ',' || c == '/' || c > '~' {
			return fmt.Errorf("fault id %q: only printable characters without commas, slashes and spaces", id)
		}
	}
	return nil
}
