package whatsapp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

// Message is the body of POST /v1/messages.
type Message struct {
	To           string          `json:"to"`
	Type         string          `json:"type"`               // text (the default), image, video, audio, document, sticker, template
	Text         string          `json:"text,omitempty"`     // the body, or the caption of media
	Media        *wire.Media     `json:"media,omitempty"`    // link, or the id of media that is uploaded already
	Template     json.RawMessage `json:"template,omitempty"` // as the Cloud API takes it; beside another type, the fallback outside the 24 h window
	Class        string          `json:"class,omitempty"`    // otp, reply, transactional, bulk
	Tenant       string          `json:"tenant,omitempty"`
	Number       string          `json:"number,omitempty"`       // phone number id to send from
	Conversation string          `json:"conversation,omitempty"` // what is sent in order; the default is number and recipient
	ValidFor     string          `json:"valid_for,omitempty"`    // 10m: not worth sending any later
	SendAt       time.Time       `json:"send_at,omitzero"`
	WindowEnds   time.Time       `json:"window_ends,omitzero"` // end of the 24 h service window, when the client knows
}

// The limits of the Cloud API that are checked at the door.
const (
	maxText    = 4096
	maxCaption = 1024
)

// limits maps the message types to the longest text they carry; -1 is none at all.
func textLimit(kind string) (limit int, media, ok bool) {
	switch kind {
	case "text":
		return maxText, false, true
	case "image", "video", "document":
		return maxCaption, true, true
	case "audio", "sticker":
		return -1, true, true
	case "template":
		return 0, false, true
	}
	return 0, false, false
}

// Types lists the message types that are taken.
func Types() []string {
	return []string{"text", "image", "video", "document", "audio", "sticker", "template"}
}

// check refuses a message that cannot be sent, and fills in what was left out.
func (m *Message) check(now time.Time, classes ClassBook) (validFor time.Duration, refusal *wire.Refusal) {
	bad := func(code, says, hint string) (time.Duration, *wire.Refusal) {
		return 0, &wire.Refusal{Status: http.StatusUnprocessableEntity, Code: code, Says: says, Hint: hint}
	}
	m.To = strings.Map(func(r rune) rune {
		if strings.ContainsRune("+-() ", r) {
			return -1
		}
		return r
	}, m.To)
	if len(m.To) < 5 || len(m.To) > 32 {
		return bad("bad_recipient", fmt.Sprintf("%q is not a phone number", m.To), "write it with its country code, such as +15551234567")
	}
	if m.Type == "" {
		m.Type = "text"
	}
	limit, media, ok := textLimit(m.Type)
	switch {
	case !ok:
		return bad("bad_type", fmt.Sprintf("%q is not a message type", m.Type), "use one of "+strings.Join(Types(), ", "))
	case m.Type == "text" && m.Text == "":
		return bad("no_text", "a text message needs text", "put it under text")
	case limit >= 0 && m.Type != "template" && len(m.Text) > limit && len([]rune(m.Text)) > limit:
		return bad("text_too_long", fmt.Sprintf("the text has %d characters; %s takes %d", len([]rune(m.Text)), m.Type, limit), "shorten it, or send it in parts")
	case media && (m.Media == nil || m.Media.Link == "" && m.Media.ID == ""):
		return bad("no_media", m.Type+" needs media", "give media.link or media.id")
	case m.Type == "template" && len(m.Template) == 0:
		return bad("no_template", "a template message needs template", "give name and language, as the Cloud API takes them")
	}
	if media && m.Media.ID == "" {
		u, err := url.Parse(m.Media.Link)
		if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https"}, u.Scheme) {
			return bad("bad_link", "media.link is not a web address", "write it in full, such as https://files.example/a.jpg")
		}
	}
	_, valid, ok := classes.Known(m.Class)
	if !ok {
		return bad("bad_class", fmt.Sprintf("%q is not a class", m.Class), "use otp, reply, transactional or bulk")
	}
	validFor = time.Duration(valid)
	if m.ValidFor != "" {
		d, err := time.ParseDuration(m.ValidFor)
		if err != nil || d <= 0 {
			return bad("bad_validity", fmt.Sprintf("valid_for %q is not a time", m.ValidFor), "write it as 10m or 4h")
		}
		validFor = d
	}
	if !m.SendAt.IsZero() && m.SendAt.After(now.Add(30*24*time.Hour)) {
		return bad("too_far", "send_at lies more than 30 days ahead", "schedule it later")
	}
	return validFor, nil
}

// draft turns a checked message into the draft that Drafts is asked to create.
func (m *Message) draft(request string, now time.Time, validFor time.Duration) wire.Draft {
	d := wire.Draft{
		Request: request, To: m.To, Type: m.Type, Text: m.Text, Media: m.Media, Template: m.Template, Class: m.Class,
		Tenant: m.Tenant, Number: m.Number, Conversation: m.Conversation, Created: now.UnixMilli(),
	}
	start := now
	if m.SendAt.After(now) {
		d.SendAt, start = m.SendAt.UnixMilli(), m.SendAt
	}
	if validFor > 0 {
		d.Expires = start.Add(validFor).UnixMilli()
	}
	if !m.WindowEnds.IsZero() {
		d.WindowEnds = m.WindowEnds.UnixMilli()
	}
	return d
}
