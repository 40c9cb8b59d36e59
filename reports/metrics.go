package reports

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// MetricDef is one row of the table of metrics: its name, its unit, what it means, and how it is read off a record.
type MetricDef struct {
	Name   string
	Unit   Unit
	Better string // "lower", "higher", or "" when neither is better
	Tier   Tier
	Doc    string
	Whole  bool // means nothing in a part of the run: during, from and to are refused

	value func(*Measured, Window) (float64, bool)
}

// Tier says how far a metric repeats itself, and so how a comparison treats it.
type Tier string

// The tiers.
const (
	Exact   Tier = "exact"   // counts: the same seed gives the same number
	Timing  Tier = "timing"  // decided by the scenario's own delays
	Machine Tier = "machine" // moves with the machine the run is on, in wall time
)

// Metrics returns every metric there is, in the order in which documents show them. A new number is a new row here.
func Metrics() []MetricDef { return slices.Clone(metrics()) }

var metrics = sync.OnceValue(func() []MetricDef {
	return slices.Concat(
		distributionMetrics(),
		[]MetricDef{withinMetric(withinName, 30*time.Second)},
		outcomeMetrics(),
		[]MetricDef{
			{"messages.offered", Count, "", Exact, "messages the scenario asked for", false, offered},
			{"messages.harmed", Count, "lower", Exact, "messages not delivered exactly once: any outcome but delivered, or more than one copy", false, countMessages(harmed)},
			{"messages.harmed.rate", Share, "lower", Exact, "messages.harmed ÷ messages.offered", false, perOffered(countMessages(harmed))},
			{"messages.ended_badly", Count, "lower", Exact, "messages failed, shed or lost", false, countMessages(endedBadly)},
			{"messages.residue", Count, "lower", Exact, "messages offered without an outcome: anything but 0 is a fault of the harness", true, residue},
			{"duplicates.messages", Count, "lower", Exact, "messages of which the API accepted more than one copy", false, duplicateMessages},
			{"duplicates.copies", Count, "lower", Exact, "copies beyond the first that the API accepted", false, duplicateCopies},
			{"duplicates.unproven", Count, "lower", Exact, "copies that no lost answer explains: the API told that it had taken the copy before and nothing befell whoever read that, or a status told. A copy that a client without idempotency keys asked for, and one that the provider made, are explained", false, unproven},
			{"duplicates.hasty", Count, "lower", Exact, "copies accepted within 20 s after the copy before them: nobody can have waited for a status", false, hurried},
			{"duplicates.rate", Share, "lower", Exact, "duplicates.messages ÷ messages.offered", false, perOffered(duplicateMessages)},
		},
		causeMetrics(),
		[]MetricDef{
			{"ambiguous.create", Count, "lower", Exact, "creations of a draft that failed for their caller and had been done", false, ambiguous("create")},
			{"ambiguous.send", Count, "lower", Exact, "sends that failed for their caller and had been done", false, ambiguous("send")},
			{"ambiguous.held", Count, "lower", Exact, "sends whose answer was lost or said nothing, and which the sender did not simply repeat", false, counter(record.GHeld)},
			{"ambiguous.resolved", Count, "", Exact, "of those, proved by a status in time: not sent again", false, counter(record.GResolved)},
			{"ambiguous.late", Count, "lower", Exact, "of those, proved by a status after the hold, when the draft had been sent again or given up", false, counter(record.GResolvedLate)},
			{"ambiguous.given_up", Count, "lower", Exact, "drafts given up with their outcome unknown", false, counter(record.GGivenUp)},
			{"ambiguous.unknown", Count, "lower", Exact, "most sends at a time whose outcome nobody knew", false, gaugeMax(record.GUnknown)},
			{"illegal.steps", Count, "lower", Exact, "steps of drafts that the sender's state machine does not allow: anything but 0 is a fault of the sender", false, counter(record.GIllegal)},
			{"delay.total", Seconds, "lower", Timing, "delivery times of the messages due in the window, added up: how long people waited in all", false, delayTotal},
			{"media.messages", Count, "", Exact, "messages that carry media", false, countMessages(isMedia)},
			{"media.expired", Count, "lower", Exact, "media messages never delivered because media or validity had run out. No data without media", false, ofMedia(countMessages(mediaExpired))},
			{"media.errors", Count, "lower", Exact, "refusals by the API because media had expired. No data without media", false, ofMedia(sumMessages(func(m *record.Message) int { return m.APIMedia }))},
			{"media.retries", Count, "lower", Exact, "requests to the API made again after such a refusal. No data without media", false, ofMedia(sumMessages(mediaRetries))},
			{"media.slack.p1", Seconds, "higher", Timing, "life left in the media at the last attempt, 1st percentile; negative when it had expired", false, slack(0.01)},
			{"media.slack.p50", Seconds, "higher", Timing, "life left in the media at the last attempt, median", false, slack(0.50)},

			{"attempts.front_door", Count, "lower", Exact, "requests to the front door", false, counter(record.GFrontDoor)},
			{"attempts.create", Count, "lower", Exact, "requests to create a draft", false, counter(record.GCreate)},
			{"attempts.send", Count, "lower", Exact, "requests to send", false, counter(record.GSend)},
			{"attempts.send.first", Count, "", Exact, "requests to send that were the first of their draft", false, counter(record.GSendFirst)},
			{"attempts.api", Count, "lower", Exact, "requests to the Cloud API's messages endpoint", false, counter(record.GAPI)},
			{"attempts.amplification", Times, "lower", Exact, "attempts at front door, create and send ÷ first attempts at the same; 1 means no retries", false, amplification(attemptCounters, firstCounters)},
			{"attempts.amplification.peak", Times, "lower", Exact, "highest attempts.amplification of any five minutes with 10 first attempts or more", false, amplificationPeak},
			{"amplification.front_door", Times, "lower", Exact, "attempts ÷ first attempts at the front door", false, amplification([]string{record.GFrontDoor}, []string{record.GFrontDoorFirst})},
			{"amplification.create", Times, "lower", Exact, "attempts ÷ first attempts at creating a draft", false, amplification([]string{record.GCreate}, []string{record.GCreateFirst})},
			{"amplification.send", Times, "lower", Exact, "attempts ÷ first attempts at sending", false, amplification([]string{record.GSend}, []string{record.GSendFirst})},
			{"amplification.api", Times, "lower", Exact, "attempts ÷ first attempts at the Cloud API", false, amplification([]string{record.GAPI}, []string{record.GAPIFirst})},

			{"offered.rate", PerMinute, "", Exact, "messages offered a minute, mean", false, perMinute(record.GOffered)},
			{"goodput.rate", PerMinute, "higher", Exact, "distinct messages the API accepted a minute, mean", false, perMinute(record.GGoodput)},
			{"goodput.ratio", Share, "higher", Exact, "distinct messages the API accepted ÷ messages offered, in the same window; above 100% while a backlog drains", false, goodputRatio},
			{"delivered.rate", PerMinute, "higher", Exact, "distinct messages delivered a minute, mean", false, perMinute(record.GDelivered)},
			{"timeouts.count", Count, "lower", Exact, "attempts at the front door and at sending that their caller gave up waiting for", false, counter(timeoutCounters...)},
			{"timeouts.create", Count, "lower", Exact, "attempts at creating a draft that the front door gave up waiting for", false, counter(record.GCreateTimeouts)},
			{"timeouts.rate", PerMinute, "lower", Exact, "timeouts.count of the worst minute", false, worstMinute(timeoutCounters...)},
			{"timeouts.drop", Share, "higher", Exact, "1 − timeouts a minute over the last five minutes of the window ÷ those of the worst minute in the hour before it", false, timeoutsDrop},
			{"refusals.rate", PerMinute, "lower", Exact, "503 answers at the front door and at sending, in the worst minute", false, worstMinute(record.GFront503, record.GSend503)},
			{"api.errors", Count, "lower", Exact, "answers of the Cloud API other than 200", false, counter(record.GAPIErrors)},

			{"backlog.max", Count, "lower", Exact, "most messages held by the sender at a time", false, gaugeMax(record.GBacklog)},
			{"backlog.end", Count, "lower", Exact, "messages held by the sender at the end of the window", false, gaugeLast(record.GBacklog)},
			{"backlog.drafts.max", Count, "lower", Exact, "most drafts held by the sender at a time: a message that was taken twice has two", false, gaugeMax(record.GDraftsHeld)},
			{"drafts.expired", Count, "lower", Exact, "drafts given up because media or validity ran out", false, counter(record.GDraftsExpired)},
			{"oldest_age.max", Seconds, "lower", Timing, "highest age of the oldest message held", false, gaugeMax(record.GOldest)},
			{"in_flight.max", Count, "lower", Exact, "most attempts sent and not done at a time", false, gaugeMax(record.GInFlight)},

			{"work.wasted", Share, "lower", Exact, "core seconds spent on abandoned, duplicate or media-failed work ÷ core seconds spent", false, wasted},
			{"replicas.added", Count, "", Exact, "most WhatsApp replicas ready − those ready when the window opened", false, gaugeGain(record.GReplicasReady)},
			{"replicas.max", Count, "", Exact, "most WhatsApp replicas ready at a time", false, gaugeMax(record.GReplicasReady)},
			{"replicas.wanted", Count, "", Exact, "most WhatsApp replicas the scaling rule asked for, before the ceiling", false, gaugeMax(record.GReplicasWant)},
			{"replicas.hours", Count, "lower", Exact, "WhatsApp replicas ready, added up over time: one replica for one hour is 1", false, replicaHours},
			{"scaling.behind", Seconds, "lower", Timing, "time in which the scaling rule wanted more replicas than were ready", false, behind},
			{"scaling.behind.longest", Seconds, "lower", Timing, "longest unbroken stretch of scaling.behind", false, behindLongest},
		},
		resourceMetrics("whatsapp", record.GWhatsAppCPU, record.GWhatsAppMem),
		resourceMetrics("drafts", record.GDraftsCPU, record.GDraftsMem),
		recoveryMetrics(),
		[]MetricDef{
			{"lateness.p50", Seconds, "lower", Machine, "of the harness: from the instant a message was due to the instant its first attempt left", false, lateness(0.50)},
			{"lateness.p99", Seconds, "lower", Machine, "the same, 99th percentile", false, lateness(0.99)},
			{"lateness.max", Seconds, "lower", Machine, "the same, worst", false, lateness(1)},
		},
	)
})

// percentiles are those that every distribution has.
var percentiles = []struct {
	name string
	q    float64
}{{"p50", 0.50}, {"p90", 0.90}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}}

// Metric finds a metric by its name.
func Metric(name string) (MetricDef, error) {
	if m, ok, err := within(name); ok {
		return m, err
	}
	if m, ok, err := ownGauge(name); ok {
		return m, err
	}
	all := metrics()
	for _, m := range all {
		if m.Name == name {
			return m, nil
		}
	}
	names := make([]string, len(all))
	for i, m := range all {
		names[i] = m.Name
	}
	if near := strict.Suggest(name, names); near != "" {
		return MetricDef{}, fmt.Errorf("there is no metric %q: did you mean %q?", name, near)
	}
	return MetricDef{}, fmt.Errorf("there is no metric %q: docs/metrics.md lists them all", name)
}

// CheckMetric reports whether there is a metric of this name; the error suggests the one that was probably meant.
func CheckMetric(name string) error {
	_, err := Metric(name)
	return err
}
