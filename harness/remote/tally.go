package remote

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/sut"
)

// tally keeps what every service has counted, over restarts: what a copy had counted when it was last asked is not lost
// when it ends. What it counted after that is.
type tally struct {
	client *client
	mu     sync.Mutex
	copies map[string]*counted // by part
}

// counted is one copy's numbers: of its earlier lives, and of this one.
type counted struct {
	before, now sut.Stats
	noted       time.Time // when the last answer came
}

func newTally(c *client) *tally { return &tally{client: c, copies: map[string]*counted{}} }

// ask reads the numbers of some parts. A part that does not answer keeps those it had.
func (t *tally) ask(ctx context.Context, units []Unit) {
	ctx, cancel := context.WithTimeout(ctx, quickly)
	defer cancel()
	var all sync.WaitGroup
	for _, u := range units {
		all.Go(func() {
			var s sut.Stats
			if ok, _ := u.Alive(); !ok {
				return
			}
			asked := time.Now()
			if err := t.client.do(ctx, u, http.MethodGet, "/stats", nil, inJSON(&s)); err == nil {
				t.note(u.Name(), asked, s)
			}
		})
	}
	all.Wait()
}

// note takes in an answer. Gauges and scaling ask at the same time: of two answers that crossed nobody knows which is
// the newer, and the older would look like a copy that began anew. The first to come counts.
func (t *tally) note(name string, asked time.Time, s sut.Stats) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.copies[name]
	if c == nil {
		c = &counted{}
		t.copies[name] = c
	}
	if asked.Before(c.noted) {
		return
	}
	c.noted = time.Now()
	if s.WhatsApp.Used < c.now.WhatsApp.Used || s.DraftsOf.Used < c.now.DraftsOf.Used || s.Front < c.now.Front {
		c.before = sut.Sum(c.before, c.now)
	}
	c.now = s
}

// drafts returns the numbers of the Drafts service.
func (t *tally) drafts() sut.Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.copies["drafts"]
	if c == nil {
		return sut.Stats{}
	}
	sum := sut.Sum(c.before, c.now)
	out := c.now // gauges are of now
	out.Sends, out.SendFirst, out.SendTimeouts, out.Send503 = sum.Sends, sum.SendFirst, sum.SendTimeouts, sum.Send503
	out.Expired, out.Failed, out.Dead, out.GivenUp = sum.Expired, sum.Failed, sum.Dead, sum.GivenUp
	out.Illegal = sum.Illegal
	out.DraftsOf.Used, out.DraftsOf.Wasted = sum.DraftsOf.Used, sum.DraftsOf.Wasted
	return out
}

// whatsapp adds the numbers of all WhatsApp replicas up; running tells which of them use memory and cores now.
func (t *tally) whatsapp(running []Unit) sut.Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out sut.Stats
	for name, c := range t.copies {
		if name != "drafts" {
			out = sut.Sum(sut.Sum(out, c.before), c.now)
		}
	}
	for _, u := range running {
		if c := t.copies[u.Name()]; c != nil {
			out.WhatsApp.Memory += c.now.WhatsApp.Memory
			out.WhatsApp.Cores += c.now.WhatsApp.Cores
			out.WhatsApp.Waiting += c.now.WhatsApp.Waiting
		}
	}
	return out
}

// used is the core time of all WhatsApp replicas.
func (t *tally) used() time.Duration { return t.whatsapp(nil).WhatsApp.Used }
