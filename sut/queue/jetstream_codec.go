package queue

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// names are the streams and subjects of one queue.
type names struct{ prefix string }

// The two kinds of items that wait in LATER.
const (
	planned = "plan"  // put with a NotBefore
	retried = "retry" // given back by their taker
)

func (n names) out() string   { return n.prefix + "_OUT" }
func (n names) later() string { return n.prefix + "_LATER" }
func (n names) dead() string  { return n.prefix + "_DEAD" }

// The subjects take tokens.
func (n names) freshSubject(lane, tenant string) string {
	return n.prefix + ".out." + lane + "." + tenant
}
func (n names) dueSubject(lane, tenant string) string {
	return n.prefix + ".due." + lane + "." + tenant
}
func (n names) deadSubject(lane, tenant string) string {
	return n.prefix + ".dead." + lane + "." + tenant
}
func (n names) waitSubject(kind, lane, tenant, id string) string {
	return n.prefix + "." + kind + "." + lane + "." + tenant + "." + id
}

// token makes any string part of a subject or a consumer's name; untoken reads it.
func token(s string) string {
	if s == "" {
		return "="
	}
	plain := true
	for i := range len(s) {
		plain = plain && isPlain(s[i])
	}
	if plain {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if isPlain(s[i]) {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "=%02X", s[i])
		}
	}
	return b.String()
}

func isPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

func untoken(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		var c byte
		if s[i] == '=' && i+2 < len(s) {
			if _, err := fmt.Sscanf(s[i+1:i+3], "%02X", &c); err == nil {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		if s != "=" {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// itemHeader carries what belongs to an item beside its body.
const itemHeader = "Aftershock-Item"

// envelope is an item's header. Times are unix nanoseconds, 0 for none.
type envelope struct {
	ID         string `json:"id"`
	Lane       string `json:"lane,omitempty"`
	Tenant     string `json:"tenant,omitempty"`
	Key        string `json:"key,omitempty"`
	NotBefore  int64  `json:"not_before,omitempty"`
	Expires    int64  `json:"expires,omitempty"`
	Enqueued   int64  `json:"enqueued"`
	Since      int64  `json:"since"`                // when it was, or will be, due for the first time
	Deliveries int    `json:"deliveries,omitempty"` // before this message was made
	Reason     string `json:"reason,omitempty"`     // of a dead letter
}

func envelopeOf(it *Item, since int64) envelope {
	return envelope{
		ID: it.ID, Lane: it.Lane, Tenant: it.Tenant, Key: it.Key,
		NotBefore: nanos(it.NotBefore), Expires: nanos(it.Expires), Enqueued: nanos(it.Enqueued),
		Since: since, Deliveries: it.Delivery,
	}
}

func (e *envelope) item(body []byte) Item {
	return Item{
		ID: e.ID, Lane: e.Lane, Tenant: e.Tenant, Key: e.Key, Body: body,
		NotBefore: instantOf(e.NotBefore), Expires: instantOf(e.Expires), Enqueued: instantOf(e.Enqueued),
		Delivery: e.Deliveries,
	}
}

// message makes what is published.
func (e *envelope) message(subject string, body []byte) (*nats.Msg, error) {
	header, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("item %s: %w", e.ID, err)
	}
	return &nats.Msg{Subject: subject, Data: body, Header: nats.Header{itemHeader: []string{string(header)}}}, nil
}

// readEnvelope understands a stored message. One that the queue did not make is an item too: it is in the stream, so
// somebody wants it dispatched. Then ok is false, and the envelope is made up from its subject.
func readEnvelope(subject string, header nats.Header, seq uint64, stored time.Time) (e envelope, ok bool) {
	if raw := header.Get(itemHeader); raw != "" && json.Unmarshal([]byte(raw), &e) == nil && e.ID != "" {
		return e, true
	}
	e = envelope{ID: header.Get(nats.MsgIdHdr), Enqueued: stored.UnixNano(), Since: stored.UnixNano()}
	if e.ID == "" {
		e.ID = fmt.Sprintf("foreign-%d", seq)
	}
	if parts := strings.Split(subject, "."); len(parts) >= 4 {
		e.Lane, e.Tenant = untoken(parts[2]), untoken(parts[3])
	}
	return e, false
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func instantOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}
