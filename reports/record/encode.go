package record

import (
	"encoding/json"
	"strconv"
	"time"
)

// appendMessage encodes a message as encoding/json would, member by member in the order of the type.
func appendMessage(b []byte, m *Message) []byte {
	b = appendText(append(b, `{"id":`...), m.ID)
	b = appendText(append(b, `,"to":`...), m.To)
	b = appendText(append(b, `,"type":`...), m.Type)
	b = appendInt(b, `,"phase":`, m.Phase)
	b = appendTime(b, `,"scheduled_ns":`, m.Scheduled)
	b = appendTime(b, `,"sent_ns":`, m.Sent)
	b = appendTime(b, `,"answered_ns":`, m.Answered)
	b = appendTime(b, `,"accepted_ns":`, m.Accepted)
	b = appendTime(b, `,"delivered_ns":`, m.Delivered)
	b = appendInt(b, `,"tries":`, m.Tries)
	b = appendInt(b, `,"status":`, m.Status)
	b = appendInt(b, `,"api":`, m.API)
	if m.APIMedia != 0 {
		b = appendInt(b, `,"api_media_errors":`, m.APIMedia)
	}
	b = appendInt(b, `,"copies":`, m.Copies)
	for i, c := range m.Causes {
		if i == 0 {
			b = append(b, `,"causes":[`...)
		} else {
			b = append(b, ',')
		}
		b = appendText(b, c)
	}
	if len(m.Causes) > 0 {
		b = append(b, ']')
	}
	if m.Slack != 0 {
		b = appendTime(b, `,"media_slack_ns":`, m.Slack)
	}
	b = appendTrue(b, `,"has_slack":true`, m.HasSlack)
	b = appendText(append(b, `,"outcome":`...), string(m.Outcome))
	b = appendSome(b, `,"reason":`, m.Reason)
	b = appendSome(b, `,"sender":`, m.Sender)
	return append(b, '}')
}

// appendAttempt encodes an attempt as encoding/json would.
func appendAttempt(b []byte, a *Attempt) []byte {
	b = appendText(append(b, `{"m":`...), a.Message)
	b = appendText(append(b, `,"hop":`...), a.Hop)
	b = appendInt(b, `,"n":`, a.Number)
	b = appendSome(b, `,"draft":`, a.Draft)
	b = appendTime(b, `,"at_ns":`, a.At)
	b = appendTime(b, `,"done_ns":`, a.Done)
	b = appendInt(b, `,"status":`, a.Status)
	b = appendSome(b, `,"error":`, a.Error)
	if a.Code != 0 {
		b = appendInt(b, `,"code":`, a.Code)
	}
	b = appendTrue(b, `,"taken":true`, a.Taken)
	b = appendSome(b, `,"wamid":`, a.WAMID)
	b = appendSome(b, `,"fault":`, a.Fault)
	b = appendSome(b, `,"replica":`, a.Replica)
	return append(b, '}')
}

func appendInt(b []byte, key string, v int) []byte {
	return strconv.AppendInt(append(b, key...), int64(v), 10)
}

func appendTime(b []byte, key string, v time.Duration) []byte {
	return strconv.AppendInt(append(b, key...), int64(v), 10)
}

func appendTrue(b []byte, member string, v bool) []byte {
	if v {
		return append(b, member...)
	}
	return b
}

func appendSome(b []byte, key, v string) []byte {
	if v == "" {
		return b
	}
	return appendText(append(b, key...), v)
}

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x80 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			q, err := json.Marshal(s)
			if err != nil { // strings always encode
				q = []byte(`""`)
			}
			return append(b, q...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
