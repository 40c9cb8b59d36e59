package harness

import (
	"context"
	"fmt"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// accepted asks the fake how many sends it has accepted; known is false when it does not tell.
func (r *Runner) accepted(ctx context.Context) (n int64, known bool) {
	w, ok := r.System.Ledger.(Witness)
	if !ok {
		return 0, false
	}
	seen, err := w.Witnessed(ctx)
	return seen.Taken, err == nil
}

// reconcile doubts a run whose fake accepted more than its ledger told us of, and one in which something arrived that was
// never accepted. The fake is asked before the ledger is read for the last time, so that what it accepts in between is
// in both.
func (r *Runner) reconcile(t *table, before, now int64, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if folded := t.count.accepted + t.strays; known && now-before > folded {
		r.invalidate(fmt.Sprintf("the fake accepted %d sends, and its ledger tells of %d: copies may be missing from the count", now-before, folded))
	}
	early := 0
	for i := range t.rows {
		if row := &t.rows[i]; row.delivered != record.Never && (row.accepted == record.Never || row.delivered < row.accepted) {
			early++
		}
	}
	if early > 0 {
		r.invalidate(fmt.Sprintf("%d messages were delivered before they were accepted, as the fake's ledger tells it", early))
	}
}
