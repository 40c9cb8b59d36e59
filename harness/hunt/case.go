package hunt

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut"
)

// Case is one schedule: a scenario, and the settings in which it departs from the one that it began as. A Case is data; it
// is drawn, made smaller, and written down.
type Case struct {
	Seed     int64
	Scenario scenarios.Scenario
	Set      map[string]string
}

// Reference is the scenario that is hunted without another: the sender as it should be, and a client that can be told from
// one that asks for a second message.
const Reference = `
schema: aftershock/scenario/v1
name: reference
seed: 1
load: {phases: [{name: load, for: 1m, rate: 1/s}]}
client: {timeout: 10s, retries: 5, backoff: 2s, idempotency_key: true}
sender: {preset: hardened}
`

// drain is how long a sender may need to be done when trouble has ended: longer than every hold, lease, breaker and backoff of
// the reference sender, one after the other.
const drain = 2 * time.Hour

// Draw makes the case of a seed: what base says of sender, fake, client and messages, under a load and a timeline of the
// hunt's own. ours says that the sender is the reference sender.
func Draw(base *scenarios.Scenario, seed int64, ours bool) *Case {
	d := newDice(seed)
	c := &Case{Seed: seed, Scenario: *base, Set: map[string]string{}}
	s := &c.Scenario
	s.Name, s.Seed, s.Variants, s.Thresholds, s.Assume, s.Purpose, s.Drain = "hunt", seed, nil, nil, nil, "", drain
	s.Notes, s.Idle = "", nil
	s.Title = fmt.Sprintf("seed %d of a hunt", seed)
	s.Load = drawLoad(d)
	if ours {
		drawMessages(d, s)
		drawSettings(d, c)
	}
	s.Timeline = drawTimeline(d, s.Load.Duration(), ours)
	all := quantity.Share(1)
	s.Overlook = &all // the promises are looked at, and how many messages a fault has harmed is not one of them
	return c
}

// drawLoad is a load of a few hundred messages at most, in up to three phases.
func drawLoad(d *dice) scenarios.Load {
	l := scenarios.Load{Arrivals: one(d, []string{"even", "poisson"})}
	for i := range d.between(1, 3) {
		rate := quantity.Rate{Count: float64(d.between(6, 120)), Per: time.Minute}
		if d.yes(.2) {
			rate.Count *= 4
		}
		l.Phases = append(l.Phases, scenarios.Phase{Name: fmt.Sprintf("part-%d", i+1), For: d.span(20*time.Second, 80*time.Second), Rate: rate})
	}
	return l
}

func drawMessages(d *dice, s *scenarios.Scenario) {
	s.Messages.Recipients = one(d, []int{3, 20, 200, 2000})
	s.Messages.Class = one(d, []string{"otp", "reply", "transactional", "bulk"})
	if d.yes(.3) {
		s.Messages.Tenants = d.between(2, 4)
	}
	if d.yes(.3) {
		s.Messages.Mix = map[string]quantity.Share{"text": .6, "image": .3, "document": .1}
	}
	s.Client.Retries = d.between(0, 8)
}

// kept are the policies that every promise rests on: without them copies are no surprise.
var kept = []string{"idempotent-create", "classified-retry", "hold"}

// drawSettings turns some policies off and makes some room small.
func drawSettings(d *dice, c *Case) {
	incident, err := sut.Preset("incident")
	if err != nil {
		return
	}
	now, err := sut.ParseConfig("sender", c.Scenario.Sender)
	if err != nil {
		return // told when the case is built
	}
	for _, p := range sut.Switches() {
		if slices.Contains(kept, p.Name) || !d.yes(.08) {
			continue
		}
		for k, v := range p.Between(now, incident) {
			c.Set["sender."+k] = v
		}
	}
	for _, tight := range []struct {
		key, value string
	}{
		{"sender.drafts.backlog.max", fmt.Sprint(d.between(5, 60))},
		{"sender.drafts.dispatch.in_flight", fmt.Sprint(d.between(20, 40))},
		{"sender.drafts.rate_limit", fmt.Sprintf("%d/s", d.between(1, 10))},
		{"sender.drafts.order.park", fmt.Sprint(d.between(1, 5))},
		{"sender.whatsapp.replicas.queue", fmt.Sprint(d.between(1, 10))},
		{"whatsapp.limits.throughput", fmt.Sprintf("%d/s", d.between(2, 20))},
		{"whatsapp.latency", "lognormal(p50=" + d.span(50*time.Millisecond, 3*time.Second).String() + ", p99=6s)"},
	} {
		if d.yes(.12) {
			c.Set[tight.key] = tight.value
		}
	}
}

// drawTimeline is one to seven troubles, all over some time before the drain is.
func drawTimeline(d *dice, load time.Duration, ours bool) []scenarios.Step {
	all := slices.DeleteFunc(troubles(), func(t trouble) bool { return t.ours && !ours })
	var crashes, others []trouble
	for _, t := range all {
		if t.alone {
			crashes = append(crashes, t)
		} else {
			others = append(others, t)
		}
	}
	var out []scenarios.Step
	free := time.Duration(0) // until when the process is under a crash
	for range d.between(1, 7) {
		s := scenarios.Step{At: time.Duration(d.float() * float64(load)).Round(100 * time.Millisecond), For: d.span(time.Second, 90*time.Second), May: "miss"}
		kinds := others
		if len(crashes) > 0 && d.yes(.45) {
			kinds = crashes
			s.At, s.For = max(s.At, free), d.span(time.Second, 20*time.Second)
			free = s.At + s.For + time.Second
		}
		t := one(d, kinds)
		t.draw(d, &s)
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b scenarios.Step) int { return cmp.Compare(a.At, b.At) })
	return out
}

// Blocks are the checks of a case.
func blocks() scenarios.Blocks {
	b := local.Blocks()
	b.Metric, b.Threshold, b.Presets = reports.CheckMetric, reports.CheckThreshold, sut.Presets()
	return b
}

// Build makes the case's scenario, with the promises that it has to keep. Settings that do not go together are left out, one
// after the other, the same ones each time.
func (c *Case) Build(promises []Promise) (*scenarios.Scenario, error) {
	s := c.Scenario
	set := maps.Clone(c.Set)
	for {
		out, err := scenarios.Read("hunt.yaml", s.YAML(), scenarios.Options{Set: set, Blocks: blocks()})
		if err == nil {
			out.Thresholds = thresholds(out, promises)
			return scenarios.Read("hunt.yaml", out.YAML(), scenarios.Options{Blocks: blocks()})
		}
		if len(set) == 0 {
			return nil, fmt.Errorf("seed %d: %w", c.Seed, err)
		}
		delete(set, culprit(set, err))
	}
}

// culprit is the setting that an error is about, or one of them when it names none.
func culprit(set map[string]string, err error) string {
	keys := slices.Sorted(maps.Keys(set))
	for _, e := range strict.All(err) {
		if slices.Contains(keys, e.Key) {
			return e.Key
		}
	}
	return keys[len(keys)-1]
}

// clone is a copy that can be changed.
func (c *Case) clone() *Case {
	out := *c
	out.Set = maps.Clone(c.Set)
	out.Scenario.Timeline = slices.Clone(c.Scenario.Timeline)
	out.Scenario.Load.Phases = slices.Clone(c.Scenario.Load.Phases)
	out.Scenario.Messages.Mix = maps.Clone(c.Scenario.Messages.Mix)
	return &out
}
