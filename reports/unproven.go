package reports

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// A copy is proven when somebody could not have known better: an answer to an earlier copy was lost on its way to whoever
// decides to send again, or whoever had it died, was stopped or could write nothing down at that time.

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

// blows are the stretches in which the sender could lose what it knew.
func blows(run *record.Run) []Window {
	var out []Window
	for _, e := range run.Events {
		if e.Kind == "intervention" && (e.ID == "sender" || e.ID == "disk" || strings.HasPrefix(e.ID, "drafts")) {
			out = append(out, Window{e.At, max(e.Until, e.At)})
		}
	}
	return out
}

// struck reports whether what was known of a copy may have been lost.
func (t takenCopy) struck(blows []Window) bool {
	return slices.ContainsFunc(blows, func(w Window) bool { return t.at <= w.To && w.From <= t.done+amnesty })
}

// unproven counts the copies of messages due in the window that no lost answer explains.
func unproven(d *Measured, w Window) (float64, bool) {
	n, all := 0, d.due(w)
	strikes := blows(d.run)
	asks := d.scenario == nil || d.scenario.Client.IdempotencyKey // a client without keys asks for a copy
	for i := range all {
		m := &all[i]
		copies := d.copies.several[m.ID]
		excused, bare := false, 0
		for _, c := range copies {
			if !excused {
				bare++
			}
			excused = excused || c.struck(strikes) || !c.told || d.copies.hops && !d.copies.heard[c.callback]
		}
		excess := min(bare-1, m.Copies-1-causeCount(m, record.Provider))
		if !asks {
			excess -= causeCount(m, record.ClientRetry)
		}
		n += max(0, excess)
	}
	return float64(n), len(all) > 0
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
