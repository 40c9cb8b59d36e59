package drafts

import (
	"fmt"
	"net/http"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

// Cancel gives up what is held of a message, unless it is on its way already. It reports a refusal when there is nothing
// to cancel or when it is too late.
func (s *Service) Cancel(ref string) *wire.Refusal {
	b := s.books
	b.mu.Lock()
	m, known := b.message(ref)
	var cancelled []*draft
	late := false
	for _, d := range b.draftsOf(ref, int(m.open)) {
		if d.state == Queued || d.state == Claimed {
			b.finishLocked(d, Cancelled, "cancelled by the client", false)
			cancelled = append(cancelled, d)
		} else {
			late = true
		}
	}
	b.mu.Unlock()
	for _, d := range cancelled {
		s.count.Cancelled.Add(1)
		s.ended(d, Cancelled, "cancelled by the client")
	}
	switch state, _, _, _ := b.state(ref); {
	case !known:
		return &wire.Refusal{
			Status: http.StatusNotFound, Code: "no_such_message", Says: fmt.Sprintf("no message %q is known here", ref),
			Hint: "use the id that POST /v1/messages answered; it is remembered for a day or so",
		}
	case late || len(cancelled) == 0:
		return &wire.Refusal{
			Status: http.StatusConflict, Code: "too_late", Says: "the message is " + state + " and cannot be cancelled any more",
			Hint: "GET /v1/messages/" + ref + " tells how it ends",
		}
	}
	return nil
}

// draftsOf finds the held drafts of a message by the names that they can have. The books are locked.
func (b *books) draftsOf(ref string, n int) []*draft {
	var out []*draft
	add := func(request string) {
		for create := 1; create <= maxTries && len(out) < n; create++ {
			if d := b.open[wire.DraftID(request, create)]; d != nil && d.known {
				out = append(out, d)
			}
		}
	}
	add(ref)
	for client := 1; client <= maxTries && len(out) < n; client++ {
		add(fmt.Sprintf("%s.%d", ref, client))
	}
	return out
}

// maxTries bounds how many attempts of a client and of the front door are looked for.
const maxTries = 20
