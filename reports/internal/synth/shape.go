package synth

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// timeline is the timeline as planned.
func (m *maker) timeline() []record.Event {
	out := []record.Event{
		{At: 38 * time.Minute, Kind: "mark", Source: "plan", Text: "status page: investigating"},
		{At: deployed, Kind: "intervention", Source: "plan", Number: 1, Text: "16:03 scaling changes deployed"},
		{At: limited, Kind: "intervention", Source: "plan", Number: 2, Text: "19:59 rate limit 400/min → 300/min deployed"},
	}
	for i, e := range out {
		if e.At >= m.o.Load || m.o.Unmitigated && e.Number > 0 {
			return out[:i]
		}
	}
	return out
}

// story is what happened, in order.
func (m *maker) story() []record.Event {
	out := []record.Event{{Kind: "start", Source: "harness", Text: "run started"}}
	for _, p := range m.phases {
		out = append(out, record.Event{At: p.From, Kind: "phase", Source: "plan", Text: p.Name, ID: p.Name})
	}
	out = append(out, m.timeline()...)
	out = append(out, record.Event{At: 33 * time.Minute, Kind: "replica", Source: "sender", ID: "whatsapp/4", State: "ready", Text: "whatsapp/4 ready"},
		record.Event{At: 36 * time.Minute, Kind: "threshold", Source: "threshold", ID: "delayed", State: "met", Text: "delayed"},
		record.Event{At: m.end, Kind: "end", Source: "harness", Text: "run finished"})
	slices.SortStableFunc(out, func(a, b record.Event) int { return int(min(max(a.At-b.At, -1), 1)) })
	return out
}

func (m *maker) replicas(t time.Duration) (ready, want, ceiling float64) {
	load := m.rate(t) / m.o.Scale / 100
	want = math.Ceil(max(3, load+1))
	ceiling = 4
	if m.o.Healthy || (t > deployed && !m.o.Unmitigated) {
		ceiling = 16
	}
	if !m.calm(t) {
		want += 4
	}
	ready = min(want, ceiling)
	if t > 30*time.Minute && t < 33*time.Minute {
		ready = 3
	}
	return ready, want, ceiling
}

// gauges writes a reading every half minute.
func (m *maker) gauges(w *record.Writer) {
	seen := map[string]int{}
	held, flying := newLevel(m.work), newLevel(m.spans)
	delivered := m.byDelivery()
	oldest, next := 0, 0
	for t := reading; t <= m.end; t += reading {
		v := map[string]float64{record.GUnsent: 0, record.GFailed: 0, record.GLost: 0, record.GSend503: 0, record.GUnknown: 0, record.GHeld: 0, record.GResolved: 0, record.GResolvedLate: 0, record.GGivenUp: 0, record.GIllegal: 0}
		for _, name := range []string{record.GFrontTimeouts, record.GSendTimeouts, record.GCreateTimeouts, record.GFront503, record.GDuplicates, record.GDuplicated,
			record.GMediaErrors, record.GExpired, record.GDraftsExpired, record.GAPIErrors, record.GRefused} {
			v[name] = 0
		}
		for name, at := range m.events {
			for seen[name] < len(at) && at[seen[name]] <= t {
				seen[name]++
			}
			v[name] = float64(seen[name])
		}
		v[record.GOfferedRate] = m.rate(t) / 60
		v[record.GBacklog], v[record.GInFlight] = held.at(t), flying.at(t)
		v[record.GRetrying] = math.Floor(v[record.GInFlight] / 3)
		v[record.GDraftsHeld] = v[record.GBacklog]
		v[record.GReady] = max(0, v[record.GBacklog]-v[record.GRetrying])
		for oldest < len(m.work) && m.work[oldest].to <= t {
			oldest++
		}
		v[record.GOldest] = 0
		if oldest < len(m.work) && m.work[oldest].from < t {
			v[record.GOldest] = (t - m.work[oldest].from).Seconds()
		}
		m.resources(t, v)
		var took []float64
		for ; next < len(delivered) && delivered[next].Delivered <= t; next++ {
			took = append(took, (delivered[next].Delivered - delivered[next].Scheduled).Seconds())
		}
		if len(took) > 0 {
			slices.Sort(took)
			v[record.GDeliveryP50], v[record.GDeliveryP99] = took[len(took)/2], took[len(took)*99/100]
		}
		w.Gauge(record.Gauge{At: t, Values: v})
	}
}

func (m *maker) byDelivery() []record.Message {
	var out []record.Message
	for _, msg := range m.messages {
		if msg.Delivered != record.Never {
			out = append(out, msg)
		}
	}
	slices.SortFunc(out, func(a, b record.Message) int { return int(min(max(a.Delivered-b.Delivered, -1), 1)) })
	return out
}

