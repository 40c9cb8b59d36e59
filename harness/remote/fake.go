package remote

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// fake is harness's handle on a fake that runs elsewhere.
type fake struct {
	client *client
	unit   Unit
}

// Apply implements harness.Faults.
func (f fake) Apply(ctx context.Context, id string, x scenarios.Fault) error {
	return f.client.do(ctx, f.unit, http.MethodPut, "/faults/"+url.PathEscape(id), x.Raw, nil)
}

// Clear implements harness.Faults.
func (f fake) Clear(ctx context.Context, id string) error {
	return f.client.do(ctx, f.unit, http.MethodDelete, "/faults/"+url.PathEscape(id), nil, nil)
}

// After implements harness.Ledger.
func (f fake) After(ctx context.Context, seq int64, limit int) ([]harness.Entry, error) {
	var from []fakewa.Entry
	path := fmt.Sprintf("/ledger?after=%d&limit=%d", seq, limit)
	if err := f.client.do(ctx, f.unit, http.MethodGet, path, nil, inGob(&from)); err != nil {
		return nil, err
	}
	out := make([]harness.Entry, len(from))
	for i, e := range from {
		out[i] = harness.Entry{
			Seq: e.Seq, Status: e.Status, Message: e.Message, Callback: e.Callback, WAMID: e.WAMID, At: e.At, Done: e.Done,
			Accepted: e.Accepted, Answered: e.Answered, Code: e.Code, Media: e.Media, Slack: e.Slack, Expired: e.Expired,
			Fault: e.Fault,
		}
	}
	return out, nil
}

func (f fake) set(ctx context.Context, yaml []byte) error {
	return f.client.do(ctx, f.unit, http.MethodPatch, "/settings", yaml, nil)
}
