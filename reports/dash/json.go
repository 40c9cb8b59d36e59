package dash

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
)

// runJSON writes the stream itself: one JSON object a line with exactly one of the keys info, event, gauge and status.
func runJSON(ctx context.Context, o Options) error {
	w := bufio.NewWriter(o.Out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for it, err := range Paced(o.Source, o.Speed).Items(ctx, "") {
		if err != nil {
			return fmt.Errorf("follow the run: %w", err)
		}
		if it.Info == nil && it.Event == nil && it.Gauge == nil && it.Status == nil {
			continue
		}
		if err := enc.Encode(it); err != nil {
			return fmt.Errorf("write the stream: %w", err)
		}
		if err := w.Flush(); err != nil {
			return fmt.Errorf("write the stream: %w", err)
		}
	}
	return ctx.Err()
}
