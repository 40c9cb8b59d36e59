package fakewa

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// entryJSON is an entry as the ledger's door writes it: a number that stands for a time carries its unit.
type entryJSON struct {
	Seq      int64     `json:"seq"`
	Status   string    `json:"status,omitempty"`
	Message  string    `json:"message,omitempty"`
	Callback string    `json:"callback,omitempty"`
	WAMID    string    `json:"wamid,omitempty"`
	To       string    `json:"to,omitempty"`
	Text     string    `json:"text,omitempty"`
	Number   string    `json:"number,omitempty"`
	Type     string    `json:"type,omitempty"`
	Key      string    `json:"key"`
	Copy     int       `json:"copy,omitempty"`
	At       time.Time `json:"at"`
	Done     time.Time `json:"done"`
	Accepted bool      `json:"accepted"`
	Provider bool      `json:"provider,omitempty"`
	Answered int       `json:"answered"`
	Code     int       `json:"code"`
	Media    bool      `json:"media,omitempty"`
	SlackMs  *float64  `json:"slack_ms,omitempty"`
	Expired  bool      `json:"expired,omitempty"`
	Fault    string    `json:"fault,omitempty"`
}

// MarshalJSON writes the entry with times in UTC and the slack in milliseconds.
func (e Entry) MarshalJSON() ([]byte, error) {
	j := entryJSON{Seq: e.Seq, Status: e.Status, Message: e.Message, Callback: e.Callback, WAMID: e.WAMID, To: e.To, Text: e.Text, Number: e.Number, Type: e.Type,
		Key: strconv.FormatUint(e.Key, 16), Copy: e.Copy, At: e.At.UTC(), Done: e.Done.UTC(), Accepted: e.Accepted, Provider: e.Provider, Answered: e.Answered, Code: e.Code,
		Media: e.Media, Expired: e.Expired, Fault: e.Fault}
	if e.Media {
		ms := float64(e.Slack) / float64(time.Millisecond)
		j.SlackMs = &ms
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Entry) UnmarshalJSON(b []byte) error {
	var j entryJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("ledger entry: %w", err)
	}
	key, err := strconv.ParseUint(j.Key, 16, 64)
	if err != nil {
		return fmt.Errorf("ledger entry: key %q: %w", j.Key, err)
	}
	*e = Entry{Seq: j.Seq, Status: j.Status, Message: j.Message, Callback: j.Callback, WAMID: j.WAMID, To: j.To, Text: j.Text, Number: j.Number, Type: j.Type,
		Key: key, Copy: j.Copy, At: j.At, Done: j.Done, Accepted: j.Accepted, Provider: j.Provider, Answered: j.Answered, Code: j.Code, Media: j.Media, Expired: j.Expired, Fault: j.Fault}
	if j.SlackMs != nil {
		e.Slack = time.Duration(*j.SlackMs * float64(time.Millisecond))
	}
	return nil
}

// sieve is which entries a reader of the ledger wants.
type sieve struct {
	after               int64
	limit               int
	follow              bool
	message, to, status string
	copies              int
}

func readSieve(r *http.Request) (v sieve, err error) {
	q := r.URL.Query()
	number := func(name string, most int64) int64 {
		text := q.Get(name)
		if text == "" {
			return 0
		}
		n, e := strconv.ParseInt(text, 10, 64)
		if e != nil || n < 0 || n > most {
			err = errors.Join(err, fmt.Errorf("%s: %q is not a number between 0 and %d", name, clip(text, 32), most))
		}
		return n
	}
	v = sieve{after: number("after", 1<<62), limit: int(number("limit", 1<<30)), copies: int(number("copies", 1<<30)),
		follow: q.Get("follow") == "true" || q.Get("follow") == "1", message: q.Get("message"), to: q.Get("to"), status: q.Get("status")}
	for name := range q {
		switch name {
		case "after", "limit", "copies", "follow", "message", "to", "status":
		default:
			err = errors.Join(err, fmt.Errorf("%s: not known here; after, limit, follow, message, to, status and copies are", clip(name, 32)))
		}
	}
	return v, err
}

func (v *sieve) wants(e *Entry) bool {
	if v.status != "" && v.status != e.Status && !(v.status == "attempt" && e.Status == "") {
		return false
	}
	return (v.message == "" || v.message == e.Message) && (v.to == "" || v.to == e.To) && e.Copy >= v.copies
}

// getLedger streams entries, one JSON object a line; with follow=true it goes on as entries arrive, until a reset
// starts the numbers anew.
func (s *Server) getLedger(w http.ResponseWriter, r *http.Request) {
	v, err := readSieve(r)
	if err != nil {
		complain(w, http.StatusBadRequest, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out, over := json.NewEncoder(w), s.ledger.ends()
	for written := 0; ; {
		list, err := s.ledger.after(v.after, 1000)
		if err != nil {
			panic(http.ErrAbortHandler) // what was promised by the status cannot be kept
		}
		for i := range list {
			v.after = list[i].Seq
			if !v.wants(&list[i]) {
				continue
			}
			if out.Encode(&list[i]) != nil {
				return
			}
			if written++; v.limit > 0 && written >= v.limit {
				return
			}
		}
		if len(list) > 0 {
			continue
		}
		if !v.follow {
			return
		}
		flush(w)
		select {
		case <-s.ledger.grows(v.after):
		case <-over:
			return
		case <-r.Context().Done():
			return
		}
	}
}