func (m *maker) resources(t time.Duration, v map[string]float64) {
	ready, want, ceiling := m.replicas(t)
	v[record.GReplicasReady], v[record.GReplicasWant], v[record.GReplicasMax] = ready, want, ceiling
	busy := min(ready, 0.4+v[record.GInFlight]/m.o.Scale/4)
	v[record.GWhatsAppCPU], v[record.GWhatsAppMem] = busy, ready*64*(1<<20)+v[record.GInFlight]*256*1024
	v[record.GDraftsCPU], v[record.GDraftsMem] = 0.05+busy/10, 48*(1<<20)+v[record.GBacklog]*4096
	seconds := t.Seconds()
	v[record.GWork] = seconds * 2
	v[record.GWasted] = v[record.GFrontTimeouts]*0.06 + v[record.GSendTimeouts]*0.45
	v[record.GRateLimit] = 400.0 / 60
	if t > limited && !m.o.Unmitigated {
		v[record.GRateLimit] = 5
	}
	v[record.GSendP50], v[record.GSendP99] = 0.5, 0.9
	v[record.GResponseP50], v[record.GResponseP99] = 0.1, 0.15
	if !m.calm(t) {
		v[record.GSendP99], v[record.GResponseP99] = 15, 32
	}
	v[record.GLateness] = 0.002
}

// level counts how many spans are open at an instant.
type level struct {
	from, to []time.Duration
	i, j     int
}

func newLevel(spans []span) *level {
	l := &level{}
	for _, s := range spans {
		l.from, l.to = append(l.from, s.from), append(l.to, s.to)
	}
	slices.Sort(l.from)
	slices.Sort(l.to)
	return l
}

func (l *level) at(t time.Duration) float64 {
	for l.i < len(l.from) && l.from[l.i] <= t {
		l.i++
	}
	for l.j < len(l.to) && l.to[l.j] <= t {
		l.j++
	}
	return float64(l.i - l.j)
}

// scenario is the resolved scenario of the record.
func (m *maker) scenario() string {
	s := fmt.Sprintf(`schema: aftershock/scenario/v1
name: synthetic
title: An incident that never was
seed: %d
start: 2025-06-06T13:03:00-04:00
load:
  arrivals: poisson
  phases:
`, m.o.Seed)
	for i, p := range m.phases {
		from, to := phases[i].from*m.o.Scale, phases[i].to*m.o.Scale
		s += fmt.Sprintf("    - {name: %s, for: %s, from: %g/min, to: %g/min}\n", p.Name, p.To-p.From, from, to)
	}
	steps := []string{
		`{at: 38m, note: "status page: investigating"}`,
		`{at: 3h, set: {sender.whatsapp.replicas.max: 16}, note: "16:03 scaling changes deployed"}`,
		`{at: 6h56m, set: {sender.drafts.rate_limit: 300/min}, note: "19:59 rate limit deployed"}`,
	}
	s += "timeline:\n"
	for i := range m.timeline() {
		s += "  - " + steps[i] + "\n"
	}
	if m.o.Healthy {
		return s + `thresholds:
  - {id: no-duplicates, metric: duplicates.copies, is: "== 0"}
  - {id: no-loss, metric: messages.lost, is: "== 0"}
  - {id: quick, metric: delivery_time.p99, is: "<= 10s"}
`
	}
	return s + `purpose: replay
overlook: 1%
variants:
  faster-scaling: {sender.whatsapp.replicas.max: 16}
thresholds:
  - {id: delayed, says: "drafts significantly delayed", metric: delivery_time.p50, during: surge, is: "> 10m"}
  - {id: calm-retries, says: "no retries while all is calm", metric: attempts.amplification, during: calm, is: "<= 1.05"}
  - {id: retries, says: "retries intensified the message load", metric: attempts.amplification, during: surge, is: ">= 1.5"}
  - {id: duplicates, says: "occasionally, generating duplicate messages", metric: duplicates.rate, is: "between 0.1% and 10%"}
  - {id: media, says: "messages were not delivered before attached media items expired", metric: media.expired, is: "> 0"}
  - {id: behind, says: "the service was scaling, but it couldn't keep pace", metric: scaling.behind, is: ">= 1h"}
  - {id: settled, says: "deployed scaling changes, spikes settled down", metric: timeouts.drop, from: 3h, to: 3h30m, is: ">= 90%"}
  - {id: healthy, says: "traffic returned to healthy levels", metric: goodput.ratio, from: 6h56m, within: 30m, is: ">= 95%"}
`
}
