package reports

import (
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/internal/synth"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// built writes a synthetic run and builds its report.
func built(t testing.TB, o synth.Options) *Report {
	t.Helper()
	dir := t.TempDir()
	if _, err := synth.Write(dir, o); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// shared is built for tests that only read: each run is written once.
func shared(t testing.TB, o synth.Options) *Report {
	t.Helper()
	sharedRuns.Lock()
	defer sharedRuns.Unlock()
	if r := sharedRuns.of[o]; r != nil {
		return r
	}
	dir, err := os.MkdirTemp(sharedRuns.dir, "run-")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := synth.Write(dir, o); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	sharedRuns.of[o] = r
	return r
}

var sharedRuns = struct {
	sync.Mutex
	dir string
	of  map[synth.Options]*Report
}{of: map[synth.Options]*Report{}}

func TestMain(m *testing.M) {
	var err error
	if sharedRuns.dir, err = os.MkdirTemp("", "reports-"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(sharedRuns.dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// small is the incident at a twentieth of its size.
var small = synth.Options{Seed: 606, Scale: 0.03}

func TestEveryMetricHasADefinitionAndAValue(t *testing.T) {
	r := shared(t, small)
	seen := map[string]bool{}
	for _, m := range Metrics() {
		if seen[m.Name] {
			t.Errorf("%s stands twice in the table", m.Name)
		}
		seen[m.Name] = true
		if m.Doc == "" || m.Unit == "" || m.Tier == "" {
			t.Errorf("%s lacks a unit, a tier or a definition: %+v", m.Name, m)
		}
		w := r.data.whole()
		if m.Name == "timeouts.drop" { // compares with what came before the window
			w.From = 3 * time.Hour
		}
		v, ok := m.value(r.data, w)
		if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s = %v, %v on a full incident", m.Name, v, ok)
		}
		if _, ok := m.value(r.data, Window{10 * time.Hour, 11 * time.Hour}); ok && !m.Whole {
			t.Errorf("%s has a value in a window after the end of the run", m.Name)
		}
	}
}

// A record small enough to count by hand.
func byHand() (*record.Run, *scenarios.Scenario) {
	s := time.Second
	msg := func(id string, at time.Duration, o record.Outcome, copies int, causes ...string) record.Message {
		m := record.Message{ID: id, Type: "text", Scheduled: at, Sent: at + s, Answered: at + 2*s, Accepted: record.Never, Delivered: record.Never, Tries: 1, API: copies, Copies: copies, Causes: causes, Outcome: o}
		if o == record.Delivered {
			m.Accepted, m.Delivered = at+5*s, at+10*s
		}
		return m
	}
	expired := msg("m3", 70*s, record.Expired, 0)
	expired.Type, expired.API, expired.APIMedia, expired.Slack, expired.HasSlack = "image", 3, 3, -4*s, true
	run := &record.Run{
		Info: record.Info{State: record.Finished, Virtual: 3 * time.Minute, Phases: []record.Phase{{Name: "calm", To: time.Minute}, {Name: "surge", From: time.Minute, To: 3 * time.Minute}}},
		Messages: []record.Message{
			msg("m1", 0, record.Delivered, 1), msg("m2", 30*s, record.Delivered, 1),
			expired, msg("m4", 80*s, record.Delivered, 3, "create_retry"), msg("m5", 90*s, record.Shed, 0),
		},
	}
	for _, g := range []struct {
		at                     time.Duration
		first, all, backlog    float64
		timeouts, ready, wants float64
	}{{60 * s, 10, 10, 1, 0, 3, 3}, {120 * s, 30, 60, 9, 40, 3, 5}, {180 * s, 40, 90, 4, 44, 5, 5}} {
		run.Gauges = append(run.Gauges, record.Gauge{At: g.at, Values: map[string]float64{record.GFrontDoorFirst: g.first, record.GFrontDoor: g.all, record.GBacklog: g.backlog,
			record.GFrontTimeouts: g.timeouts, record.GReplicasReady: g.ready, record.GReplicasWant: g.wants}})
	}
	return run, &scenarios.Scenario{Load: scenarios.Load{Phases: []scenarios.Phase{{Name: "calm", For: time.Minute}, {Name: "surge", For: 2 * time.Minute}}}}
}

func TestMetricsCountedByHand(t *testing.T) {
	run, sc := byHand()
	d, err := measure(run, sc)
	if err != nil {
		t.Fatal(err)
	}
	surge, _ := d.phase("surge")
	for _, c := range []struct {
		name string
		w    Window
		want float64
	}{
		{"messages.offered", d.whole(), 5},
		{"messages.delivered", surge, 1},
		{"messages.delivered.rate", d.whole(), 0.6},
		{"duplicates.messages", d.whole(), 1},
		{"duplicates.copies", d.whole(), 2},
		{"duplicates.by_cause.create_retry", d.whole(), 1},
		{"duplicates.by_cause.unknown", d.whole(), 1},
		{"duplicates.rate", surge, 1.0 / 3},
		{"media.expired", d.whole(), 1},
		{"media.errors", d.whole(), 3},
		{"media.retries", d.whole(), 2},
		{"media.slack.p1", d.whole(), -4},
		{"delivery_time.p50", d.whole(), 10},
		{"response_time.max", d.whole(), 2},
		{"lateness.p99", d.whole(), 1},
		{"attempts.amplification", surge, 80.0 / 30},
		{"attempts.amplification", Window{0, time.Minute}, 1},
		{"timeouts.count", surge, 44},
		{"timeouts.rate", d.whole(), 40},
		{"backlog.max", d.whole(), 9},
		{"backlog.end", d.whole(), 4},
		{"replicas.added", d.whole(), 2},
		{"scaling.behind", d.whole(), 60},
	} {
		m, err := Metric(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := m.value(d, c.w); !ok || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s over %v = %v, %v; want %v", c.name, c.w, got, ok, c.want)
		}
	}
}

// A run squeezed sixtyfold reports what the same run reports at full length, lateness excepted.
func TestSqueezedTimeIsScenarioTime(t *testing.T) {
	run, sc := byHand()
	whole, err := measure(run, sc)
	if err != nil {
		t.Fatal(err)
	}
	short, _ := byHand()
	short.Info.Compress = 60
	shrink := func(ds ...*time.Duration) {
		for _, d := range ds {
			if *d != record.Never {
				*d /= 60
			}
		}
	}
	shrink(&short.Info.Virtual)
	for i := range short.Info.Phases {
		shrink(&short.Info.Phases[i].From, &short.Info.Phases[i].To)
	}
	for i := range short.Gauges {
		shrink(&short.Gauges[i].At)
	}
	for i := range short.Messages {
		m := &short.Messages[i]
		shrink(&m.Scheduled, &m.Sent, &m.Answered, &m.Accepted, &m.Delivered, &m.Slack)
	}
	squeezed, err := measure(short, sc)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range Metrics() {
		a, ok1 := m.value(whole, whole.whole())
		b, ok2 := m.value(squeezed, squeezed.whole())
		if strings.HasPrefix(m.Name, "lateness.") {
			a /= 60
		}
		if ok1 != ok2 || math.Abs(a-b) > 1e-6*max(1, math.Abs(a)) {
			t.Errorf("%s: %v, %v at full length; %v, %v squeezed", m.Name, a, ok1, b, ok2)
		}
	}
}

func TestPercentileIsTheNearestRank(t *testing.T) {
	var v []time.Duration
	for i := range 300 {
		v = append(v, time.Duration(i+1))
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 150, 0.99: 297, 0.999: 300, 1: 300} {
		if got := Percentile(v, q); got != want {
			t.Errorf("p%v = %d, want %d", q, got, want)
		}
	}
	if got := Percentile(nil, 0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestCheckMetricSuggests(t *testing.T) {
	if err := CheckMetric("delivery_time.p50"); err != nil {
		t.Error(err)
	}
	if err := CheckMetric("delivery_tmie.p50"); err == nil || !strings.Contains(err.Error(), `did you mean "delivery_time.p50"`) {
		t.Errorf("got %v", err)
	}
}

func TestRecoveryOfTheIncidentAndOfTheOneThatNeverEnds(t *testing.T) {
	r := shared(t, small)
	rec := r.Summary().Recovery
	if rec.SurgeEndS < 150*60 || rec.SurgeEndS > 155*60 {
		t.Errorf("the surge falls below 1.1 times calm at %v s", rec.SurgeEndS)
	}
	if rec.RecoveredS == nil || rec.DrainedS == nil || rec.Metastable {
		t.Errorf("the incident recovers: %+v", rec)
	}
	o := small
	o.Unmitigated = true
	stuck := shared(t, o).Summary().Recovery
	if stuck.RecoveredS != nil || (stuck.DrainedS != nil && *stuck.DrainedS < 8*3600) || !stuck.Metastable {
		t.Errorf("without mitigation it does not: %+v", stuck)
	}
}
