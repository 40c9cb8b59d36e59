package harness

import (
	"context"
	"time"
)

// pacer is vegeta's Pacer over a schedule. It waits itself, against the start of the run and not against the previous
// hit, so lateness never adds up and stopping does not have to sit out a gap.
type pacer struct {
	ctx   context.Context
	start time.Time
	at    []time.Duration
}

// Pace implements vegeta.Pacer: it returns when the next hit is due.
func (p pacer) Pace(_ time.Duration, hits uint64) (time.Duration, bool) {
	if hits >= uint64(len(p.at)) || p.ctx.Err() != nil {
		return 0, true
	}
	wait := time.Until(p.start.Add(p.at[hits]))
	if wait <= 0 {
		return 0, false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0, false
	case <-p.ctx.Done():
		return 0, true
	}
}

// Rate implements vegeta.Pacer; vegeta only prints it.
func (p pacer) Rate(elapsed time.Duration) float64 {
	if elapsed <= 0 {
		return 0
	}
	return float64(len(p.at)) / elapsed.Seconds()
}
