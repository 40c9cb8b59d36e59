package reports

import (
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

func TestCriteria(t *testing.T) {
	for _, c := range []struct {
		unit   Unit
		is     string
		meets  []float64
		misses []float64
	}{
		{Seconds, "> 10m", []float64{601}, []float64{600, 0}},
		{Seconds, "<= 350ms", []float64{0.35, 0.1}, []float64{0.351}},
		{Count, "== 0", []float64{0}, []float64{1, -1}},
		{Count, "!= 3", []float64{2}, []float64{3}},
		{Share, "between 0.1% and 10%", []float64{0.001, 0.05, 0.1}, []float64{0.0009, 0.101}},
		{Share, ">= 95%", []float64{0.95, 1.2}, []float64{0.949}},
		{Times, "<= 1.05x", []float64{1.05, 1}, []float64{1.06}},
		{PerMinute, "< 2/s", []float64{119}, []float64{120}},
		{Bytes, "<= 1MiB", []float64{1 << 20}, []float64{1<<20 + 1}},
		{Truth, "== true", []float64{1}, []float64{0}},
		{Seconds, "> -5s", []float64{-4}, []float64{-5}},
	} {
		got, err := ParseCriterion(c.unit, c.is)
		if err != nil {
			t.Errorf("%q: %v", c.is, err)
			continue
		}
		for _, v := range c.meets {
			if !got.Holds(v) {
				t.Errorf("%v does not meet %q", v, c.is)
			}
		}
		for _, v := range c.misses {
			if got.Holds(v) {
				t.Errorf("%v meets %q", v, c.is)
			}
		}
	}
	for unit, is := range map[Unit]string{Seconds: "> 10", Count: "about 3", Share: "> x%", Truth: "== maybe", PerMinute: "> 400", Bytes: "> 3 apples", Times: "between 2 and 1", Cores: ""} {
		if c, err := ParseCriterion(unit, is); err == nil {
			t.Errorf("%q was read as %+v", is, c)
		}
	}
}

func TestRelativeCriteria(t *testing.T) {
	for is, want := range map[string]float64{"<= +10%": 110, ">= -20%": 80, "< +3s": 103} {
		c, err := ParseCriterion(Seconds, is)
		if err != nil || !c.Relative {
			t.Fatalf("%q: %+v, %v", is, c, err)
		}
		if got := c.against(100); got.Limit != want || got.Relative {
			t.Errorf("%q against 100 = %+v, want %v", is, got, want)
		}
	}
}

func judgeByHand(t *testing.T, th scenarios.Threshold) ThresholdResult {
	t.Helper()
	run, sc := byHand()
	th.ID = "t"
	sc.Thresholds = []scenarios.Threshold{th}
	rs, err := Evaluate(run, sc)
	if err != nil {
		t.Fatal(err)
	}
	return rs[0]
}

func TestThresholds(t *testing.T) {
	for _, c := range []struct {
		name     string
		th       scenarios.Threshold
		want     Verdict
		observed string
		first    time.Duration
	}{
		{"met", scenarios.Threshold{Metric: "messages.delivered", Is: ">= 3"}, Met, "3", record.Never},
		{"met in its second minute", scenarios.Threshold{Metric: "attempts.amplification", Is: "> 2"}, Met, "2.25x", time.Minute},
		{"missed, broken in its second minute", scenarios.Threshold{Metric: "duplicates.copies", Is: "== 0"}, Missed, "2", time.Minute},
		{"during a phase", scenarios.Threshold{Metric: "messages.offered", During: "surge", Is: "== 3"}, Met, "3", time.Minute},
		{"from an instant", scenarios.Threshold{Metric: "messages.offered", From: 80 * time.Second, Is: "== 2"}, Met, "2", 80 * time.Second},
		{"held for some minutes", scenarios.Threshold{Metric: "attempts.amplification", Some: 2 * time.Minute, Is: "> 2"}, Met, "held for 2m", time.Minute},
		{"not held that long", scenarios.Threshold{Metric: "attempts.amplification", Some: 3 * time.Minute, Is: "> 2"}, Missed, "held for 2m", record.Never},
		{"in every minute", scenarios.Threshold{Metric: "attempts.amplification", For: time.Minute, Is: "> 2"}, Missed, "1x in the worst 1m", 0},
		{"in every minute of a phase", scenarios.Threshold{Metric: "attempts.amplification", During: "surge", For: time.Minute, Is: "> 2"}, Met, "", time.Minute},
		{"the window is shorter", scenarios.Threshold{Metric: "attempts.amplification", During: "surge", For: time.Hour, Is: "> 2"}, Invalid, "no data: the window is shorter than 1h", record.Never},
		{"too few", scenarios.Threshold{Metric: "delivery_time.p99", Is: "< 1h"}, Invalid, "too little data: 5 values for delivery_time.p99, which needs 100", record.Never},
		{"within a minute", scenarios.Threshold{Metric: "timeouts.count", From: time.Minute, Within: time.Minute, Is: "< 5"}, Met, "4", 2 * time.Minute},
		{"no such phase", scenarios.Threshold{Metric: "messages.lost", During: "dawn", Is: "== 0"}, Invalid, `no data: the run has no phase "dawn"`, record.Never},
		{"no traffic", scenarios.Threshold{Metric: "messages.lost", From: 2 * time.Minute, Is: "== 0"}, Invalid, "no data: no messages were due in the window (from 2m)", record.Never},
		{"after the end", scenarios.Threshold{Metric: "messages.lost", From: 2 * time.Hour, Is: "== 0"}, Invalid, "no data: the window (from 2h) is empty: the run ended at 0:03:00", record.Never},
		{"not measured", scenarios.Threshold{Metric: "send.latency.p99", Is: "< 1s"}, Invalid, "no data: send.latency.p99 was not measured in the run", record.Never},
		{"no baseline", scenarios.Threshold{Metric: "delivery_time.p50", Is: "<= +10%"}, Invalid, "no baseline to compare with: give --baseline", record.Never},
		{"no such metric", scenarios.Threshold{Metric: "duplicates", Is: "== 0"}, Invalid, "there is no metric", record.Never},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := judgeByHand(t, c.th)
			if got.Verdict != c.want || !strings.HasPrefix(got.Observed, c.observed) {
				t.Errorf("got %s, %q; want %s, %q", got.Verdict, got.Observed, c.want, c.observed)
			}
			if c.want != Invalid && got.First != c.first {
				t.Errorf("first at %v, want %v", got.First, c.first)
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	th := func(metric, is, level string) scenarios.Threshold {
		return scenarios.Threshold{ID: metric, Metric: metric, Is: is, Level: level}
	}
	met, missed, nothing := th("messages.lost", "== 0", ""), th("duplicates.copies", "== 0", ""), th("send.latency.p99", "< 1s", "")
	for _, c := range []struct {
		name   string
		ths    []scenarios.Threshold
		change func(*record.Run)
		want   Verdict
		exit   int
	}{
		{"all met", []scenarios.Threshold{met}, nil, Met, 0},
		{"none", nil, nil, Invalid, 3},
		{"warnings only", []scenarios.Threshold{th("messages.lost", "== 0", "warn")}, nil, Invalid, 3},
		{"one missed", []scenarios.Threshold{met, missed}, nil, Missed, 99},
		{"one without data", []scenarios.Threshold{met, nothing}, nil, Invalid, 3},
		{"missed beats no data", []scenarios.Threshold{missed, nothing}, nil, Missed, 99},
		{"a warning beside it", []scenarios.Threshold{met, th("duplicates.copies", "== 0", "warn")}, nil, Met, 0},
		{"lost pace", []scenarios.Threshold{missed}, func(r *record.Run) { r.Info.Harness.Invalid = []string{"late"} }, Invalid, 3},
		{"killed", []scenarios.Threshold{met}, func(r *record.Run) { r.Info.State = record.Running }, Invalid, 3},
		{"interrupted", []scenarios.Threshold{met}, func(r *record.Run) { r.Info.State = record.Interrupted }, Invalid, 130},
		{"failed", []scenarios.Threshold{met}, func(r *record.Run) { r.Info.State = record.Broken }, Invalid, 1},
		{"nothing offered", []scenarios.Threshold{met}, func(r *record.Run) { r.Messages = nil }, Invalid, 3},
		{"a message without outcome", []scenarios.Threshold{met}, func(r *record.Run) { r.Messages[0].Outcome = "" }, Invalid, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			run, sc := byHand()
			sc.Thresholds = c.ths
			all := quantity.Share(1)
			sc.Overlook = &all
			if c.change != nil {
				c.change(run)
			}
			r, err := Build(run, sc)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != c.want || r.ExitCode != c.exit {
				t.Errorf("got %s, exit %d (%v); want %s, %d", r.Verdict, r.ExitCode, r.Reasons, c.want, c.exit)
			}
		})
	}
}
