package hunt

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut"
)

// Promise is what must hold whatever befalls the sender: a threshold, so that a scenario carries the promise that it breaks.
type Promise struct {
	ID, Says, Metric string
	Ours             bool // it can be seen in the reference sender alone

	// is is the limit; nil is "== 0", and ok false leaves the promise out.
	is func(s *scenarios.Scenario, c sut.Config) (limit string, ok bool)
}

// Promises lists every promise of the reference sender, or those that can be seen from outside. Besides them a run has to end
// without a panic and without a goroutine left, and the same seed has to give the same digest.
func Promises(ours bool) []Promise {
	return slices.DeleteFunc(all(), func(p Promise) bool { return p.Ours && !ours })
}

func all() []Promise {
	return []Promise{
		{ID: "acknowledged", Metric: "messages.lost", Says: "nothing that was acknowledged is lost"},
		{ID: "drained", Metric: "messages.pending", Says: "when trouble has ended, every message comes to its end"},
		{ID: "once", Metric: "messages.residue", Says: "every message has one end"},
		{ID: "right", Metric: "messages.misdelivered", Says: "every copy goes to its recipient, with its text"},
		{ID: "proven", Metric: "duplicates.unproven", Says: "a copy is sent again only when nobody could know that it had been taken"},
		{ID: "patient", Metric: "duplicates.hasty", Says: "what may have been sent is not sent again before a status can have come", Ours: true, is: waits},
		{ID: "legal", Metric: "illegal.steps", Says: "no draft takes a step that its state machine does not have", Ours: true},
		{ID: "let-go", Metric: "backlog.end", Says: "the sender holds nothing in the end", Ours: true},
		{ID: "in-flight", Metric: "in_flight.max", Says: "no more sends are under way than were allowed", Ours: true, is: func(s *scenarios.Scenario, c sut.Config) (string, bool) {
			return "<= " + strconv.Itoa(highest(s, "sender.drafts.dispatch.in_flight", c.Drafts.Dispatch.InFlight)), c.Drafts.Dispatch.InFlight > 0
		}},
		{ID: "bounded", Metric: "backlog.max", Says: "the backlog is no longer than its bound", Ours: true, is: func(_ *scenarios.Scenario, c sut.Config) (string, bool) {
			return "<= " + strconv.FormatInt(c.Drafts.Backlog.Max, 10), c.Drafts.Backlog.Max > 0
		}},
		{ID: "ceiling", Metric: "replicas.max", Says: "there are no more copies than the ceiling says", Ours: true, is: func(s *scenarios.Scenario, c sut.Config) (string, bool) {
			most := c.WhatsApp.Replicas.Max
			for _, step := range s.Timeline {
				most = max(most, step.Scale["whatsapp"])
			}
			return "<= " + strconv.Itoa(most), true
		}},
	}
}

// waits says whether the sender waits for a status before it sends again.
func waits(_ *scenarios.Scenario, c sut.Config) (string, bool) {
	return "== 0", c.Drafts.Send.Mode == "classified" && c.Drafts.Classes.Transactional.Hold > 0
}

// highest is the highest value that a setting has in a run.
func highest(s *scenarios.Scenario, key string, begins int) int {
	for _, step := range s.Timeline {
		if n, err := strconv.Atoi(fmt.Sprint(step.Set[key])); err == nil {
			begins = max(begins, n)
		}
	}
	return begins
}

// thresholds are the promises as a scenario writes them.
func thresholds(s *scenarios.Scenario, promises []Promise) []scenarios.Threshold {
	var c sut.Config
	if slices.ContainsFunc(promises, func(p Promise) bool { return p.Ours }) {
		c, _ = sut.ParseConfig("sender", s.Sender) // it was read before
	}
	var out []scenarios.Threshold
	for _, p := range promises {
		is, ok := "== 0", true
		if p.is != nil {
			is, ok = p.is(s, c)
		}
		if ok {
			out = append(out, scenarios.Threshold{ID: p.ID, Says: p.Says, Metric: p.Metric, Is: is})
		}
	}
	return out
}
