package wire

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// Refusal is every answer that says no: a code for programs, a sentence for people, and what to do about it.
type Refusal struct {
	Status int           `json:"-"`
	Code   string        `json:"code"`
	Says   string        `json:"message"`
	Hint   string        `json:"hint,omitempty"`
	After  time.Duration `json:"-"` // Retry-After; 0 sends none
}

// Error implements error.
func (r *Refusal) Error() string { return r.Code + ": " + r.Says }

// Write answers with the refusal.
func (r *Refusal) Write(w http.ResponseWriter) {
	if r.After > 0 {
		w.Header()["Retry-After"] = []string{strconv.Itoa(int((r.After + time.Second - 1) / time.Second))}
	}
	b := make([]byte, 0, 64+len(r.Code)+len(r.Says)+len(r.Hint))
	b = Quote(append(b, `{"error":{"code":`...), r.Code)
	b = Quote(append(b, `,"message":`...), r.Says)
	b = text(b, "hint", r.Hint)
	w.Header()["Content-Type"] = headerJSON
	w.WriteHeader(r.Status)
	_, _ = w.Write(append(b, "}}"...)) // a caller that has gone cannot be told
}

// headerJSON is shared by all answers: nobody changes it.
var headerJSON = []string{"application/json"}

// WriteJSON answers with a status and a body.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header()["Content-Type"] = headerJSON
	Write(w, status, v)
}

// Write answers a service of this sender, which knows what it asked for, with a status and a body: a header costs more
// than the body does.
func Write(w http.ResponseWriter, status int, v any) {
	var b []byte
	var err error
	if own, ok := v.(json.Marshaler); ok { // without the copy that json.Marshal would make of it
		b, err = own.MarshalJSON()
	} else {
		b, err = json.Marshal(v)
	}
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(b) // a caller that has gone cannot be told
}

// RetryAfter reads the header, whole seconds or a date; 0 when there is none that can be read.
func RetryAfter(h http.Header) time.Duration {
	said := h.Get("Retry-After")
	if at, err := http.ParseTime(said); err == nil {
		return min(max(time.Until(at), 0), longestHint)
	}
	n, err := strconv.ParseUint(said, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return time.Duration(min(n, uint64(longestHint/time.Second))) * time.Second
}

// longestHint bounds what a callee may ask for: a day said by mistake must not cost the messages of a day. Whoever is asked
// too early says so again.
const longestHint = 15 * time.Minute
