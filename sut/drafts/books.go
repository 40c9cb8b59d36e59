package drafts

import (
	"strings"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

// books are what the Drafts service knows of every message: an open record for each draft it holds, and a few bytes
// for each message it has ever taken. Nothing in them scans the backlog.
type books struct {
	mu       sync.Mutex
	open     map[string]*draft  // held, or resolved while the queue still holds the item
	messages map[string]message // by message reference; this generation
	old      map[string]message // the generation before
	keys     map[string]keyed   // by tenant and key, for keys that are not the message's own reference
	oldKeys  map[string]keyed
	creating map[string]struct{} // keys whose first create is under way
	turned   time.Time           // when the generations last changed
	reasons  []string
	reasonID map[string]uint16
	tenants  map[string]int64 // held drafts by tenant
	all      list             // held drafts in order of creation
	fresh    list             // of those, the ones that were never tried
	held     int64
	byState  [states]int64 // held drafts by state
	again    int64         // of the queued ones, those that were tried before
	ends     ends          // how many messages are held, and how many ended without being taken
	numbers  uint64
	awaited  []awaited                            // accepted drafts that wait for their first status, the oldest first
	lines    map[uint64]line                      // conversations with held drafts, when they are kept in order
	begun    map[string]int                       // drafts whose last attempt began in a process that ended, from the journal
	proved   map[string]bool                      // of drafts that were begun there and have not come out of the queue, those that a status proves were sent
	survey   survey                               // what the queue holds since an earlier process
	foreign  bool                                 // the queue may hold drafts that no journal of ours tells about
	parked   map[uint64]*flight                   // drafts that wait for their turn, by number
	wake     func(parked *flight)                 // their turn has come; called with the books locked
	illegal  int64                                // steps that the state machine does not allow
	step     func(d *draft, to State, legal bool) // told of every step; called with the books locked; nil: nobody
}

// line is the held drafts of one conversation, in order of creation.
type line struct{ head, tail *draft }

// draft is one held draft.
type draft struct {
	id, tenant string
	number     uint64
	created    int64 // Unix nanoseconds
	expires    int64 // Unix nanoseconds; 0 is never
	class      string
	from       string // phone number id
	pair       uint64 // number and recipient
	trace      string // traceparent; "" when it is not followed
	line       uint64 // conversation; 0 when it is not kept in order
	inAll      links  // the list of held drafts
	inFresh    links  // the list of held drafts that were never tried
	ahead      *draft // in the line
	behind     *draft
	state      State
	holder     holder
	slot       bool   // its place in the pace of its number is reserved
	taken      bool   // a dispatcher has claimed it
	adopted    bool   // came out of the queue, not through the door
	begun      bool   // an attempt has begun whose outcome is not known
	template   bool   // has a template to fall back on
	known      bool   // in the books' list; false once resolved
	attempts   uint16 // sends so far
	counted    uint16
	unknowns   uint16
}

// message is what stays of a message.
type message struct {
	print  uint64
	reason uint16
	open   uint8 // drafts held
	taken  uint8 // drafts that the API took
	failed uint8 // of those, reported failed afterwards
	best   State
}

type keyed struct {
	draft string
	print uint64
}

func newBooks() *books {
	return &books{
		all: list{of: func(d *draft) *links { return &d.inAll }}, fresh: list{of: func(d *draft) *links { return &d.inFresh }},
		open: map[string]*draft{}, messages: map[string]message{}, keys: map[string]keyed{},
		creating: map[string]struct{}{}, reasons: []string{""}, reasonID: map[string]uint16{"": 0}, tenants: map[string]int64{},
		lines: map[uint64]line{}, begun: map[string]int{}, proved: map[string]bool{}, parked: map[uint64]*flight{},
		survey: newSurvey(),
	}
}

// maxReasons bounds the table of reasons; later ones are told by their first word.
const maxReasons = 4096

func (b *books) reason(s string) uint16 {
	if id, ok := b.reasonID[s]; ok {
		return id
	}
	if len(b.reasons) >= maxReasons {
		s, _, _ = strings.Cut(s, " ")
		return b.reasonID[s]
	}
	s = strings.Clone(s)
	id := uint16(len(b.reasons))
	b.reasons = append(b.reasons, s)
	b.reasonID[s] = id
	return id
}

func (b *books) message(ref string) (message, bool) {
	m, ok := b.messages[ref]
	if !ok {
		m, ok = b.old[ref]
	}
	return m, ok
}

// put stores a message under a reference of its own, so that no longer string is kept alive by it.
func (b *books) put(ref string, m message) {
	was, _ := b.message(ref)
	b.ends.count(was, -1)
	b.ends.count(m, 1)
	if _, ok := b.messages[ref]; !ok {
		ref = strings.Clone(ref)
	}
	b.messages[ref] = m
}

// ends counts messages, where the service's counters count drafts: a message may have several.
type ends struct {
	held    int64 // messages with a draft that is held
	expired int64 // messages all of whose drafts ended, none taken, the best of them expired
	failed  int64 // the same, refused for good, dead or given up
}

// count adds a message, or takes one away.
func (e *ends) count(m message, n int64) {
	switch {
	case m.open > 0:
		e.held += n
	case m.best == Expired:
		e.expired += n
	case m.best == Failed, m.best == Dead, m.best == Unknown:
		e.failed += n
	}
}

// add takes a draft in, with what has happened to it so far. ordered puts it in the line of its conversation.
func (b *books) add(w *wire.Draft, now time.Time, p past, ordered bool) *draft {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.open[w.ID]; d != nil && d.known { // a create that is tried again and the queue have met
		return d
	}
	b.numbers++
	d := &draft{
		id: strings.Clone(w.ID), tenant: w.Tenant, number: b.numbers, created: w.Created * int64(time.Millisecond),
		expires: w.Expires * int64(time.Millisecond), class: w.Class, from: w.Number,
		pair: pairKey(w.Number, w.To), known: true,
		holder: holder{foreign: b.foreign}, trace: w.Trace, template: len(w.Template) > 0 && w.Type != "template",
		attempts: uint16(p.attempts), counted: uint16(p.counted), unknowns: uint16(p.unknowns),
	}
	if w.Created == 0 {
		d.created = now.UnixNano()
	}
	if p.held {
		d.state = Held
	}
	b.open[d.id] = d
	b.all.push(d)
	if d.attempts == 0 {
		b.fresh.push(d)
	}
	b.held++
	b.tally(d, 1)
	b.tenants[d.tenant]++
	if ordered {
		d.line = lineKey(w)
		b.join(d)
	}
	ref := wire.MessageOf(d.id)
	m, _ := b.message(ref)
	m.open++
	m.print = w.Print
	b.put(ref, m)
	return d
}

// drop takes a draft out again that the queue would not have.
func (b *books) drop(d *draft) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !d.known || d.taken { // the queue had it already, and has handed it out meanwhile
		return
	}
	b.unlink(d)
	delete(b.open, d.id)
	ref := wire.MessageOf(d.id)
	m, _ := b.message(ref)
	was := m
	if m.open--; m.open == 0 && m.best == Queued {
		b.ends.count(was, -1)
		delete(b.messages, ref)
		delete(b.old, ref)
		return
	}
	b.put(ref, m)
}

