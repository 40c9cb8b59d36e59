package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// manyMessages is a run of two minutes, calm and surge, with ten messages a second, of which every nth of the surge came to
// something else than one delivery.
func manyMessages(nth int, o record.Outcome) (*record.Run, *scenarios.Scenario) {
	run := &record.Run{Info: record.Info{State: record.Finished, Virtual: 3 * time.Minute,
		Phases: []record.Phase{{Name: "calm", To: time.Minute}, {Name: "surge", From: time.Minute, To: 2 * time.Minute}}}}
	for i := range 1200 {
		at := time.Duration(i) * 100 * time.Millisecond
		m := record.Message{ID: fmt.Sprint(i), Type: "text", Scheduled: at, Sent: at, Answered: at + time.Second, Accepted: at + time.Second, Delivered: at + 2*time.Second, Tries: 1, API: 1, Copies: 1, Outcome: record.Delivered}
		if i >= 600 && nth > 0 && i%nth == 0 {
			if o == duplicated {
				m.Copies = 2
			} else {
				m.Outcome, m.Delivered = o, record.Never
			}
		}
		run.Messages = append(run.Messages, m)
	}
	return run, &scenarios.Scenario{Load: scenarios.Load{Phases: []scenarios.Phase{{Name: "calm", For: time.Minute}, {Name: "surge", For: time.Minute}}}}
}

func threshold(metric, is string) scenarios.Threshold {
	return scenarios.Threshold{ID: metric, Metric: metric, Is: is}
}

// verdictOf judges a run by thresholds, and says why it is invalid.
func verdictOf(t *testing.T, run *record.Run, sc *scenarios.Scenario, ths ...scenarios.Threshold) (Verdict, string) {
	t.Helper()
	sc.Thresholds = ths
	r, err := Build(run, sc)
	if err != nil {
		t.Fatal(err)
	}
	return r.Verdict, strings.Join(r.Reasons, "; ")
}

// What too many messages came to has to be looked at, whatever it was.
func TestNoOutcomeIsPassedOver(t *testing.T) {
	for _, o := range append(slices.Clone(record.Outcomes[1:]), duplicated) {
		run, sc := manyMessages(10, o)
		other := threshold("messages.lost", "== 0")
		if o == record.Lost {
			other = threshold("messages.shed", "== 0")
		}
		got, why := verdictOf(t, run, sc, other, threshold("response_time.p99", "<= 1m"))
		if got != Invalid || !strings.Contains(why, "60 messages (5%) "+became(o)) {
			t.Errorf("%s: %s, %q", o, got, why)
		}
		if got, why := verdictOf(t, run, sc, other, threshold(lookAt(o), "<= 5%")); got != Met {
			t.Errorf("%s, looked at: %s, %q", o, got, why)
		}
		if got, _ := verdictOf(t, run, sc, other, threshold(lookAt(o), "<= 4%")); got != Missed {
			t.Errorf("%s, too many: %s", o, got)
		}
	}
}

func TestOneInAThousandMayBePassedOver(t *testing.T) {
	run, sc := manyMessages(0, "")
	run.Messages[700].Outcome = record.Shed
	if got, why := verdictOf(t, run, sc, threshold("messages.lost", "== 0")); got != Met {
		t.Errorf("one of 1,200: %s, %q", got, why)
	}
	run.Messages[701].Outcome = record.Shed
	if got, _ := verdictOf(t, run, sc, threshold("messages.shed", ">= 0")); got != Invalid {
		t.Errorf("a statement that is always true: %s", got)
	}
	if got, _ := verdictOf(t, run, sc, threshold("messages.lost", "== 0")); got != Invalid {
		t.Errorf("two of 1,200: %s", got)
	}
	share := quantity.Share(0.01)
	sc.Overlook = &share
	if got, why := verdictOf(t, run, sc, threshold("messages.lost", "== 0")); got != Met {
		t.Errorf("two of 1,200, 1%% may be: %s, %q", got, why)
	}
}

// A threshold looks at the messages of its own window, with a limit that can be broken, and decides.
func TestWhatDoesNotLook(t *testing.T) {
	for name, th := range map[string]scenarios.Threshold{
		"another window":             {Metric: "messages.shed", During: "calm", Is: "== 0"},
		"a limit nothing breaks":     {Metric: "messages.shed", Is: ">= 0"},
		"a limit beyond all":         {Metric: "messages.shed.rate", Is: "<= 100%"},
		"a share that anything has":  {Metric: "messages.delivered.rate", Is: ">= 0%"},
		"a warning":                  {Metric: "messages.shed", Is: "== 0", Level: "warn"},
		"at some time":               {Metric: "messages.shed", Is: "== 0", Some: time.Minute},
		"p99 lets one in 100 pass":   {Metric: "delivery_time.p99", During: "calm", Is: "<= 1m"},
		"p50 lets half of them pass": {Metric: "delivery_time.p50", Is: "<= 1m"},
	} {
		t.Run(name, func(t *testing.T) {
			run, sc := manyMessages(10, record.Shed)
			th.ID = "t"
			if got, why := verdictOf(t, run, sc, th, threshold("messages.lost", "== 0")); got != Invalid || !strings.Contains(why, "ended as shed") {
				t.Errorf("%s, %q", got, why)
			}
		})
	}
}

