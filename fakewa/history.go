package fakewa

import (
	"strconv"
	"strings"
)

// history is a page of a number's sent messages and what became of them, read from the ledger: newest first.
func (s *Server) history(number, message string, limit int) ([]byte, error) {
	if limit <= 0 || limit > 100 {
		limit = 25
	}
	var order []string
	events := map[string][]Entry{}
	for after := int64(0); ; {
		list, err := s.ledger.after(after, 1000)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			break
		}
		for _, e := range list {
			after = e.Seq
			if !e.Accepted || e.Number != number || message != "" && e.WAMID != message {
				continue
			}
			if events[e.WAMID] == nil {
				order = append(order, e.WAMID)
				if message == "" && len(order) > limit {
					delete(events, order[0])
					order = order[1:]
				}
			}
			events[e.WAMID] = append(events[e.WAMID], e)
		}
	}
	b := []byte(`{"data":[`)
	for i := len(order) - 1; i >= 0; i-- {
		if i < len(order)-1 {
			b = append(b, ',')
		}
		b = append(b, `{"id":"`+strconv.FormatUint(1e15+hash(1, []byte(order[i]))%9e15, 10)+`","message_id":"`+order[i]+`","events":{"data":[`...)
		b = appendEvents(b, events[order[i]])
		b = append(b, `]}}`...)
	}
	return append(b, `],"paging":{"cursors":{"before":"QVFI","after":"QVFI"}}}`...), nil
}

func appendEvents(b []byte, list []Entry) []byte {
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		status := "SENT"
		if e.Status != "" {
			status = strings.ToUpper(e.Status)
		}
		b = append(b, `{"id":"`+strconv.FormatUint(1e15+uint64(e.Seq), 10)+`","delivery_status":"`+status+`","timestamp":`...)
		b = strconv.AppendInt(b, e.At.Unix(), 10)
		if status == "FAILED" {
			k, _ := documented(e.Code)
			b = appendString(append(b, `,"error_description":`...), k.title, false)
		}
		b = append(b, `,"application":{"id":"670843887433847"}}`...)
	}
	return b
}
