package drafts

import (
	"net/http"
	"strconv"
	"time"

	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// maxStatuses bounds the body of a batch of statuses.
const maxStatuses = 8 << 20

// status is POST /v1/status: a batch of statuses from the webhooks.
func (s *Service) status(j *fleet.Job, w http.ResponseWriter, r *http.Request) error {
	body, err := wire.ReadBody(r, maxStatuses)
	if err != nil {
		return fleet.ErrLeft
	}
	batch, err := wire.ReadStatuses(body)
	if err != nil {
		(&wire.Refusal{Status: http.StatusBadRequest, Code: "bad_json", Says: "the statuses cannot be read: " + err.Error(), Hint: "send a list of statuses"}).Write(w)
		return nil
	}
	if each := s.cfg.Load().Work.Status; !each.IsZero() {
		j.Charge(time.Duration(len(batch)) * each.Sample(0.5))
	}
	var lines []string
	for i := range batch {
		if id, to, ok := s.note(&batch[i]); ok && s.w.Journal != nil {
			lines = append(lines, lineStatus(id, to))
		}
	}
	s.at(PointNoted)
	if len(lines) > 0 && !s.remember(s.w.Journal.write(lines...)) {
		(&wire.Refusal{
			Status: http.StatusServiceUnavailable, Code: "journal_unavailable", Says: "the statuses could not be written down",
			Hint: "send them again", After: time.Second,
		}).Write(w)
		return nil
	}
	s.at(PointStored)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// note takes one status into the books. Statuses come more than once, in any order, and with some left out. ok is
// false for a status that tells nothing about a draft of ours.
func (s *Service) note(st *wire.Status) (id string, to State, ok bool) {
	s.count.Statuses.Add(1)
	to, ok = statusState(st.State)
	id, attempt, ours := wire.SplitCallback(st.Callback)
	if !ok || !ours {
		return "", 0, false
	}
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.open[id]; d != nil && d.known && s.cfg.Load().Send.Mode == "classified" {
		s.resolve(d, attempt)
	}
	b.survey.told(id)
	ref := wire.MessageOf(id)
	m, known := b.message(ref)
	if n, begun := b.begun[id]; begun && to.Taken() && attempt == n { // it has not come out of the queue yet: when it does, it is done
		delete(b.begun, id)
		b.proved[id] = true
		m.taken++
		known = true
	}
	if !known {
		return "", 0, false
	}
	if s.w.Traces.Tracer != nil {
		if parent := b.traceOf(ref); parent != "" {
			s.w.Traces.Start(parent, "status "+st.State, "draft", id, "wamid", st.WAMID).End("")
		}
	}
	switch {
	case to == Failed:
		m.failed++
		if m.failed >= m.taken && m.best.rank() <= Sent.rank() && m.open == 0 {
			s.count.Failed.Add(1)
			m.best = Failed
			if mediaCode(st.Code) {
				m.best = Expired
				m.reason = b.reason("media (" + strconv.Itoa(st.Code) + ")")
			} else {
				m.reason = b.reason("the API reported " + strconv.Itoa(st.Code))
			}
		}
	case to.rank() > m.best.rank():
		if m.best == Unknown {
			s.count.ResolvedLate.Add(1)
		}
		m.best, m.reason = to, 0
	}
	b.put(ref, m)
	return id, to, true
}

// resolve ends a held draft that a status proves to have been taken, whatever the answer said or did not say. The books
// are locked.
func (s *Service) resolve(d *draft, attempt int) {
	switch {
	case attempt < int(d.attempts): // it has been sent again since
		s.count.ResolvedLate.Add(1)
	case d.state == Held:
		s.count.Resolved.Add(1)
	}
	s.count.Accepted.Add(1)
	if !s.books.finishLocked(d, Accepted, "", false) {
		s.count.Duplicates.Add(1)
	}
}

func mediaCode(code int) bool { return code == 131052 || code == 131053 }
