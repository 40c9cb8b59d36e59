package local

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/sut"
)

// trail keeps the attempts inside the sender until the next reading takes them.
type trail struct {
	mu    sync.Mutex
	steps []sut.Attempt
}

func (t *trail) observe(a sut.Attempt) {
	if a.Hop == "api" {
		return // the fake's ledger tells of these
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps = append(t.steps, a)
}

// Drain implements harness.Trail.
func (t *trail) Drain(_ context.Context, start time.Time) ([]record.Attempt, error) {
	t.mu.Lock()
	steps := t.steps
	t.steps = make([]sut.Attempt, 0, len(steps))
	t.mu.Unlock()
	rows := make([]record.Attempt, len(steps))
	for i, a := range steps {
		message, _, _ := strings.Cut(a.Request, ".")
		rows[i] = record.Attempt{
			Message: message, Hop: a.Hop, Number: a.Number, Draft: a.Draft, At: a.At.Sub(start), Done: a.Done.Sub(start),
			Status: a.Status, Error: a.Error, Code: a.Code, Taken: a.Taken, Replica: a.Replica,
		}
	}
	return rows, nil
}
