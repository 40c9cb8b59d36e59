package drafts

import (
	"slices"
	"time"
)

// awaited is an accepted draft that waits for its first status.
type awaited struct {
	ref, trace string
	at         time.Time
}

// await notes that a status is due.
func (b *books) await(ref, trace string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.awaited = append(b.awaited, awaited{ref, trace, at})
}

// missing counts the drafts whose first status is overdue and waits for them no longer. The API cannot be asked; what is
// known of them stays "accepted", with the reason.
func (b *books) missing(now time.Time, after time.Duration) (n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	done := 0
	for _, a := range b.awaited {
		if now.Sub(a.at) < after {
			break
		}
		done++
		if m, ok := b.message(a.ref); ok && m.best == Accepted {
			m.reason = b.reason("no status came within " + after.String())
			b.put(a.ref, m)
			n++
		}
	}
	b.awaited = slices.Delete(b.awaited, 0, done)
	return n
}

// traceOf finds the trace of a message whose status has come. The books are locked.
func (b *books) traceOf(ref string) string {
	for i := len(b.awaited) - 1; i >= 0; i-- {
		if b.awaited[i].ref == ref {
			return b.awaited[i].trace
		}
	}
	return ""
}
