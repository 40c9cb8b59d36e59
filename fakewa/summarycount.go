package fakewa

import (
	"maps"
	"strings"
	"time"
)

// maxNumbers bounds how many business numbers are counted apart.
const maxNumbers = 1 << 12

// decided counts an attempt when it was decided: what was accepted counts from that moment, not from the answer.
func (s *Summary) decided(r *Request, d *Decision) {
	s.Calls[string(r.Endpoint)]++
	if r.Endpoint != Messages || r.Message.Read {
		return
	}
	s.Attempts++
	if _, ok := messageTypes[r.Message.Type]; ok {
		s.Type[r.Message.Type]++
	} else {
		s.Type["other"]++
	}
	if _, ok := s.Number[r.Node]; ok || len(s.Number) < maxNumbers {
		s.Number[r.Node]++
	} else {
		s.Number["other"]++
	}
	if d.Expired {
		s.Expired++
	}
	for rest := d.Fault; rest != ""; {
		var id string
		id, rest, _ = strings.Cut(rest, ",")
		s.Fault[id]++
	}
	if !d.Accepted {
		s.Refused++
		return
	}
	s.accepted(d.Copy)
}

// accepted counts one acceptance.
func (s *Summary) accepted(copy int) {
	s.Accepted++
	switch copy {
	case 1:
		s.Messages++
	case 2:
		s.Duplicated++
		s.Copies++
	default:
		s.Copies++
	}
}

// count counts an entry.
func (s *Summary) count(e *Entry) {
	switch e.Status {
	case "":
		if e.Code != 0 || e.Accepted { // what broke off before it was decided has no code
			s.Code[e.Code]++
		}
	case "delivered":
		s.Delivered++
	case "read":
		s.Read++
	case "failed":
		s.Failed++
		s.FailCode[e.Code]++
		if e.Expired {
			s.Expired++
		}
	}
}

// late notes how much later than decided an answer left.
func (l *Lateness) note(by time.Duration) {
	ms := float64(by) / float64(time.Millisecond)
	l.Answers++
	l.total += ms
	l.MeanMs = l.total / float64(l.Answers)
	l.MaxMs = max(l.MaxMs, ms)
}

// clone returns a copy that shares nothing.
func (s *Summary) clone() Summary {
	c := *s
	c.Code, c.HTTP, c.FailCode = maps.Clone(s.Code), maps.Clone(s.HTTP), maps.Clone(s.FailCode)
	c.Type, c.Number, c.Fault, c.Calls = maps.Clone(s.Type), maps.Clone(s.Number), maps.Clone(s.Fault), maps.Clone(s.Calls)
	return c
}
