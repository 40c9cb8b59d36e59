package harness

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// row is what the harness knows of one message, as offsets from the start.
type row struct {
	scheduled, sent, answered, accepted, delivered time.Duration
	slack                                          time.Duration
	tries, status, api, mediaErrors, copies        uint16
	hasSlack, fired, finished, expired, refused    bool  // refused: the API reported the message failed after accepting it
	unheard                                        bool  // whoever sent the last copy was not told that it had been accepted
	code                                           int32 // last Cloud API error
	first                                          lineage
	astray                                         string // how a copy went wrong that was accepted: another recipient, another content
	more                                           *copies
}

// copies is what only messages with duplicates carry.
type copies struct {
	seen   []lineage
	causes []string
}

// lineage is where an accepted copy came from, as its callback data tells: m000001.2-1.3 is the third send of the
// draft that the first create of the client's second attempt made.
type lineage struct {
	client, create, send uint16
	known                bool
	heard                bool // the sender learnt that this copy was sent
}

// of reports whether two copies come from the same send.
func (l lineage) of(o lineage) bool {
	return l.known && o.known && l.client == o.client && l.create == o.create && l.send == o.send
}

// parseLineage reads callback data of the reference sender for one message.
func parseLineage(callback, id string) lineage {
	rest, ok := strings.CutPrefix(callback, id)
	if !ok {
		return lineage{}
	}
	dash := strings.IndexByte(rest, '-')
	if dash < 0 {
		return lineage{}
	}
	l := lineage{known: true}
	if c, ok := strings.CutPrefix(rest[:dash], "."); ok {
		n, err := strconv.ParseUint(c, 10, 16)
		if err != nil {
			return lineage{}
		}
		l.client = uint16(n)
	}
	create, send, ok := strings.Cut(rest[dash+1:], ".")
	c, err1 := strconv.ParseUint(create, 10, 16)
	s, err2 := strconv.ParseUint(send, 10, 16)
	if !ok || err1 != nil || err2 != nil {
		return lineage{}
	}
	l.create, l.send = uint16(c), uint16(s)
	return l
}

// cause says why a copy exists, given the copies accepted before it.
func cause(l lineage, before []lineage) string {
	if !l.known {
		return record.Unknown
	}
	sameClient, sameDraft := false, false
	for _, b := range before {
		if !b.known {
			return record.Unknown
		}
		if b.client != l.client {
			continue
		}
		sameClient = true
		if b.create != l.create {
			continue
		}
		sameDraft = true
		if b.send == l.send {
			return record.Redelivery
		}
	}
	switch {
	case sameDraft:
		return record.SendRetry
	case sameClient:
		return record.CreateRetry
	}
	return record.ClientRetry
}

// table holds every message of the run and the counters that follow from them. Its mutex guards memory only.
type table struct {
	start time.Time
	mu    sync.Mutex
	rows  []row
	count counters
	// since the last gauge reading
	deliveries, responses, lateness []time.Duration
	apiErrors                       map[int]int64
	nameless                        *nameless              // nil: sends without a marker are strays
	offered                         func(n uint64) message // nil: nobody looks at what was sent
	heard                           map[string]bool        // sends that the sender knows of, whose copies have not been folded: by draft and number
	strays                          int64                  // accepted messages that are none of this run's, as far as anybody can tell
}

// counters are cumulative since the start of the run.
type counters struct {
	offered, frontDoor, frontDoorFirst, answered, refused, timeouts, busy            int64
	api, apiFirst, accepted, goodput, duplicates, duplicated, delivered, mediaErrors int64
	inFlight                                                                         int64
}

func newTable(start time.Time, at []time.Duration) *table {
	t := &table{start: start, rows: make([]row, len(at)), apiErrors: map[int]int64{}}
	for i, d := range at {
		t.rows[i] = row{
			scheduled: d, sent: record.Never, answered: record.Never, accepted: record.Never, delivered: record.Never,
		}
	}
	return t
}

func (t *table) since(at time.Time) time.Duration { return at.Sub(t.start) }

// fire notes that message n's first attempt left.
func (t *table) fire(n uint64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.rows[n-1]
	r.fired, r.sent = true, t.since(now)
	t.count.offered++
	t.count.inFlight++
	t.lateness = append(t.lateness, r.sent-r.scheduled)
}

// tried notes one attempt at the front door.
func (t *table) tried(n uint64, try Try) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.rows[n-1]
	r.tries++
	r.status = uint16(try.Status)
	t.count.frontDoor++
	if r.tries == 1 {
		t.count.frontDoorFirst++
	}
	if try.Error == "timeout" {
		t.count.timeouts++
	}
	if try.Status == 503 {
		t.count.busy++
	}
}

// answer notes that the front door is done with message n, one way or the other.
func (t *table) answer(n uint64, now time.Time, taken bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.rows[n-1]
	r.finished, r.answered = true, t.since(now)
	t.count.inFlight--
	if taken {
		t.count.answered++
	} else {
		t.count.refused++
	}
	t.responses = append(t.responses, r.answered-r.scheduled)
}

// tableAccount keeps the table, and writes every attempt into the record.
type tableAccount struct {
	*table
	write func(record.Attempt)
}

func (a tableAccount) tried(n uint64, number int, t Try) {
	a.table.tried(n, t)
	a.write(record.Attempt{
		Message: messageID(n), Hop: "front_door", Number: number, At: t.At, Done: t.Done, Status: t.Status, Error: t.Error,
	})
}

func (a tableAccount) done(h Hit, now time.Time) { a.answer(h.Number, now, h.Taken) }

