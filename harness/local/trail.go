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
	start time.Time
	mu    sync.Mutex
	rows  []record.Attempt
}

func (t *trail) observe(a sut.Attempt) {
	if a.Hop == "api" {
		return // the fake's ledger tells of these
	}
	message, _, _ := strings.Cut(a.Request, ".")
	row := record.Attempt{
		Message: message, Hop: a.Hop, Number: a.Number, Draft: a.Draft, At: a.At.Sub(t.start), Done: a.Done.Sub(t.start),
		Status: a.Status, Error: a.Error, Code: a.Code, Taken: a.Taken, Replica: a.Replica,
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = append(t.rows, row)
}

// Drain implements harness.Trail.
func (t *trail) Drain(context.Context) ([]record.Attempt, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := t.rows
	t.rows = make([]record.Attempt, 0, len(rows))
	return rows, nil
}
