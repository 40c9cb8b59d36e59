package drafts

import "sync/atomic"

// What the journal is told, and when: each line before the step that it makes safe.

// amnesia counts failures of the journal; a sender that cannot remember says so in its health.
type amnesia struct{ failures atomic.Int64 }

// remember takes note of a journal's failure.
func (s *Service) remember(err error) bool {
	if err != nil {
		if s.amnesia.failures.Add(1) == 1 {
			s.w.Log.Error("the journal cannot be written; nothing more is taken in or sent", "error", err)
		}
		return false
	}
	return true
}

// sending notes that attempt n of a draft begins. It is durable before the call is made: after a crash the draft is
// known to be one that may have been sent.
func (s *Service) sending(d *draft, n int) bool {
	s.books.mu.Lock()
	d.begun = true
	s.books.mu.Unlock()
	return s.w.Journal == nil || s.remember(s.w.Journal.write(lineBegun(d.id, n)))
}

// known notes that an attempt's outcome is known and the draft goes on. It need not be durable at once: without it the
// draft is held once more than necessary.
func (s *Service) known(d *draft) {
	s.books.mu.Lock()
	d.begun = false
	s.books.mu.Unlock()
	if s.w.Journal != nil {
		s.remember(s.w.Journal.write(lineLanded(d.id)))
	}
}

// ended notes how a draft finished, before the queue lets go of it.
func (s *Service) ended(d *draft, to State, reason string) {
	if s.w.Journal != nil {
		s.remember(s.w.Journal.write(lineFinished(d.id, to, reason)))
	}
}

// maybeSent reports whether a draft whose last claim was never settled may have been sent by whoever held it. The
// books are locked.
func (s *Service) maybeSent(d *draft) bool {
	return d.begun || d.adopted && s.books.foreign
}
