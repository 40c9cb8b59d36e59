package harness

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
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