// hit takes in what somebody else has done for one message.
func (a tableAccount) hit(h Hit) {
	if h.Number < 1 || h.Number > uint64(len(a.rows)) || len(h.Tries) == 0 {
		return // it never left
	}
	a.fire(h.Number, a.start.Add(h.Tries[0].At))
	for i, t := range h.Tries {
		a.tried(h.Number, i+1, t)
	}
	a.done(h, a.start.Add(h.Tries[len(h.Tries)-1].Done))
}

// fold takes one entry of the fake's ledger in.
func (t *table) fold(e Entry) {
	id := e.Message
	if id == "" {
		id, _, _ = strings.Cut(strings.SplitN(e.Callback, "-", 2)[0], ".")
	}
	n, ok := messageNumber(id)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !ok && t.nameless != nil {
		n, ok = t.nameless.find(t, e)
	}
	if !ok || n > uint64(len(t.rows)) {
		if e.Accepted && e.Status == "" {
			t.strays++
		}
		return // someone else's traffic: not a message of this run
	}
	r := &t.rows[n-1]
	if e.Status != "" {
		t.foldStatus(r, e)
		return
	}
	if e.Accepted && r.astray == "" && t.offered != nil {
		r.astray = astray(e, t.offered(n))
	}
	if !e.Provider {
		r.api++
		t.count.api++
		if r.api == 1 {
			t.count.apiFirst++
		}
	}
	if e.Media {
		r.hasSlack, r.slack = true, e.Slack
	}
	if !e.Accepted {
		r.code = int32(e.Code)
		t.apiErrors[e.Code]++
		if e.Expired {
			r.mediaErrors++
			t.count.mediaErrors++
		}
		return
	}
	t.foldCopy(r, e, id)
}

func (t *table) foldStatus(r *row, e Entry) {
	switch e.Status {
	case "delivered", "read":
		if r.delivered == record.Never {
			r.delivered = t.since(e.At)
			t.count.delivered++
			t.deliveries = append(t.deliveries, r.delivered-r.scheduled)
		}
	case "unanswered":
		r.unheard = true
	case "failed":
		r.refused, r.code = true, int32(e.Code)
		if r.copies > 0 {
			r.copies-- // this copy will never arrive: sending it again makes no duplicate
		}
		t.apiErrors[e.Code]++
		if e.Expired {
			r.expired = true
			r.mediaErrors++
			t.count.mediaErrors++
		}
	}
}

func (t *table) foldCopy(r *row, e Entry, id string) {
	l := parseLineage(e.Callback, id)
	if t.heard[e.Callback] {
		delete(t.heard, e.Callback)
		l.heard = true
	}
	unheard := r.unheard
	r.unheard = e.Answered < 200 || e.Answered > 299
	r.copies++
	t.count.accepted++
	if at := t.since(e.At); r.accepted != record.Never && at < r.accepted {
		r.accepted = at // the ledger numbers attempts as they end, and this one began earlier
	}
	if r.copies == 1 {
		r.first, r.refused, r.expired = l, false, false
		if r.accepted == record.Never {
			r.accepted = t.since(e.At)
			t.count.goodput++
		}
		return
	}
	t.count.duplicates++
	if r.copies == 2 {
		t.count.duplicated++
	}
	if r.more == nil {
		r.more = &copies{seen: []lineage{r.first}}
	}
	why := cause(l, r.more.seen)
	switch {
	case e.Provider:
		why = record.Provider
	case why == record.Unknown && unheard && r.askedOnce():
		why = record.SendRetry // a sender that is not ours: nobody asked it twice, and it was not told that it had been done
	}
	r.more.causes = append(r.more.causes, why)
	r.more.seen = append(r.more.seen, l)
}

// askedOnce reports whether the sender was asked for this message once, and will not be asked again.
func (r *row) askedOnce() bool { return r.tries == 1 && r.finished }

// hear notes that the sender learnt of one of its sends.
func (t *table) hear(a record.Attempt) {
	if a.Hop != "send" || a.Error != "" || a.Status < 200 || a.Status > 299 || a.Draft == "" {
		return
	}
	callback := a.Draft + "." + strconv.Itoa(a.Number)
	id, _, _ := strings.Cut(strings.SplitN(callback, "-", 2)[0], ".")
	n, ok := messageNumber(id)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !ok || n > uint64(len(t.rows)) {
		return
	}
	r, l := &t.rows[n-1], parseLineage(callback, id)
	found := r.copies > 0 && r.first.of(l)
	if found {
		r.first.heard = true
	}
	if r.more != nil {
		for i := range r.more.seen {
			if r.more.seen[i].of(l) {
				r.more.seen[i].heard, found = true, true
			}
		}
	}
	if found {
		return
	}
	if t.heard == nil {
		t.heard = map[string]bool{}
	}
	t.heard[callback] = true
}

// reasons settles the causes that only the whole run shows: a draft that was sent again although its sender had learnt of
// the send before was handed out twice by the queue, its lease run out or its commit lost.
func (r *row) reasons() []string {
	if r.more == nil {
		return nil
	}
	for i, why := range r.more.causes {
		if why != record.SendRetry || i+1 >= len(r.more.seen) {
			continue
		}
		for j := i; j >= 0; j-- {
			if before, l := r.more.seen[j], r.more.seen[i+1]; before.client == l.client && before.create == l.create {
				if before.known && before.heard {
					r.more.causes[i] = record.Redelivery
				}
				break
			}
		}
	}
	return r.more.causes
}