func TestWhatLooks(t *testing.T) {
	for _, th := range []scenarios.Threshold{
		threshold("messages.delivered.rate", ">= 90%"), threshold("messages.delivered", ">= 1000"), threshold("messages.harmed.rate", "<= 5%"),
		threshold("delivered.within(30s)", ">= 95%"), threshold("messages.ended_badly", "<= 60"),
		{ID: "t", Metric: "messages.shed", During: "surge", Is: "<= 60"}, {ID: "t", Metric: "messages.shed", From: 30 * time.Second, Is: "<= 60"},
	} {
		run, sc := manyMessages(10, record.Shed)
		if got, why := verdictOf(t, run, sc, th); got != Met {
			t.Errorf("%s: %s, %q", th.Metric, got, why)
		}
	}
}

// What was never delivered is infinitely late.
func TestUndeliveredIsInfinitelyLate(t *testing.T) {
	run, sc := manyMessages(50, record.Failed) // 12 of 1,200: one in a hundred
	for metric, want := range map[string]string{"delivery_time.p50": "2s", "delivery_time.p99": "2s", "delivery_time.p999": "never", "delivery_time.max": "never", "delivered.within(2s)": "99%", "delivered.within(1s)": "0%"} {
		m, err := Metric(metric)
		if err != nil {
			t.Fatal(err)
		}
		d, err := measure(run, sc)
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := m.value(d, d.whole()); !ok || m.Unit.Format(v) != want {
			t.Errorf("%s is %s, want %s", metric, m.Unit.Format(v), want)
		}
	}
	for is, want := range map[string]Verdict{"<= 292y": Invalid, "<= 1000h": Missed, "> 10m": Met, "<= 2562047h": Missed} {
		th := scenarios.Threshold{ID: "t", Metric: "delivery_time.max", Is: is}
		sc.Purpose = scenarios.Replay // so that nothing else is asked
		if got, why := verdictOf(t, run, sc, th); got != want {
			t.Errorf("max %s: %s (%s), want %s", is, got, why, want)
		}
	}
}

// A scenario that replays says whether what happened was reproduced, and its statements look whatever their limits are.
func TestReplays(t *testing.T) {
	run, sc := manyMessages(10, record.Shed)
	sc.Purpose = scenarios.Replay
	if got, why := verdictOf(t, run, sc, threshold("messages.shed", "> 10")); got != Met {
		t.Errorf("a statement about it: %s, %q", got, why)
	}
	if got, _ := verdictOf(t, run, sc, threshold("messages.shed", ">= 0")); got != Invalid {
		t.Errorf("a statement that is always true: %s", got)
	}
	if got, _ := verdictOf(t, run, sc, threshold("messages.lost", "== 0")); got != Invalid {
		t.Errorf("no statement about it: %s", got)
	}
	for _, c := range []struct {
		purpose string
		v       Verdict
		want    string
		neutral bool
	}{
		{"", Met, "met", false}, {"promise", Missed, "missed", false}, {"replay", Met, "reproduced", true}, {"replay", Missed, "not reproduced", true},
		{"replay", Invalid, "invalid", false}, {"measure", Met, "measured", true},
	} {
		w := WordsFor(&scenarios.Scenario{Purpose: c.purpose})
		if w.Of(c.v) != c.want || w.Neutral(c.v) != c.neutral {
			t.Errorf("%s %s is %q, neutral %v", c.purpose, c.v, w.Of(c.v), w.Neutral(c.v))
		}
	}
}

func TestMeasuresOnPurpose(t *testing.T) {
	run, sc := manyMessages(10, record.Shed)
	sc.Purpose = scenarios.Measure
	if got, why := verdictOf(t, run, sc); got != Met {
		t.Errorf("%s, %q", got, why)
	}
}

// for: is a promise over every window.
func TestForIsEveryWindow(t *testing.T) {
	run, sc := manyMessages(0, "")
	for i := 900; i < 960; i++ { // six seconds late in the surge
		run.Messages[i].Delivered = run.Messages[i].Scheduled + time.Minute
	}
	th := scenarios.Threshold{ID: "t", Metric: "delivery_time.p95", Is: "<= 30s", For: 30 * time.Second}
	if got, _ := verdictOf(t, run, sc, th); got != Missed {
		t.Errorf("every 30s: %s", got)
	}
	if got := observedOf(t, run, sc, th); got != "1m in the worst 30s" {
		t.Errorf("every 30s: observed %q", got)
	}
	th.For, th.Some = 0, time.Minute
	if got, _ := verdictOf(t, run, sc, th); got != Met {
		t.Errorf("some 30s: %s", got)
	}
	th.For, th.Some, th.During = 30*time.Second, 0, "calm"
	if got, why := verdictOf(t, run, sc, th); got != Met {
		t.Errorf("every 30s of the calm: %s, %q", got, why)
	}
}

func observedOf(t *testing.T, run *record.Run, sc *scenarios.Scenario, th scenarios.Threshold) string {
	t.Helper()
	sc.Thresholds = []scenarios.Threshold{th}
	rs, err := Evaluate(run, sc)
	if err != nil {
		t.Fatal(err)
	}
	return rs[0].Observed
}
