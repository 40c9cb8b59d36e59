package drafts

import (
	"encoding/json"
	"io"
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
	body, err := io.ReadAll(io.LimitReader(r.Body, maxStatuses))
	if err != nil {
		return fleet.ErrLeft
	}
	var batch []wire.Status
	if err := json.Unmarshal(body, &batch); err != nil {
		(&wire.Refusal{Status: http.StatusBadRequest, Code: "bad_json", Says: "the statuses cannot be read: " + err.Error(), Hint: "send a list of statuses"}).Write(w)
		return nil
	}
	if each := s.cfg.Load().Work.Status; !each.IsZero() {
		j.Charge(time.Duration(len(batch)) * each.Sample(0.5))
	}
	for i := range batch {
		s.note(&batch[i])
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// note takes one status into the books. Statuses come more than once, in any order, and with some left out.
func (s *Service) note(st *wire.Status) {
	s.count.Statuses.Add(1)
	to, ok := statusState(st.State)
	id, _, ours := wire.SplitCallback(st.Callback)
	if !ok || !ours {
		return
	}
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.open[id]; d != nil && d.known && s.cfg.Load().Send.Mode == "classified" { // it was taken, whatever the answer said or did not say
		if d.state == Held {
			s.count.Resolved.Add(1)
		}
		s.count.Accepted.Add(1)
		if !b.finishLocked(d, Accepted, "", false) {
			s.count.Duplicates.Add(1)
		}
	}
	ref := wire.MessageOf(id)
	m, known := b.message(ref)
	if !known {
		return
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
		m.best, m.reason = to, 0
	}
	b.put(ref, m)
}

func mediaCode(code int) bool { return code == 131052 || code == 131053 }
