package fakewa

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
)

// Core decides what becomes of requests. It has no clock, goroutine or socket: time is an argument, and the caller
// sees to it that one call is under way at a time.
type Core struct {
	cfg    Config
	draw   draws
	access access
	media  mediaStore
	limits limiter
	load   queue
	faults faultSet
	seen   map[uint64]tally
	number uint64 // requests so far
	now    hit    // the request being decided, and
	next   Decision
}

// tally counts what one message met.
type tally struct{ attempts, accepted uint32 }

// draws are the purposes for which the fake draws by chance.
type draws struct {
	latency, wamid, check, sent, delivered, read, readShare, fetch, trace, media chance.Source
}

func newDraws(seed int64) draws {
	s := chance.New(seed).For("fakewa")
	return draws{
		latency: s.For("latency"), wamid: s.For("wamid"), check: s.For("check"), sent: s.For("sent"), delivered: s.For("delivered"),
		read: s.For("read"), readShare: s.For("read share"), fetch: s.For("fetch"), trace: s.For("trace"), media: s.For("media"),
	}
}

// NewCore returns a core for a configuration. now is when tokens start to age.
func NewCore(cfg Config, seed int64, now time.Time) (*Core, error) {
	cfg = cfg.filled()
	if err := cfg.validate().Err(); err != nil {
		return nil, err
	}
	c := &Core{cfg: cfg, draw: newDraws(seed), seen: map[uint64]tally{}}
	c.access = newAccess(cfg, now)
	c.media = newMediaStore(c.draw.media)
	c.limits = newLimiter()
	return c, nil
}

// Decide says what becomes of a request that arrives now.
func (c *Core) Decide(now time.Time, r *Request) Decision {
	c.number++
	d, h := &c.next, &c.now // not on the stack: faults are handed pointers to them
	*d = Decision{Number: c.number}
	d.Key, d.Attempt = c.identify(r)
	*h = hit{now: now, r: r, d: d, about: c.about(r, d), terms: termsOf(&c.cfg), struck: h.struck[:0]}
	c.faults.touch(h)
	d.Delay = c.latency(now, r, d)
	if !c.faults.early(h) {
		c.settle(now, r, d, h)
	}
	c.faults.late(h)
	d.Fault = h.faults
	h.r = nil
	out := *d
	if out.Again && out.Accepted {
		out.twin = c.again(now, r, out)
	}
	return out
}

// identify gives the message a number of its own, the same for every copy of it, and counts its attempts.
func (c *Core) identify(r *Request) (key, attempt uint64) {
	if r.Endpoint != Messages || r.Message.Read || r.Message.WAID == "" {
		return c.draw.media.Bits(c.number), 1
	}
	key = r.Message.identity(c.cfg.Ledger.Identity)
	t := c.seen[key]
	t.attempts++
	c.seen[key] = t
	return key, uint64(t.attempts)
}

// about says what a request is about. The calls for one file are told apart by their order, as the attempts of one
// message are; other calls are each about something of their own.
func (c *Core) about(r *Request, d *Decision) about {
	o := about{number: r.Node, to: r.Message.WAID, kind: r.Message.Type, key: d.Key, attempt: d.Attempt}
	if len(c.faults.list) == 0 {
		return o
	}
	file := r.Upload
	switch r.Endpoint {
	case Metadata, Download, Delete:
		o.number = r.Number
		m := c.media.items[r.Node]
		if m == nil || m.deleted {
			return o
		}
		o.number, file = m.number, &m.content
	}
	if file != nil {
		o.kind = mediaKinds[cleanMIME(file.MIME)].kind
		o.key = chance.Key(string(r.Endpoint)) ^ binary.BigEndian.Uint64(file.Sum[:])
		t := c.seen[o.key]
		t.attempts++
		c.seen[o.key] = t
		o.attempt = uint64(t.attempts)
	}
	return o
}

// identity is what makes two sends copies of one message.
func (m *Message) identity(by string) uint64 {
	if m.Marker != "" && (by == "auto" || by == "marker") {
		return chance.Key(m.Marker)
	}
	if m.Callback != "" && (by == "auto" || by == "callback") {
		return chance.Key(m.Callback) + 1
	}
	switch {
	case by == "text" && m.Marker != "": // whatever else was made of the text
		return chance.Key(m.Marker + " to " + m.WAID)
	case by == "text":
		return hash(hash(chance.Key(m.WAID), []byte(m.Type)), plainly(m.raw))
	}
	return m.Content
}

// latency is how long an ordinary answer takes, the wait behind other requests included.
func (c *Core) latency(now time.Time, r *Request, d *Decision) time.Duration {
	dist := c.cfg.Media.Latency
	if r.Endpoint == Messages {
		dist = c.cfg.Latency
	}
	var wait time.Duration
	if dist.Kind != "" {
		wait = dist.Sample(c.draw.latency.Float(d.Key, d.Attempt))
	} else {
		wait = time.Duration(dist.A)
	}
	queued, full := c.load.join(now, c.cfg.LatencyLoad)
	if full && r.Problem == nil {
		r.Problem = fail(c.cfg.LatencyLoad.Full, "")
	}
	return wait + queued
}

// settle decides a request that no fault has answered.
func (c *Core) settle(now time.Time, r *Request, d *Decision, h *hit) {
	if r.Endpoint != Download {
		if d.Err = c.access.check(now, r, &c.cfg); d.Err != nil {
			return
		}
	}
	if d.Err = r.Problem; d.Err != nil {
		return
	}
	switch r.Endpoint {
	case Messages:
		c.send(now, r, d, h)
	case Upload:
		c.upload(now, r, d)
	case Metadata:
		c.metadata(now, r, d, h)
	case Download:
		c.download(now, r, d, h)
	case Delete:
		c.remove(now, r, d, h)
	default:
		c.manage(now, r, d)
	}
}

