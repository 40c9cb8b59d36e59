package whatsapp

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/mailru/easyjson/jlexer"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

// UnmarshalJSON reads a message.
func (m *Message) UnmarshalJSON(b []byte) error {
	l := jlexer.Lexer{Data: b}
	var bad error
	instantOf := func(key string) time.Time {
		t, err := time.Parse(time.RFC3339, l.String())
		if err != nil && bad == nil {
			bad = fmt.Errorf("%s: write a time such as 2026-01-31T13:33:00Z", key)
		}
		return t
	}
	wire.Object(&l, func(key string) {
		switch key {
		case "to":
			m.To = l.String()
		case "type":
			m.Type = l.String()
		case "text":
			m.Text = l.String()
		case "media":
			m.Media = wire.ReadMedia(&l)
		case "template":
			m.Template = append(json.RawMessage(nil), l.Raw()...)
		case "class":
			m.Class = l.String()
		case "tenant":
			m.Tenant = l.String()
		case "number":
			m.Number = l.String()
		case "conversation":
			m.Conversation = l.String()
		case "valid_for":
			m.ValidFor = l.String()
		case "send_at":
			m.SendAt = instantOf(key)
		case "window_ends":
			m.WindowEnds = instantOf(key)
		default:
			if bad == nil {
				bad = fmt.Errorf("unknown key %q", key)
			}
			l.SkipRecursive()
		}
	})
	l.Consumed()
	if err := l.Error(); err != nil {
		return err
	}
	if len(m.Template) > 0 && !json.Valid(m.Template) {
		return errors.New("template is not JSON")
	}
	return bad
}

// UnmarshalJSON reads what the Cloud API answers to a message or an upload; keys that it does not know are left alone.
func (r *reply) UnmarshalJSON(b []byte) error {
	l := jlexer.Lexer{Data: b}
	wire.Object(&l, func(key string) {
		switch key {
		case "id":
			r.ID = l.String()
		case "messages":
			wire.Array(&l, func() {
				wire.Object(&l, func(key string) {
					if key == "id" && r.ID == "" {
						r.ID = l.String()
						return
					}
					l.SkipRecursive()
				})
			})
		case "error":
			r.Error = readError(&l)
		default:
			l.SkipRecursive()
		}
	})
	l.Consumed()
	return l.Error()
}

func readError(l *jlexer.Lexer) *apiError {
	e := new(apiError)
	wire.Object(l, func(key string) {
		switch key {
		case "code":
			e.Code = l.Int()
		case "message":
			e.Message = l.String()
		case "title":
			if title := l.String(); e.Message == "" {
				e.Message = title
			}
		case "error_data":
			e.Data = append(json.RawMessage(nil), l.Raw()...)
		default:
			l.SkipRecursive()
		}
	})
	return e
}

// readNotice reads the statuses out of a webhook.
func readNotice(b []byte) ([]wire.Status, error) {
	l := jlexer.Lexer{Data: b}
	var out []wire.Status
	list := func(inside string, then func()) func(string) {
		return func(key string) {
			if key != inside {
				l.SkipRecursive()
				return
			}
			then()
		}
	}
	statuses := func() {
		wire.Array(&l, func() { out = append(out, readStatus(&l)) })
	}
	value := func() { wire.Object(&l, list("statuses", statuses)) }
	changes := func() { wire.Array(&l, func() { wire.Object(&l, list("value", value)) }) }
	entries := func() { wire.Array(&l, func() { wire.Object(&l, list("changes", changes)) }) }
	wire.Object(&l, list("entry", entries))
	l.Consumed()
	return out, l.Error()
}

func readStatus(l *jlexer.Lexer) wire.Status {
	var s wire.Status
	wire.Object(l, func(key string) {
		switch key {
		case "id":
			s.WAMID = l.String()
		case "status":
			s.State = l.String()
		case "timestamp":
			s.At, _ = strconv.ParseInt(string(l.JsonNumber()), 10, 64) // a time that cannot be read is left out
		case "biz_opaque_callback_data":
			s.Callback = l.String()
		case "errors":
			wire.Array(l, func() {
				if e := readError(l); s.Code == 0 {
					s.Code, s.Detail = e.Code, e.detail()
				}
			})
		default:
			l.SkipRecursive()
		}
	})
	return s
}

// MarshalJSON writes the answer to a message that was taken.
func (a Accepted) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 96)
	b = wire.Quote(append(b, `{"id":`...), a.ID)
	b = wire.Quote(append(b, `,"draft":`...), a.Draft)
	b = wire.Quote(append(b, `,"status":`...), a.Status)
	return append(b, '}'), nil
}

// MarshalJSON writes the request to the Cloud API.
func (o *outgoing) MarshalJSON() ([]byte, error) {
	m := &o.Media
	b := make([]byte, 0, 224+len(o.Text)+len(o.Template)+len(m.ID)+len(m.Link)+len(m.Caption)+len(m.Filename))
	b = wire.Quote(append(b, `{"messaging_product":"whatsapp","recipient_type":"individual","to":`...), o.To)
	b = wire.Quote(append(b, `,"type":`...), o.Type)
	b = wire.Quote(append(b, `,"biz_opaque_callback_data":`...), o.Callback)
	b = append(wire.Quote(append(b, ','), o.Type), ':')
	switch o.Type {
	case "template":
		b = append(b, o.Template...)
	case "text":
		b = append(wire.Quote(append(b, `{"body":`...), o.Text), '}')
	default:
		b = m.append(b)
	}
	return append(b, '}'), nil
}

func (m *mediaPart) append(b []byte) []byte {
	if m.ID != "" {
		b = wire.Quote(append(b, `{"id":`...), m.ID)
	} else {
		b = wire.Quote(append(b, `{"link":`...), m.Link)
	}
	if m.Caption != "" {
		b = wire.Quote(append(b, `,"caption":`...), m.Caption)
	}
	if m.Filename != "" {
		b = wire.Quote(append(b, `,"filename":`...), m.Filename)
	}
	return append(b, '}')
}
