package drafts

import (
	"net/http"
	"time"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

// Idempotent creates follow Stripe's second version: the first result of a key is repeated; the same key with
// another body is refused; while the first create is under way others are told to come back; and a create that failed
// may be tried again with its key.

// claimKey begins a create under its key. It returns the draft that the key has made already, or a refusal, or
// neither: then the caller creates, and calls releaseKey.
func (b *books) claimKey(w *wire.Draft) (made string, refusal *wire.Refusal) {
	name := keyName(w)
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, busy := b.creating[name]; busy {
		return "", &wire.Refusal{
			Status: http.StatusConflict, Code: "key_in_progress", Says: "a create with this Idempotency-Key is still under way",
			Hint: "send the same request again after the time in Retry-After", After: time.Second,
		}
	}
	made, print := b.madeBy(w, name)
	switch {
	case made == "":
		b.creating[name] = struct{}{}
		return "", nil
	case w.Print != 0 && print != 0 && print != w.Print:
		return "", &wire.Refusal{
			Status: http.StatusUnprocessableEntity, Code: "key_reused",
			Says: "this Idempotency-Key was used for another message",
			Hint: "use a new key for a new message; the first message was taken as " + made,
		}
	}
	return made, nil
}

// madeBy finds what a key has made. A key that is the message's own reference needs no entry of its own.
func (b *books) madeBy(w *wire.Draft, name string) (string, uint64) {
	if w.Tenant == "" && w.Key == wire.MessageOf(w.ID) {
		if m, ok := b.message(w.Key); ok {
			return w.ID, m.print
		}
		return "", 0
	}
	k, ok := b.keys[name]
	if !ok {
		k = b.oldKeys[name]
	}
	return k.draft, k.print
}

// releaseKey ends a create; made tells whether there is a draft now.
func (b *books) releaseKey(w *wire.Draft, made bool) {
	name := keyName(w)
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.creating, name)
	if made && !(w.Tenant == "" && w.Key == wire.MessageOf(w.ID)) {
		b.keys[name] = keyed{w.ID, w.Print}
	}
}

func keyName(w *wire.Draft) string { return w.Tenant + "\x00" + w.Key }
