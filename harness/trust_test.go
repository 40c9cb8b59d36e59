package harness

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

type lateLedger struct {
	restless
	late time.Duration
	err  error
}

func (l *lateLedger) Late(context.Context) (time.Duration, error) { return l.late, l.err }

func TestAStarvedFakeIsNotBelieved(t *testing.T) {
	for _, c := range []struct {
		ledger Ledger
		want   string
	}{
		{&lateLedger{late: 99 * time.Millisecond}, ""},
		{&lateLedger{late: 101 * time.Millisecond}, "starved"},
		{&lateLedger{late: time.Hour, err: errors.New("gone")}, ""},
		{&restless{}, ""},
	} {
		r := &Runner{System: System{Ledger: c.ledger}, Lateness: 100 * time.Millisecond}
		r.starved(t.Context())
		if got := strings.Join(r.invalid, "; "); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.ledger, got, c.want)
		}
	}
}

func TestAClockThatJumpsIsSeen(t *testing.T) {
	if why := jumped(5*time.Second, 5*time.Second+900*time.Millisecond); why != "" {
		t.Errorf("a clock that is corrected a little: %q", why)
	}
	for _, clock := range []time.Duration{-time.Hour, 3 * time.Second, time.Hour} {
		if jumped(clock, 5*time.Second) == "" {
			t.Errorf("a clock that moved %v in 5 s was not seen", clock)
		}
	}
	r := &Runner{}
	r.watchClock(time.Now())
	if len(r.invalid) > 0 {
		t.Error(r.invalid)
	}
}

func TestAFullMachineIsNotBelieved(t *testing.T) {
	for _, c := range []struct {
		name  string
		cores int
		busy  func(at time.Duration) float64 // of each of two parts
		want  string
	}{
		{"with room", 2, func(time.Duration) float64 { return .8 }, ""},
		{"full", 2, func(time.Duration) float64 { return .9 }, "for 30s its parts used 1.8 of 2 cores"},
		{"full for a moment", 2, func(at time.Duration) float64 {
			if at < 20*time.Second {
				return 1
			}
			return .1
		}, ""},
		{"more cores", 4, func(time.Duration) float64 { return .9 }, ""},
		{"on other machines", 0, func(time.Duration) float64 { return 9 }, ""},
	} {
		var full crowd
		var told []string
		for at := time.Second; at <= 2*time.Minute; at += time.Second {
			v := c.busy(at)
			g := record.Gauge{At: at, Values: map[string]float64{"part_fake_cpu_cores": v, "part_harness_cpu_cores": v, "whatsapp_cpu_cores": 9}}
			if why := full.read(g, c.cores); why != "" {
				told = append(told, why)
			}
		}
		if got := strings.Join(told, "; "); c.want == "" && got != "" || !strings.Contains(got, c.want) || len(told) > 1 {
			t.Errorf("%s: %q, want %q once", c.name, got, c.want)
		}
	}
}