// unlink takes a draft off the list of held ones.
func (b *books) unlink(d *draft) {
	if !d.known {
		return
	}
	d.known = false
	b.all.remove(d)
	b.fresh.remove(d)
	b.leave(d)
	b.held--
	b.tally(d, -1)
	if n := b.tenants[d.tenant] - 1; n > 0 {
		b.tenants[d.tenant] = n
	} else {
		delete(b.tenants, d.tenant)
	}
}

// tally counts a held draft under its state, or no longer.
func (b *books) tally(d *draft, n int64) {
	b.byState[d.state] += n
	if d.state == Queued && d.attempts > 0 {
		b.again += n
	}
}

// move changes the state of a held draft. One that has been resolved meanwhile stays as it is. A step that the state
// machine does not allow is not taken, and counted: there is none unless this program is wrong. The books are locked.
func (b *books) move(d *draft, to State) {
	if d.state == to || !d.known {
		return
	}
	if to.Finished() || !d.state.CanBecome(to) {
		b.forbid(d, to)
		return
	}
	b.tell(d, to, true)
	b.tally(d, -1)
	d.state = to
	b.tally(d, 1)
}

func (b *books) tell(d *draft, to State, legal bool) {
	if b.step != nil {
		b.step(d, to, legal)
	}
}

// forbid takes note of a step that the state machine does not allow. The books are locked.
func (b *books) forbid(d *draft, to State) {
	b.illegal++
	b.tell(d, to, false)
}

