package reports

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// A copy is proven when nobody could have known better: an answer to an earlier copy was lost on its way to whoever decides to
// send again, or whoever had it died, was stopped or could write nothing down at that time; and no status had told either.

// hasty is how soon after the copy before it a copy cannot have waited for a status.
const hasty = 20 * time.Second

// amnesty is how long after an answer it can still be lost with the process that had read it.
const amnesty = 5 * time.Second

// taken is one copy that the API accepted when it was asked for it.
type takenCopy struct {
	at, done time.Duration
	callback string
	told     bool // the API answered that it had, in one piece
}

// copiesOf finds the accepted copies of messages that have more than one, and the sends that Drafts heard of.
type copiesOf struct {
	several map[string][]takenCopy
	heard   map[string]bool
	hops    bool // the sender tells of its sends
	garbled map[string]bool
}

// garbling are the faults after which an answer is no answer, whatever its status says.
var garbling = []string{"reply-lost", "reset", "slow-body", "truncate", "not-json"}

func newCopies(run *record.Run, sc *scenarios.Scenario) *copiesOf {
	c := &copiesOf{several: map[string][]takenCopy{}, heard: map[string]bool{}, garbled: map[string]bool{}}
	for i := range run.Messages {
		if m := &run.Messages[i]; m.Copies > 1 {
			c.several[m.ID] = nil
		}
	}
	if sc == nil || len(c.several) == 0 {
		return c
	}
	steps := slices.Clone(sc.Timeline)
	slices.SortStableFunc(steps, func(a, b scenarios.Step) int { return cmp.Compare(a.At, b.At) })
	for i, s := range steps {
		if s.Fault != nil && slices.Contains(garbling, s.Fault.Kind) {
			c.garbled["step-"+strconv.Itoa(i+1)] = true
		}
	}
	return c
}

// see takes an attempt in.
func (c *copiesOf) see(a record.Attempt) {
	if a.Hop == "send" {
		c.hops = true
	}
	id := a.Message
	if id == "" {
		id, _, _ = strings.Cut(strings.SplitN(a.Draft, "-", 2)[0], ".")
	}
	copies, several := c.several[id]
	if !several {
		return
	}
	ok := a.Error == "" && a.Status >= 200 && a.Status <= 299
	switch {
	case a.Hop == "send" && ok:
		c.heard[a.Draft+"."+strconv.Itoa(a.Number)] = true
	case a.Hop == "api" && a.Taken:
		c.several[id] = append(copies, takenCopy{a.At, a.Done, a.Draft, ok && !c.garbled[a.Fault]})
	}
}

// blow is a stretch in which the sender could lose what it knew, or not be told.
type blow struct {
	Window
	memory bool // what it knew could be lost
	silent bool // statuses could be lost, or come much later
}

// blows reads them from a run.
func blows(run *record.Run, sc *scenarios.Scenario) []blow {
	var out []blow
	for _, e := range run.Events {
		w := Window{e.At, max(e.Until, e.At)}
		switch {
		case e.Kind == "intervention":
			w.To += starting(run, e.ID)
			out = append(out, blow{Window: w, memory: e.ID == "sender" || e.ID == "disk" || strings.HasPrefix(e.ID, "drafts")})
		case e.Kind == "fault" && sc != nil && webhooks(sc, e.At):
			out = append(out, blow{Window: w, silent: true})
		}
	}
	return out
}

// starting is how long a service may take to be back after something was done to its copies.
func starting(run *record.Run, id string) time.Duration {
	service, _, _ := strings.Cut(id, "/")
	start, err := quantity.ParseDist(run.Info.Effective["sender."+service+".replicas.start"])
	if err != nil {
		return 0 // not a service whose copies start
	}
	return start.Sample(0.999)
}

// webhooks reports whether a fault that begins at an instant strikes webhooks.
func webhooks(sc *scenarios.Scenario, at time.Duration) bool {
	return slices.ContainsFunc(sc.Timeline, func(s scenarios.Step) bool {
		return s.Fault != nil && s.Fault.Kind == "webhook" && at >= s.At && at-s.At < time.Second
	})
}

// struck reports whether the answer to a copy may have been lost with who had read it.
func (t takenCopy) struck(blows []blow) bool {
	return slices.ContainsFunc(blows, func(b blow) bool { return b.memory && t.at <= b.To && b.From <= t.done+amnesty })
}

// told reports whether a status must have told the sender, by an instant, what the API had delivered at another: it is sent
// again and again, after waits that double, until somebody takes it.
func told(delivered, by time.Duration, blows []blow) bool {
	if delivered == record.Never {
		return false
	}
	hard := time.Duration(0) // how long it may have failed
	for _, b := range blows {
		if b.silent && b.From <= delivered+time.Second && b.To >= delivered-time.Second {
			return false
		}
		if b.From <= by && b.To >= delivered {
			hard = max(hard, b.To-delivered)
		}
	}
	return by > delivered+3*hard+15*time.Second
}

// unproven counts the copies of messages due in the window that no lost answer explains.
func unproven(d *Measured, w Window) (float64, bool) {
	n, all := 0, d.due(w)
	asks := d.scenario == nil || d.scenario.Client.IdempotencyKey // a client without keys asks for a copy
	for i := range all {
		m := &all[i]
		if m.Copies < 2 {
			continue
		}
		excess := min(d.copies.bare(m, blows(d.run, d.scenario)), m.Copies-1-causeCount(m, record.Provider))
		if !asks {
			excess -= causeCount(m, record.ClientRetry)
		}
		n += max(0, excess)
	}
	return float64(n), len(all) > 0
}

// bare counts the copies of a message before which whoever sends had been told of one.
func (c *copiesOf) bare(m *record.Message, blows []blow) (n int) {
	excused := false // an answer to one of those before was lost
	for i, t := range c.several[m.ID] {
		if i > 0 && (!excused || told(m.Delivered, t.at, blows)) {
			n++
		}
		excused = excused || t.struck(blows) || !t.told || c.hops && !c.heard[t.callback]
	}
	return n
}

// hurried counts the copies of messages due in the window that came too soon to have waited for a status.
func hurried(d *Measured, w Window) (float64, bool) {
	n, all := 0, d.due(w)
	for i := range all {
		copies := d.copies.several[all[i].ID]
		for j := 1; j < len(copies); j++ {
			if copies[j].at-copies[j-1].at < hasty {
				n++
			}
		}
	}
	return float64(n), len(all) > 0
}
