package reports

import (
	"errors"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// TestWhatIf: runs of one load are compared whatever else differs; what differs is listed, and the first sentence says
// what it came to.
func TestWhatIf(t *testing.T) {
	read := func(text string) *scenarios.Scenario {
		s, err := scenarios.Read("x.yaml", []byte("schema: aftershock/scenario/v1\nname: x\n"+text), scenarios.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	const load = "load: {phases: [{name: a, for: 1m, rate: 60/min}]}\n"
	plain, patient := read(load), read(load+"client: {timeout: 30s}\ntimeline: [{at: 10s, note: x}]\n")
	if loadOf(plain) != loadOf(patient) || workload(plain) == workload(patient) {
		t.Error("another client is another load")
	}
	if loadOf(plain) == loadOf(read("load: {phases: [{name: a, for: 2m, rate: 60/min}]}\n")) || loadOf(plain) == loadOf(read(load+"messages: {recipients: 7}\n")) {
		t.Error("another load, or other messages, are the same")
	}
	side := func(s *scenarios.Scenario, label string, copies, expired, delay float64) *Baseline {
		return &Baseline{Scenario: "x", Workload: workload(s), Load: loadOf(s), Clock: "virtual", Seeds: []int64{1}, Digests: []string{label}, Label: label,
			Metrics:  map[string][]float64{"duplicates.copies": {copies}, "messages.expired": {expired}, "delivery_time.p50": {delay}, "messages.harmed": {copies + expired}},
			Settings: map[string]string{"client.timeout": s.Client.Timeout.String(), "same": "1"}}
	}
	base, better, worse := side(plain, "x", 7422, 25684, 100), side(patient, "patience", 1300, 24100, 101), side(patient, "greed", 7423, 25684, 300)
	if got := plainSpaces(WhatIf(base, better)); got != "patience: 6 122 fewer copies, 1 584 fewer expired, the same delay" {
		t.Errorf("%q", got)
	}
	if got := WhatIf(base, worse); got != "greed: 1 more copy, a median delay of 5m instead of 1m40s" {
		t.Errorf("%q", got)
	}
	changes, err := CompareWhatIf(base, better)
	if err != nil || len(changes) == 0 {
		t.Fatalf("one load, another client: %v", err)
	}
	if d := Differences(base, better); len(d) != 1 || d[0].Key != "client.timeout" || d[0].Candidate != "30s" {
		t.Errorf("%v", d)
	}
	if text := plainSpaces(NewComparison(base, better, changes).Text(false, false)); !strings.HasPrefix(text, "patience: 6 122 fewer") || !strings.Contains(text, "client.timeout: 10s → 30s") {
		t.Errorf("%s", text)
	}
	order := []*Baseline{worse, base, better}
	if Rank(order); order[0] != better || order[2] != worse {
		t.Errorf("ranked %s, %s, %s", order[0].Label, order[1].Label, order[2].Label)
	}
	other := side(read("load: {phases: [{name: a, for: 2m, rate: 60/min}]}\n"), "other", 0, 0, 0)
	var i *IncomparableError
	if _, err := CompareWhatIf(base, other); !errors.As(err, &i) {
		t.Errorf("another load: %v", err)
	}
}

// plainSpaces makes ordinary spaces of those that hold the digits of a number together.
func plainSpaces(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }
