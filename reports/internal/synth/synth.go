// Package synth writes records of runs that never took place, so that reports can be tested without a harness. Its
// numbers have the shape of an overload: a surge, a queue served first come first served, timeouts and retries while
// too little is served, copies and expired media because of both, and an end when more replicas come.
package synth

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// Options shape a record; the zero value is the full incident.
type Options struct {
	Seed        int64
	Scale       float64       // of all rates; 0 is 1
	Healthy     bool          // enough replicas from the start: no retries, no copies
	Unmitigated bool          // no intervention: it never recovers
	Slower      float64       // every latency is this much longer: 0.2 is 20 %
	Extra       int           // copies more, for tests of gates
	Load        time.Duration // length of the load; 0 is 8h
	Dark        bool          // a run without attempts inside the sender, as of somebody else's sender
}

type phase struct {
	name     string
	length   time.Duration
	from, to float64 // messages a minute
}

var phases = []phase{{"calm", 30 * time.Minute, 150, 150}, {"rise", 5 * time.Minute, 150, 1100}, {"surge", 90 * time.Minute, 1100, 1100},
	{"fall", 30 * time.Minute, 1100, 150}, {"after", 0, 150, 150}}

const (
	deployed = 3 * time.Hour // scaling changes
	limited  = 6*time.Hour + 56*time.Minute
	reading  = 30 * time.Second
)

// Write writes the record of one run into a folder and returns it as it would be loaded.
func Write(dir string, o Options) (*record.Run, error) {
	if o.Scale == 0 {
		o.Scale = 1
	}
	if o.Load == 0 {
		o.Load = 8 * time.Hour
	}
	m := &maker{o: o, draw: chance.New(o.Seed), events: map[string][]time.Duration{}}
	m.plan()
	m.send()
	info := m.info(dir)
	w, err := record.Create(dir, info, []byte(m.scenario()))
	if err != nil {
		return nil, err
	}
	for _, e := range m.story() {
		w.Event(e)
	}
	m.gauges(w)
	for _, msg := range m.messages {
		w.Message(msg)
	}
	for _, a := range m.attempts {
		w.Attempt(a)
	}
	info.State = record.Finished
	info.Virtual, info.Wall = m.end, 21300*time.Millisecond
	info.Digest = record.Digest(m.messages)
	if err := w.Close(info); err != nil {
		return nil, err
	}
	return record.Load(dir)
}

type maker struct {
	o        Options
	draw     chance.Source
	phases   []record.Phase
	messages []record.Message
	attempts []record.Attempt
	events   map[string][]time.Duration // instants at which a counter rose
	spans    []span                     // attempts in flight
	work     []span                     // messages held
	drafts   int
	end      time.Duration
}

type span struct{ from, to time.Duration }

func (m *maker) rate(t time.Duration) float64 {
	for i, p := range m.phases {
		if t < p.To {
			f := float64(t-p.From) / float64(p.To-p.From)
			return (phases[i].from + f*(phases[i].to-phases[i].from)) * m.o.Scale
		}
	}
	return 0
}

// plan draws when each message is due.
func (m *maker) plan() {
	t := time.Duration(0)
	for _, p := range phases {
		to := min(t+p.length, m.o.Load)
		if p.length == 0 {
			to = m.o.Load
		}
		if to > t {
			m.phases = append(m.phases, record.Phase{Name: p.name, From: t, To: to})
		}
		t = to
	}
	arrivals := m.draw.For("arrivals")
	types := []string{"text", "text", "text", "text", "text", "text", "text", "image", "image", "document"}
	at := time.Duration(0)
	for n := uint64(1); ; n++ {
		at += time.Duration(-math.Log(1-arrivals.Float(n)) / m.rate(at) * float64(time.Minute))
		if at >= m.o.Load {
			break
		}
		phase := 0
		for m.phases[phase].To <= at {
			phase++
		}
		m.messages = append(m.messages, record.Message{
			ID: fmt.Sprintf("m%06d", n), To: fmt.Sprintf("r%05d", arrivals.Bits(n, 2)%20000), Type: types[arrivals.Bits(n, 3)%10], Phase: phase,
			Scheduled: at, Sent: at, Answered: record.Never, Accepted: record.Never, Delivered: record.Never,
		})
	}
}

