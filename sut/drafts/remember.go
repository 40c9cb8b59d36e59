package drafts

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
)

// What the journal is told, and when. Only the beginning of an attempt and a status are waited for: the call is made,
// and the webhook acknowledged, when they are durable. The other lines follow in their own time; a process that ends
// before they are written holds a draft once more than necessary, and the hold settles it.

// amnesia says whether the journal fails at the moment; a sender that cannot remember says so in its health.
type amnesia struct{ failing atomic.Bool }

// remember takes note of what became of a write to the journal.
func (s *Service) remember(err error) bool {
	if s.amnesia.failing.Swap(err != nil) == (err != nil) {
		return err == nil
	}
	if err != nil {
		s.w.Log.Error("the journal cannot be written; nothing more is taken in or sent until it can", "error", err)
		return false
	}
	s.w.Log.Info("the journal can be written again")
	return true
}

// healEvery is how often a journal that cannot be written is tried.
const healEvery = time.Second

// heal finds out whether the journal can be written again: while it cannot, nothing is taken in that would.
func (s *Service) heal(ctx context.Context) {
	lane := s.w.Lanes.Of(instant.System, instant.Healer)
	for {
		timer := time.NewTimer(lane.After(time.Now(), healEvery))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if s.amnesia.failing.Load() {
			s.remember(s.w.Journal.write(lineProbe))
		}
	}
}

// sending notes that attempt n of a draft begins. It is durable before the call is made: after a crash the draft is
// known to be one that may have been sent.
func (s *Service) sending(d *draft, n int) bool {
	s.books.mu.Lock()
	d.begun = true
	s.books.mu.Unlock()
	return s.w.Journal == nil || s.remember(s.w.Journal.write(lineBegun(d.id, n)))
}

// known notes that an attempt's outcome is known and the draft goes on.
func (s *Service) known(d *draft) {
	s.books.mu.Lock()
	d.begun = false
	s.books.mu.Unlock()
	if s.w.Journal != nil {
		_ = s.w.Journal.later(lineLanded(d.id)) // a failure is told to the next who waits
	}
}

// ended notes how a draft finished, before the queue lets go of it.
func (s *Service) ended(d *draft, to State, reason string) {
	if s.w.Journal != nil {
		_ = s.w.Journal.later(lineFinished(d.id, to, reason))
	}
}

// maybeSent reports whether a claimed draft may have been sent by whoever had it before. lost says that the queue knows
// of a claim that was never settled; a killed server may have forgotten, the journal has not. The books are locked.
func (s *Service) maybeSent(d *draft, lost bool) bool {
	return d.begun || lost && d.adopted && s.books.foreign
}
