package remote

import (
	"context"
	"time"

	"github.com/aftershock-dev/aftershock/fakewa/control"
	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/internal/witness"
	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// fake is harness's handle on a fake that runs elsewhere.
type fake struct {
	unit   Unit // nil when somebody else runs it
	client func() *control.Client
}

// fakePart is the handle on a fake that is a part of the system.
func (s *System) fakePart(u Unit) fake {
	return fake{u, func() *control.Client { // its address may change when it is started again
		return &control.Client{URL: u.URL(part.Control), Token: s.key, HTTP: s.client.http}
	}}
}

// Apply implements harness.Faults.
func (f fake) Apply(ctx context.Context, id string, x scenarios.Fault) error {
	return f.client().Apply(ctx, id, x.Raw)
}

// Clear implements harness.Faults.
func (f fake) Clear(ctx context.Context, id string) error { return f.client().Clear(ctx, id) }

// After implements harness.Ledger.
func (f fake) After(ctx context.Context, seq int64, limit int) ([]harness.Entry, error) {
	from, err := f.client().After(ctx, seq, limit)
	if err != nil {
		return nil, err
	}
	out := make([]harness.Entry, len(from))
	for i, e := range from {
		out[i] = harness.Entry{
			Key: e.Key, Seq: e.Seq, Status: e.Status, Message: e.Message, Callback: e.Callback, WAMID: e.WAMID, To: e.To, Type: e.Type, Text: e.Text, At: e.At, Done: e.Done,
			Accepted: e.Accepted, Provider: e.Provider, Answered: e.Answered, Code: e.Code, Media: e.Media, Slack: e.Slack, Expired: e.Expired,
			Fault: e.Fault,
		}
	}
	return out, nil
}

// Late implements harness.Punctual.
func (f fake) Late(ctx context.Context) (time.Duration, error) {
	sum, err := f.client().Summary(ctx)
	return time.Duration(sum.Late.MeanMs * float64(time.Millisecond)), err
}

// set changes the fake's settings, and reports whether any is another than before.
func (f fake) set(ctx context.Context, settings []byte) (changed bool, err error) {
	changed, _, err = f.swap(ctx, settings)
	return changed, err
}

// swap changes the fake's settings as set does, and returns what puts them back.
func (f fake) swap(ctx context.Context, settings []byte) (changed bool, back func() error, err error) {
	before, err := f.client().Effective(ctx)
	if err != nil {
		return false, nil, err
	}
	if err := f.client().Set(ctx, settings); err != nil {
		return false, nil, err
	}
	after, err := f.client().Effective(ctx)
	old := map[string]any{}
	for key, value := range before {
		if after[key] != value {
			old[key] = value
		}
	}
	back = func() error {
		if len(old) == 0 {
			return nil
		}
		tree, err := strict.Nest(old)
		if err != nil {
			return err
		}
		return f.client().Set(ctx, tree.YAML())
	}
	return !scenarios.Unchanged(before, after), back, err
}

// Witnessed implements harness.Witness.
func (f fake) Witnessed(ctx context.Context) (harness.Witnessed, error) {
	sum, err := f.client().Summary(ctx)
	return witness.Of(sum), err
}
