package harness

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Punctual is a ledger that also knows how late the fake's answers left, on average, against what it had decided:
// a ledger that has it is asked at the end.
type Punctual interface {
	Late(ctx context.Context) (time.Duration, error)
}

// starved doubts a run whose fake had too little of the machine to answer when it meant to.
func (r *Runner) starved(ctx context.Context) {
	p, ok := r.System.Ledger.(Punctual)
	if !ok {
		return
	}
	late, err := p.Late(ctx)
	switch {
	case err != nil:
		r.warn(fmt.Sprintf("how late the fake was could not be read: %v", err))
	case late > r.Lateness:
		r.invalidate(fmt.Sprintf("the fake was starved: its answers left %v late on average, over the budget of %v", late.Round(time.Millisecond), r.Lateness))
	}
}

// A machine whose cores are nearly all taken for this long makes work wait that the scenario does not make wait: what
// times out then may have been done in time elsewhere.
const (
	mostOfMachine = .85
	tooLong       = 30 * time.Second
)

// crowd watches how much of the machine the parts of a run take, one stretch of time after another.
type crowd struct {
	from, last time.Duration // of the stretch
	used       float64       // core seconds in it
	told       bool
}

// read takes in a reading and says, once, why the run cannot be believed; "" while it can.
func (c *crowd) read(g record.Gauge, cores int) string {
	for name, v := range g.Values {
		if strings.HasPrefix(name, record.GPart) && strings.HasSuffix(name, record.GPartCPU) {
			c.used += v * (g.At - c.last).Seconds()
		}
	}
	c.last = g.At
	length := g.At - c.from
	if length < tooLong {
		return ""
	}
	busy := c.used / length.Seconds()
	c.from, c.used = g.At, 0
	if cores == 0 || c.told || busy < mostOfMachine*float64(cores) {
		return ""
	}
	c.told = true
	return fmt.Sprintf("the machine was full: for %v its parts used %.1f of %d cores; run it slower (--compress), or with more cores", length.Round(time.Second), busy, cores)
}

// mostJump is how far the machine's clock may move between two readings beyond the time that passed.
const mostJump = time.Second

// jumped says by how much the machine's clock was set, or how long the machine slept, when on the clock another time
// passed than in truth; "" when it did neither.
func jumped(onTheClock, passed time.Duration) string {
	if by := onTheClock - passed; by.Abs() > mostJump {
		return fmt.Sprintf("the machine's clock jumped by %v, or the machine slept", by.Round(time.Millisecond))
	}
	return ""
}

// watchClock compares the clock with the time that passed since an earlier look, and returns this look.
func (r *Runner) watchClock(before time.Time) time.Time {
	now := time.Now()
	if why := jumped(now.Round(0).Sub(before.Round(0)), now.Sub(before)); why != "" {
		r.invalidate(why)
	}
	return now
}
