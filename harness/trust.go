package harness

import (
	"context"
	"fmt"
	"time"
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
