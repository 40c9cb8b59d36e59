package dash

import (
	"fmt"
	"math"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// testRun is how much of the synthetic run tests of the stream use.
const testRun = 3 * time.Hour

// synthetic is a made-up run shaped like june6: calm, a surge, a ceiling, a scaling change, a slow evening. It is drawn
// from formulas alone, so every golden made of it stays what it is. Readings end at until.
func synthetic(until time.Duration) []Item {
	const minute = time.Minute
	info := record.Info{
		Schema: "aftershock.run/v1", ID: "june6-20250606T170300Z-s606", Clock: "virtual", Environment: "embedded", Queue: "memory",
		Scenario: record.ScenarioInfo{Name: "june6", Title: "Kustomer PROD1, 6 June 2025", SHA256: "9f3c1a77", Seed: 606, Preset: "incident"},
		Duration: 8 * time.Hour, State: record.Running, Start: time.Date(2025, 6, 6, 17, 3, 0, 0, time.UTC),
		Phases: []record.Phase{{Name: "calm", To: 30 * minute}, {Name: "surge", From: 30 * minute, To: 120 * minute}, {Name: "evening", From: 120 * minute, To: 480 * minute}},
		Plan: []record.Event{
			{At: 30 * minute, Kind: "note", Source: "plan", Number: 1, Text: "13:33 incident created"},
			{At: 38 * minute, Kind: "note", Source: "plan", Number: 2, Text: "status page: investigating"},
			{At: 61 * minute, Kind: "fault", Source: "provider", Number: 3, Text: "throttle to 60/s"},
			{At: 121 * minute, Kind: "note", Source: "plan", Number: 4, Text: "status page: identified"},
			{At: 180 * minute, Kind: "intervention", Source: "operator", Number: 5, Text: "16:03 scaling changes deployed"},
			{At: 416 * minute, Kind: "intervention", Source: "operator", Number: 6, Text: "19:59 rate limit deployed"},
		},
		Effective: map[string]string{"sender.drafts.rate_limit": "400/min", "sender.whatsapp.replicas.max": "4"},
	}
	items := []Item{{Info: &info}}
	seq := int64(0)
	event := func(e record.Event) {
		seq++
		e.Seq = seq
		items = append(items, Item{Event: &e})
	}
	pending := []record.Event{{Kind: "start", Source: "harness", Text: "june6"}}
	for _, id := range []string{"delayed", "duplicates", "scaling-behind", "no-loss", "healthy"} {
		pending = append(pending, record.Event{Kind: "threshold", Source: "threshold", ID: id, State: "pending", Text: "not yet"})
	}
	pending = append(pending, info.Plan...)
	pending = append(pending,
		record.Event{At: 44 * minute, Kind: "threshold", Source: "threshold", ID: "delayed", State: "met", Text: "delivery_time.p50 11m > 10m"},
		record.Event{At: 52 * minute, Kind: "replica", Source: "sender", ID: "whatsapp/4", State: "ready", Text: "whatsapp replicas ready: 4 (was 3)"},
		record.Event{At: 97 * minute, Kind: "threshold", Source: "threshold", ID: "no-loss", State: "missed", Text: "messages.lost 3 == 0"},
		record.Event{At: 150 * minute, Kind: "mark", Source: "operator", Text: "ana: did 4 make it worse?"})
	for i := range pending {
		for j := i; j > 0 && pending[j].At < pending[j-1].At; j-- {
			pending[j], pending[j-1] = pending[j-1], pending[j]
		}
	}
	var offered, taken, api, first, goodput, copies, delivered, timeouts, busy, media, throttled, front, frontFirst, work float64
	backlog := 20.0
	for at := 10 * time.Second; at <= until; at += 10 * time.Second {
		for len(pending) > 0 && pending[0].At <= at {
			event(pending[0])
			pending = pending[1:]
		}
		m := at.Minutes()
		rate := 2.5 + 0.2*math.Sin(m/7)
		storm := 0.0
		if m >= 30 && m < 120 {
			rate, storm = 18.3+0.8*math.Sin(m/5), min((m-30)/20, 1)
		}
		cores := 3.0
		if m > 52 {
			cores = 4
		}
		if m > 190 {
			cores = 12
		}
		limit := 400.0 / 60
		if m >= 416 {
			limit = 5
		}
		out := min(limit, backlog/10+rate*0.95, cores*2)
		backlog = max(0, backlog+(rate*(1-0.55*storm)-out)*10)
		offered += rate * 10
		front += rate * 10 * (1 + 3.2*storm)
		frontFirst += rate * 10
		taken += rate * 10 * (1 - 0.55*storm)
		api += out * 10 * (1 + 0.4*storm)
		first += out * 10
		copies += out * 0.1 * storm
		goodput += out * 10
		delivered += out * 9.9
		timeouts += rate * 10 * 1.1 * storm
		busy += rate * 10 * 2 * storm
		media += max(0, m-80) / 400 * storm
		throttled += out * 2 * storm
		work += 10 * cores
		oldest := backlog / max(out, 0.1)
		v := map[string]float64{
			record.GOffered: offered, record.GFrontDoor: front, record.GFrontDoorFirst: frontFirst, record.GAnswered: taken,
			record.GSend: api, record.GSendFirst: first, record.GCreate: taken * (1 + storm), record.GCreateFirst: taken,
			record.GGoodput: goodput, record.GAccepted: goodput + copies, record.GDuplicates: copies, record.GDuplicated: copies, record.GDelivered: delivered,
			record.GFrontTimeouts: timeouts, record.GFront503: busy, record.GMediaErrors: media, "api_error_130429_total": throttled,
			"api_error_131053_total": media, record.GAPIErrors: throttled + media, record.GExpired: media / 2, record.GLost: 0,
			record.GBacklog: backlog, record.GReady: backlog * 0.9, record.GRetrying: backlog * 0.1, record.GOldest: oldest,
			record.GInFlight: 8 + 56*storm, record.GUnknown: 3 * storm, record.GRateLimit: limit,
			record.GReplicasReady: cores, record.GReplicasWant: 3 + 9*storm, record.GReplicasMax: 4, record.GLateness: 0.0004,
			record.GWhatsAppCPU: cores * (0.3 + 0.6*storm), record.GDraftsCPU: 0.2 + storm, record.GWhatsAppMem: 60e6 + 300e6*storm,
			record.GDraftsMem: 40e6 + backlog*4000, record.GWork: work, record.GWasted: work * 0.3 * storm,
			record.GResponseP50: 0.06 + 2*storm, record.GResponseP99: 0.2 + 9.8*storm, record.GSendP99: 0.6 + 12*storm,
		}
		if out > 0.5 {
			v[record.GDeliveryP50], v[record.GDeliveryP99] = 0.8+oldest*0.8, 2+oldest
		}
		if m > 480 {
			v[record.GOffered] = offered
		}
		items = append(items, Item{Gauge: &record.Gauge{At: at, Values: v}})
	}
	if until >= 8*time.Hour {
		event(record.Event{At: until, Kind: "end", Source: "harness", Text: "finished"})
		done := info
		done.State = record.Finished
		items = append(items, Item{Info: &done})
	}
	for i := range items {
		items[i].Next = fmt.Sprint(i+1, "-0")
	}
	return items
}

// at returns the model of the synthetic run at an instant, live, two thirds of a second after the last item.
func at(until time.Duration, o Options) *Model {
	m := NewModel(o, nil)
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m.Update(Tick(t0))
	m.Update(Items(synthetic(until)))
	if until >= 8*time.Hour {
		m.Update(Ended{})
	}
	m.Update(Tick(t0.Add(700 * time.Millisecond)))
	return m
}
