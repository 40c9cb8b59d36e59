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
	always := func(v float64) func(time.Duration) float64 { return func(time.Duration) float64 { return v } }
	for _, c := range []struct {
		name  string
		cores int
		ours  float64                        // cores that the run's parts use
		busy  func(at time.Duration) float64 // cores of the machine that are busy
		want  string
	}{
		{"with room", 2, 1.6, always(1.7), ""},
		{"full of this run", 2, 1.8, always(1.9), "for 10s 1.9 of its 2 cores were busy, 1.8 of them with parts of this run"},
		{"full of something else", 2, 0, always(2), "for 10s 2.0 of its 2 cores were busy; run it"},
		{"full for a moment", 2, .2, func(at time.Duration) float64 {
			if at > 20*time.Second && at <= 27*time.Second {
				return 2
			}
			return .2
		}, ""},
		{"full for a while", 2, .2, func(at time.Duration) float64 {
			if at > 25*time.Second && at <= 45*time.Second {
				return 2
			}
			return .2
		}, "for 10s 2.0 of its 2 cores"},
		{"more cores", 4, 1.9, always(2), ""},
		{"not known", 0, 9, always(0), ""},
	} {
		full := crowd{most: .9}
		var told []string
		busy := 5 * time.Hour // before the run began
		for at := time.Second; at <= 2*time.Minute; at += time.Second {
			busy += time.Duration(c.busy(at) * float64(time.Second))
			g := record.Gauge{At: at, Values: map[string]float64{
				"part_fake_cpu_cores": c.ours / 2, "part_harness_cpu_cores": c.ours / 2, "whatsapp_cpu_cores": 9,
			}}
			if why := full.read(g, busy, c.cores); why != "" {
				told = append(told, why)
			}
		}
		if got := strings.Join(told, "; "); c.want == "" && got != "" || !strings.Contains(got, c.want) || len(told) > 1 {
			t.Errorf("%s: %q, want %q once", c.name, got, c.want)
		}
	}
}

// TestEachReadingAsksWhetherTheMachineIsFull: but not in virtual time, which waits for the machine.
func TestEachReadingAsksWhetherTheMachineIsFull(t *testing.T) {
	for _, virtual := range []bool{false, true} {
		r := &Runner{Virtual: virtual}
		m := &meter{runner: r}
		m.full = crowd{most: -1, begun: true} // any machine is full beyond this
		m.crowded(record.Gauge{At: time.Minute})
		if full := strings.Contains(strings.Join(r.invalid, ";"), "the machine was full"); full == virtual && len(r.warnings) == 0 {
			t.Errorf("virtual %v: invalid %q", virtual, r.invalid)
		}
	}
}
