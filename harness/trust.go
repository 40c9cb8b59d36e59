package harness

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/harness/internal/used"
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
		r.hindered(fmt.Sprintf("the fake was starved: its answers left %v late on average, over the budget of %v", late.Round(time.Millisecond), r.Lateness))
	}
}

// tooLong is how long a machine must be full to be told of: work then waits that the scenario does not make wait, and what
// times out may have been done in time elsewhere.
const tooLong = 10 * time.Second

// crowd watches how much of the load's machine is busy, with this run or with anything else, one stretch of time after
// another.
type crowd struct {
	most  float64       // share of the cores that may be busy
	begun bool          // it knows where the stretch began
	from  time.Duration // of the stretch
	then  time.Duration // how long the cores had been busy by then
	last  time.Duration
	ours  float64 // core seconds of the run's parts in the stretch, as far as they are sampled
	told  bool
}

// read takes in a reading of the run's parts, and how long the machine's cores have been busy by then. It says, once, why
// the run cannot be believed; "" while it can.
func (c *crowd) read(g record.Gauge, busy time.Duration, cores int) string {
	for name, v := range g.Values {
		if strings.HasPrefix(name, record.GPart) && strings.HasSuffix(name, record.GPartCPU) {
			c.ours += v * (g.At - c.last).Seconds()
		}
	}
	c.last = g.At
	length := g.At - c.from
	if c.begun && length < tooLong {
		return ""
	}
	full, ours := (busy-c.then).Seconds()/length.Seconds(), c.ours/length.Seconds()
	known := c.begun && cores > 0
	c.begun, c.from, c.then, c.ours = true, g.At, busy, 0
	if !known || c.told || full < c.most*float64(cores) {
		return ""
	}
	c.told = true
	with := ""
	if ours > 0 {
		with = fmt.Sprintf(", %.1f of them with parts of this run", ours)
	}
	return fmt.Sprintf("the machine was full: for %v %.1f of its %d cores were busy%s; run it slower (--compress), with more cores, or alone",
		length.Round(time.Second), full, cores, with)
}

// crowded doubts a run on the wall's clock whose machine was full.
func (m *meter) crowded(g record.Gauge) {
	if m.runner.Virtual { // there, time waits for the machine
		return
	}
	busy, cores, err := used.Machine()
	if err != nil {
		m.runner.warn(fmt.Sprintf("whether the machine was full is not known: %v", err))
		return
	}
	if why := m.full.read(g, busy, cores); why != "" {
		m.runner.hindered(why)
	}
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
		r.hindered(why)
	}
	return now
}