// send decides a send or a mark-as-read.
func (c *Core) send(now time.Time, r *Request, d *Decision, h *hit) {
	m := &r.Message
	if d.Err = m.problem; d.Err != nil {
		return
	}
	if m.Read {
		if dir, ok := knownWamid(c.draw.check, m.Target); !ok || dir != fromUser {
			d.Err = fail(131009, "Message ID is not valid")
			return
		}
		d.Body = []byte(`{"success":true}`)
		return
	}
	if d.Err = c.access.sends(r); d.Err != nil {
		return
	}
	if d.Err = c.template(m); d.Err != nil {
		return
	}
	c.useMedia(now, r, d, h)
	if d.Err != nil {
		return
	}
	if d.Err, d.Wait = c.limits.take(now, r.Node, m, h.terms, &c.cfg); d.Err != nil {
		return
	}
	c.accept(now, r, d)
}

// again processes an accepted request once more, on the provider's own account.
func (c *Core) again(now time.Time, r *Request, first Decision) *Decision {
	twin := first
	c.accept(now, r, &twin)
	return &twin
}

// accept takes the message: from here on it is delivered, whatever the client learns.
func (c *Core) accept(now time.Time, r *Request, d *Decision) {
	m := &r.Message
	t := c.seen[d.Key]
	t.accepted++
	c.seen[d.Key] = t
	d.Accepted, d.Copy = true, int(t.accepted)
	d.WAMID = wamid(c.draw.check, m.WAID, toUser, c.draw.wamid.Bits(d.Key, uint64(t.accepted)))
	cfg := &c.cfg.Statuses
	sample := func(s chance.Source, q interface{ Sample(float64) time.Duration }) time.Duration {
		return q.Sample(s.Float(d.Key, uint64(t.accepted)))
	}
	l := &later{
		Number: r.Node, To: m.WAID, WAMID: d.WAMID, Callback: m.Callback, Message: m.Marker, Type: m.Type, Key: d.Key, Copy: d.Copy, Group: m.Group,
		Accepted: now, Sent: d.Delay + sample(c.draw.sent, cfg.Sent), Delivery: sample(c.draw.delivered, cfg.Delivered), Read: -1,
	}
	if cfg.ReadShare > 0 && c.draw.readShare.Float(d.Key, uint64(t.accepted)) < float64(cfg.ReadShare) {
		l.Read = sample(c.draw.read, cfg.Read)
	}
	if m.Template != nil {
		l.Category = c.access.category(m.Template)
	}
	c.foresee(now, r, d, l)
	d.later = l
}

// foresee finds out why an accepted message will fail later.
func (c *Core) foresee(now time.Time, r *Request, d *Decision, l *later) {
	m := &r.Message
	if m.Type == "reaction" {
		l.OnlySent = true
		if _, ok := knownWamid(c.draw.check, m.Target); !ok {
			l.Fail = fail(131009, "Reaction message cannot be sent as the message it reacts to is not available")
		}
	}
	if c.cfg.Limits.Window && c.cfg.Limits.WindowBy == "webhook" && !c.limits.open(now, r.Node, m) {
		l.Fail = fail(131047, "")
	}
	if len(m.Links) > 0 {
		l.Links = m.Links
		l.Fetch = d.Delay + c.cfg.Media.Fetch.Sample(c.draw.fetch.Float(d.Key, uint64(d.Copy)))
	}
}

// queue is the load of the fake itself: requests waiting for a server of a given capacity.
type queue struct {
	at      time.Time
	waiting float64
}

// join adds a request and returns how long it waits, or that it found the queue full.
func (q *queue) join(now time.Time, cfg LatencyLoad) (time.Duration, bool) {
	rate := cfg.Capacity.PerSecond()
	if rate <= 0 {
		return 0, false
	}
	q.waiting = math.Max(0, q.waiting-now.Sub(q.at).Seconds()*rate)
	q.at = now
	if cfg.Queue > 0 && q.waiting >= float64(cfg.Queue) {
		return 0, true
	}
	wait := span(q.waiting / rate * float64(time.Second))
	q.waiting++
	return wait, false
}

// appendSent writes the answer to an accepted send.
func (d *Decision) appendSent(b []byte, r *Request, status string) []byte {
	m := &r.Message
	b = append(b, `{"messaging_product":"whatsapp","contacts":[{"input":`...)
	b = appendString(b, m.To, false)
	if m.BSUID != "" {
		b = append(b, `,"user_id":`...)
		b = appendString(b, m.BSUID, false)
	} else {
		b = append(b, `,"wa_id":`...)
		b = appendString(b, m.WAID, false)
	}
	b = append(b, `}],"messages":[{"id":"`...)
	b = append(b, d.WAMID...)
	b = append(b, '"')
	if m.Group {
		b = append(b, `,"group_id":`...)
		b = appendString(b, m.To, false)
	}
	if status == "always" || status == "templates" && m.Type == "template" {
		b = append(b, `,"message_status":"accepted"`...)
	}
	return append(b, `}]}`...)
}

// reset forgets everything but the settings.
func (c *Core) reset(now time.Time) {
	c.media.vault.file.close()
	vault := vault{keep: c.media.vault.keep, blobs: map[[32]byte]*blob{}, file: spill{dir: c.media.vault.file.dir}}
	c.media = newMediaStore(c.draw.media)
	c.media.vault = vault
	c.limits = newLimiter()
	c.load = queue{}
	c.faults.list, c.faults.past = nil, nil
	c.seen = map[uint64]tally{}
	c.access = newAccess(c.cfg, now)
}
