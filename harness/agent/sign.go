package agent

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/nats-io/nats.go"
)

// headSignature carries the proof that an order comes from somebody who knows the agents' key.
const headSignature = "Signature"

// errUnsigned answers an order that does not prove that.
var errUnsigned = errors.New("the order is not signed with this agent's key (AFTERSHOCK_AGENT_KEY)")

// sign proves one request to one agent: its door, a word that the agent made up for it, so that what was overheard is
// worth nothing later, and what is asked.
func sign(key, id, door, nonce string, data []byte) string {
	h := hmac.New(sha256.New, []byte(key))
	for _, part := range []string{id, door, nonce} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// signed reports whether a request may be obeyed; an agent without a key obeys all.
func (w *Worker) signed(m *nats.Msg, door string) bool {
	if w.Key == "" {
		return true
	}
	w.mu.Lock()
	nonce := w.ordered
	if door == "order" {
		nonce = w.nonce
	}
	want := sign(w.Key, w.ID, door, nonce, m.Data)
	w.mu.Unlock()
	return hmac.Equal([]byte(m.Header.Get(headSignature)), []byte(want))
}