// capacity is how many messages a minute can be sent at an instant.
func (m *maker) capacity(t time.Duration) float64 {
	switch {
	case m.o.Healthy:
		return 2400 * m.o.Scale
	case m.o.Unmitigated && t > 40*time.Minute:
		return 130 * m.o.Scale
	case m.o.Unmitigated || t < deployed:
		return 330 * m.o.Scale
	case t < limited:
		return 470 * m.o.Scale
	}
	return 300 * m.o.Scale
}

func (m *maker) calm(t time.Duration) bool {
	return m.o.Healthy || t < 31*time.Minute || (t > deployed+5*time.Minute && !m.o.Unmitigated)
}

func (m *maker) count(name string, at time.Duration) { m.events[name] = append(m.events[name], at) }

func (m *maker) attempt(a record.Attempt, first, all string) {
	a.Done = min(a.Done, a.At+15*time.Second)
	m.count(all, a.At)
	if a.Number == 1 {
		m.count(first, a.At)
	}
	m.spans = append(m.spans, span{a.At, a.Done})
	if !m.o.Dark || a.Hop == "front_door" || a.Hop == "api" {
		m.attempts = append(m.attempts, a)
	}
}

// send gives every message its story.
func (m *maker) send() {
	free := time.Duration(0)
	slower := 1 + m.o.Slower
	for i := range m.messages {
		msg, n := &m.messages[i], uint64(i+1)
		u := func(what string) float64 { return m.draw.For(what).Float(n) }
		ms := func(v float64) time.Duration { return time.Duration(v * slower * float64(time.Millisecond)) }
		m.count(record.GOffered, msg.Scheduled)
		taken := m.frontDoor(msg, n, u, ms)
		if !taken {
			msg.Outcome, msg.Reason = record.Shed, "refused with 503"
			m.count(record.GRefused, msg.Answered)
			continue
		}
		m.count(record.GAnswered, msg.Answered)
		start := max(free, msg.Scheduled+ms(120+100*u("queue")))
		free = start + time.Duration(float64(time.Minute)/m.capacity(start))
		m.deliver(msg, n, start, u, ms)
		m.work = append(m.work, span{msg.Scheduled, max(msg.Accepted, start)})
		m.end = max(m.end, start, msg.Delivered)
	}
	for i := range m.o.Extra {
		msg := &m.messages[i*7%len(m.messages)]
		msg.Copies++
		msg.Causes = append(msg.Causes, "unknown")
	}
	for _, list := range m.events {
		slices.Sort(list)
	}
	m.end = max(m.end, m.o.Load).Truncate(reading) + reading
}

func (m *maker) frontDoor(msg *record.Message, n uint64, u func(string) float64, ms func(float64) time.Duration) bool {
	tries := 1
	if !m.calm(msg.Scheduled) {
		tries += int(4 * u("tries") * u("tries"))
	}
	at := msg.Scheduled
	for try := 1; try <= tries; try++ {
		a := record.Attempt{Message: msg.ID, Hop: "front_door", Number: try, At: at, Done: at + ms(60+90*u("front")), Status: 202, Taken: true, Replica: "whatsapp/1"}
		if try < tries {
			a.Done, a.Status, a.Error = at+10*time.Second, 0, "timeout"
			m.count(record.GFrontTimeouts, a.Done)
		}
		m.attempt(a, record.GFrontDoorFirst, record.GFrontDoor)
		m.create(msg, try, a)
		msg.Answered, msg.Status, at = a.Done, a.Status, a.Done+time.Second
	}
	msg.Tries = tries
	if tries == 4 && u("shed") < 0.1 {
		msg.Status = 503
		m.count(record.GFront503, msg.Answered)
		return false
	}
	return true
}

func (m *maker) create(msg *record.Message, try int, front record.Attempt) {
	m.drafts++
	a := record.Attempt{Message: msg.ID, Hop: "create", Number: 1, Draft: fmt.Sprintf("d%06d", m.drafts), At: front.At + 20*time.Millisecond, Done: front.Done - 10*time.Millisecond, Status: 201, Taken: true}
	if front.Error != "" {
		a.Done, a.Status, a.Error = a.At+5*time.Second, 0, "timeout"
		m.count(record.GCreateTimeouts, a.Done)
	}
	if try > 1 {
		a.Number = try
	}
	m.attempt(a, record.GCreateFirst, record.GCreate)
}

