package part

import (
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/sut"
)

// Step is one attempt inside the sender, as it travels to the harness.
type Step struct {
	Request, Draft, Hop, Error, Replica string
	Number, Status, Code                int
	At, Done                            time.Time
	Taken                               bool
}

// maxSteps bounds what is kept for a harness that does not come.
const maxSteps = 500_000

// trail keeps the attempts of one service until the harness takes them.
type trail struct {
	replica string
	mu      sync.Mutex
	steps   []Step
}

func (t *trail) observe(a sut.Attempt) {
	if a.Hop == "api" {
		return // the fake's ledger tells of these
	}
	s := Step{
		Request: a.Request, Draft: a.Draft, Hop: a.Hop, Error: a.Error, Replica: t.replica,
		Number: a.Number, Status: a.Status, Code: a.Code, At: a.At, Done: a.Done, Taken: a.Taken,
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.steps) < maxSteps {
		t.steps = append(t.steps, s)
	}
}

func (t *trail) drain() []Step {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.steps
	t.steps = nil
	return out
}
