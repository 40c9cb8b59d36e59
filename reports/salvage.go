package reports

import "github.com/aftershock-dev/aftershock/reports/record"

// salvage rebuilds the messages of a run that was killed before they were written, from its attempts, which are written
// as they end. What became of a message nobody knows: it is pending.
type salvage struct {
	at   map[string]int // by message
	rows []record.Message
}

// cutOff reports whether a run's messages were never written.
func cutOff(run *record.Run) bool {
	return run.Info.State == record.Running && len(run.Messages) == 0
}

func (s *salvage) add(a record.Attempt) {
	if s.at == nil {
		s.at = map[string]int{}
	}
	i, ok := s.at[a.Message]
	if !ok {
		i = len(s.rows)
		s.at[a.Message] = i
		s.rows = append(s.rows, record.Message{ID: a.Message, Scheduled: a.At, Sent: a.At, Answered: record.Never, Accepted: record.Never,
			Delivered: record.Never, Outcome: record.Pending, Reason: "the run was cut off"})
	}
	m := &s.rows[i]
	m.Scheduled, m.Sent = min(m.Scheduled, a.At), min(m.Sent, a.At)
	switch a.Hop {
	case "front_door":
		m.Tries, m.Status, m.Answered = m.Tries+1, a.Status, max(m.Answered, a.Done)
	case "api":
		m.API++
		if a.WAMID == "" {
			return
		}
		m.Copies++
		if m.Accepted == record.Never || a.Done < m.Accepted {
			m.Accepted = a.Done
		}
	}
}