// finish ends a held draft. settled says that the queue has let go of its item too. first reports that this is the
// first draft of its message that the API took.
func (b *books) finish(d *draft, to State, reason string, settled bool) (first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.finishLocked(d, to, reason, settled)
}

func (b *books) finishLocked(d *draft, to State, reason string, settled bool) (first bool) {
	if settled {
		delete(b.open, d.id)
	}
	if !d.known {
		return false
	}
	if d.state.CanBecome(to) {
		b.tell(d, to, true)
	} else {
		b.forbid(d, to)
	}
	b.unlink(d)
	d.state = to
	ref := wire.MessageOf(d.id)
	m, _ := b.message(ref)
	m.open--
	if to.Taken() {
		first = m.taken == 0
		m.taken++
	}
	if to.rank() > m.best.rank() {
		m.best = to
		m.reason = b.reason(reason)
	}
	b.put(ref, m)
	return first
}

// settle forgets a draft whose item the queue has let go of.
func (b *books) settle(d *draft) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.open, d.id)
}

// state tells how a message stands: the best of its drafts.
func (b *books) state(ref string) (state, reason string, final, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, ok := b.message(ref)
	switch {
	case !ok:
		return "", "", false, false
	case m.best.rank() >= Accepted.rank(), m.open == 0 && m.best.Finished():
		return m.best.String(), b.reasons[m.reason], true, true
	}
	return Queued.String(), "", false, true
}

// waiting is how many held drafts were never tried, and the age of the oldest of them.
func (b *books) waiting() (n int64, oldest time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fresh.n + int64(len(b.survey.waiting)), b.freshAge()
}

// oldestAge is the age of the oldest held draft. The books are locked.
func (b *books) oldestAge() time.Duration {
	return max(b.all.age(), b.survey.age())
}

// turn forgets what is older than two generations of keep. It returns the journal's lines for what is held on to, and
// whether there was a turn.
func (b *books) turn(now time.Time, keep time.Duration) (lines []string, turned bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.turned.IsZero() {
		b.turned = now
	}
	if now.Sub(b.turned) < keep {
		return nil, false
	}
	b.turned = now
	for ref, m := range b.old { // drafts that are still held must not be forgotten
		if _, moved := b.messages[ref]; m.open > 0 && !moved {
			b.messages[ref] = m
		}
	}
	b.old, b.messages = b.messages, map[string]message{}
	b.oldKeys, b.keys = b.keys, map[string]keyed{}
	for d := b.all.first; d != nil; d = d.inAll.next {
		ref := wire.MessageOf(d.id)
		m, _ := b.message(ref)
		lines = append(lines, lineCreated(&wire.Draft{ID: d.id, Created: d.created / int64(time.Millisecond), Print: m.print, Key: ref}))
		if d.begun || d.unknowns > 0 { // a status may still tell of the attempt
			lines = append(lines, lineBegun(d.id, int(d.attempts)))
		}
	}
	return append(lines, b.waitingLines()...), true
}
