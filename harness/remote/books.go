package remote

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// books reads the sender's account of its messages from Drafts. The harness asks for one message after another; they
// are fetched by the thousand, and what was fetched counts for a second.
type books struct {
	client *client
	unit   Unit
	from   uint64
	page   []part.Standing
	at     time.Time
}

const booksPage = 1000

// State implements harness.Books.
func (b *books) State(ctx context.Context, message string) (state, reason string, final, known bool, err error) {
	n, ok := part.MessageNumber(message)
	if !ok {
		return "", "", false, false, fmt.Errorf("%q is not a message", message)
	}
	if n < b.from || n >= b.from+uint64(len(b.page)) || time.Since(b.at) > time.Second {
		b.page = nil
		path := fmt.Sprintf("/messages?from=%d&count=%d", n, booksPage)
		if err := b.client.do(ctx, b.unit, http.MethodGet, path, nil, inJSON(&b.page)); err != nil {
			return "", "", false, false, err
		}
		b.from, b.at = n, time.Now()
	}
	if n >= b.from+uint64(len(b.page)) {
		return "", "", false, false, nil
	}
	s := b.page[n-b.from]
	return s.State, s.Reason, s.Final, s.Known, nil
}

// trail collects the attempts inside the sender from every service.
type trail struct {
	client *client
	units  func() []Unit
}

// Drain implements harness.Trail. A part that does not answer now is asked again next time.
func (t *trail) Drain(ctx context.Context, start time.Time) ([]record.Attempt, error) {
	var out []record.Attempt
	for _, u := range t.units() {
		var steps []part.Step
		if err := t.quick(ctx, u, &steps); err != nil {
			continue
		}
		for _, s := range steps {
			message, _, _ := strings.Cut(s.Request, ".")
			out = append(out, record.Attempt{
				Message: message, Hop: s.Hop, Number: s.Number, Draft: s.Draft, At: s.At.Sub(start), Done: s.Done.Sub(start),
				Status: s.Status, Error: s.Error, Code: s.Code, Taken: s.Taken, Replica: s.Replica,
			})
		}
	}
	return out, nil
}

func (t *trail) quick(ctx context.Context, u Unit, steps *[]part.Step) error {
	ctx, cancel := context.WithTimeout(ctx, quickly)
	defer cancel()
	return t.client.do(ctx, u, http.MethodPost, "/trail", nil, inGob(steps))
}

// quickly is how long the harness waits for a part that may be paused.
const quickly = 2 * time.Second
