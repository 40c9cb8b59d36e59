package whatsapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// maxWebhook bounds the body of a webhook; Meta's own bound is 3 MB.
const maxWebhook = 3 << 20

// verify answers the API's question whether this endpoint is ours.
func (s *Service) verify(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("hub.mode") != "subscribe" || s.w.VerifyToken == "" ||
		subtle.ConstantTimeCompare([]byte(q.Get("hub.verify_token")), []byte(s.w.VerifyToken)) != 1 {
		(&wire.Refusal{
			Status: http.StatusForbidden, Code: "bad_verify_token", Says: "the verify token does not match",
			Hint: "configure the same token on both sides",
		}).Write(w)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, q.Get("hub.challenge")) // a caller that has gone cannot be told
}

// webhook is POST /webhooks/whatsapp: check the signature, read, acknowledge.
func (s *Service) webhook(j *fleet.Job, w http.ResponseWriter, r *http.Request) error {
	if err := j.Gate(instant.Status); err != nil {
		return err
	}
	body, err := wire.ReadBody(r, maxWebhook)
	if err != nil {
		return fleet.ErrLeft
	}
	if !s.signed(body, r.Header.Get("X-Hub-Signature-256")) {
		s.count.BadSignatures.Add(1)
		(&wire.Refusal{
			Status: http.StatusUnauthorized, Code: "bad_signature", Says: "X-Hub-Signature-256 does not match the body",
			Hint: "sign the raw body with the app secret",
		}).Write(w)
		return nil
	}
	list, err := readNotice(body)
	if len(body) > maxWebhook || err != nil {
		(&wire.Refusal{Status: http.StatusBadRequest, Code: "bad_webhook", Says: "the webhook cannot be read", Hint: "send what the Cloud API sends"}).Write(w)
		return nil
	}
	cfg := s.cfg.Load()
	if len(list) > 0 {
		s.count.Statuses.Add(int64(len(list)))
		if !cfg.Work.Status.IsZero() {
			j.Charge(time.Duration(len(list)) * cfg.Work.Status.Sample(0.5))
		}
		stored, ok := s.ear.hear(list)
		if cfg.Webhooks.Ack == "stored" {
			<-stored
			if !*ok {
				s.busy(w, fleet.ErrBusy)
				return nil
			}
		}
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Service) signed(body []byte, signature string) bool {
	if s.w.AppSecret == "" {
		return true
	}
	given, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(s.w.AppSecret))
	mac.Write(body)
	return hmac.Equal(given, mac.Sum(nil))
}