func (m *maker) deliver(msg *record.Message, n uint64, start time.Duration, u func(string) float64, ms func(float64) time.Duration) {
	media := msg.Type != "text"
	wait := start - msg.Scheduled
	sends := 1
	if !m.calm(start) {
		sends += int(5 * u("sends") * u("sends"))
	}
	at := start
	for s := 1; s <= sends; s++ {
		a := record.Attempt{Message: msg.ID, Hop: "send", Number: s, Draft: "d" + msg.ID[1:], At: at, Done: at + ms(450+350*u("send")), Status: 200, Taken: true, Replica: "whatsapp/2"}
		if s < sends {
			a.Done, a.Status, a.Error, a.Taken = at+15*time.Second, 0, "timeout", false
			m.count(record.GSendTimeouts, a.Done)
		}
		m.attempt(a, record.GSendFirst, record.GSend)
		at = a.Done + time.Second
	}
	done := at - time.Second
	if media {
		msg.Slack, msg.HasSlack = time.Hour-wait, true
	}
	if media && wait > time.Hour && u("expired") < 0.8 {
		for k := range 3 {
			m.api(msg, k+1, done+time.Duration(k)*time.Second, ms(350), 400, 131053)
			m.count(record.GMediaErrors, done+time.Duration(k)*time.Second)
		}
		msg.APIMedia, msg.Outcome, msg.Reason, msg.Sender = 3, record.Expired, "media had expired", "expired"
		m.count(record.GExpired, done+3*time.Second)
		m.count(record.GDraftsExpired, done+3*time.Second)
		return
	}
	copies, causes := 1, []string(nil)
	if sends > 1 && u("copy") < 0.04 {
		copies, causes = 2, []string{"send_retry"}
	}
	if msg.Tries > 1 && u("copy2") < 0.03 {
		copies, causes = copies+1, append(causes, []string{"create_retry", "client_retry"}[n%2])
	}
	for k := range copies {
		m.api(msg, k+1, done+time.Duration(k)*7*time.Second, ms(200+300*u("api")), 200, 0)
		m.count(record.GAccepted, done)
		if k > 0 {
			m.count(record.GDuplicates, done)
		}
		if k == 1 {
			m.count(record.GDuplicated, done)
		}
	}
	msg.Copies, msg.Causes, msg.Outcome, msg.Sender = copies, causes, record.Delivered, "delivered"
	msg.Accepted = done
	msg.Delivered = done + ms(300+900*u("webhook"))
	m.count(record.GGoodput, msg.Accepted)
	m.count(record.GDelivered, msg.Delivered)
}

func (m *maker) api(msg *record.Message, number int, at, took time.Duration, status, code int) {
	a := record.Attempt{Message: msg.ID, Hop: "api", Number: number, Draft: "d" + msg.ID[1:], At: at, Done: at + took, Status: status, Code: code, Taken: status == 200}
	if status == 200 {
		a.WAMID = fmt.Sprintf("wamid.%s.%d", msg.ID, number)
	} else {
		m.count(record.GAPIErrors, at)
		m.count(fmt.Sprintf("api_error_%d_total", code), at)
	}
	msg.API++
	m.attempt(a, record.GAPIFirst, record.GAPI)
}

func (m *maker) info(dir string) record.Info {
	name := "synthetic"
	sum := "5a17"
	return record.Info{
		ID: name + "-20250606T170300Z-s" + fmt.Sprint(m.o.Seed), Clock: "virtual", Environment: "embedded", Queue: "memory",
		Scenario: record.ScenarioInfo{Name: name, Title: "An incident that never was", SHA256: strings.Repeat(sum, 16), Seed: m.o.Seed, Preset: "incident", Variants: []string{}, Overrides: map[string]string{}},
		Start:    time.Date(2025, 6, 6, 13, 3, 0, 0, time.FixedZone("", -4*3600)), Duration: m.o.Load, State: record.Running,
		Phases: m.phases, Plan: m.timeline(), Effective: map[string]string{"sender.drafts.rate_limit": "400/min"},
		Harness: record.Harness{LatenessP50: 400 * time.Microsecond, LatenessP99: 2 * time.Millisecond, LatenessMax: 2100 * time.Microsecond},
		Tool:    "test", Machine: "linux/amd64/2", Command: "aftershock run synthetic --seed " + fmt.Sprint(m.o.Seed),
	}
}
