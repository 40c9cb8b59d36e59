package wire

import (
	"encoding/json"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mailru/easyjson/jlexer"
)

// The bodies that pass for every message are read by hand through easyjson's lexer and written into one piece of memory:
// reflection was a quarter of a replay's time. The tests hold them against encoding/json.

// Object reads one JSON object: field is called at each value and has to read or skip it. null is an empty object.
func Object(l *jlexer.Lexer, field func(key string)) {
	if l.IsNull() {
		l.Skip()
		return
	}
	l.Delim('{')
	for !l.IsDelim('}') {
		key := l.UnsafeFieldName(false)
		l.WantColon()
		if l.IsNull() {
			l.Skip()
		} else {
			field(key)
		}
		l.WantComma()
	}
	l.Delim('}')
}

// Array reads one JSON array: element is called at each value and has to read or skip it. null is an empty array.
func Array(l *jlexer.Lexer, element func()) {
	if l.IsNull() {
		l.Skip()
		return
	}
	l.Delim('[')
	for !l.IsDelim(']') {
		element()
		l.WantComma()
	}
	l.Delim(']')
}

// Quote appends s as JSON; broken UTF-8 is replaced.
func Quote(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s)
	return b
}

// text appends a member after others, unless it is empty.
func text(b []byte, key, v string) []byte {
	if v == "" {
		return b
	}
	return Quote(name(b, key), v)
}

// number appends a member after others, unless it is 0.
func number(b []byte, key string, v int64) []byte {
	if v == 0 {
		return b
	}
	return strconv.AppendInt(name(b, key), v, 10)
}

func name(b []byte, key string) []byte {
	b = append(b, `,"`...)
	b = append(b, key...)
	return append(b, `":`...)
}

// raw reads a value of any kind as its bytes.
func raw(l *jlexer.Lexer) json.RawMessage { return append(json.RawMessage(nil), l.Raw()...) }

// whole ends the reading of a body: nothing may follow.
func whole(l *jlexer.Lexer) error {
	l.Consumed()
	return l.Error()
}

// UnmarshalJSON reads a draft.
func (d *Draft) UnmarshalJSON(b []byte) error {
	l := jlexer.Lexer{Data: b}
	Object(&l, func(key string) {
		switch key {
		case "id":
			d.ID = l.String()
		case "request":
			d.Request = l.String()
		case "to":
			d.To = l.String()
		case "type":
			d.Type = kind(l.UnsafeString())
		case "text":
			d.Text = l.String()
		case "media":
			d.Media = readMedia(&l)
		case "template":
			d.Template = raw(&l)
		case "class":
			d.Class = kind(l.UnsafeString())
		case "tenant":
			d.Tenant = l.String()
		case "number":
			d.Number = l.String()
		case "conversation":
			d.Conversation = l.String()
		case "created":
			d.Created = l.Int64()
		case "expires":
			d.Expires = l.Int64()
		case "send_at":
			d.SendAt = l.Int64()
		case "key":
			d.Key = l.String()
		case "print":
			d.Print = l.Uint64()
		case "window_end":
			d.WindowEnds = l.Int64()
		case "trace":
			d.Trace = l.String()
		default:
			l.SkipRecursive()
		}
	})
	return whole(&l)
}

// kind returns the words that occur in nearly every message without a copy of their own.
func kind(s string) string {
	for _, w := range [...]string{"text", "image", "document", "video", "audio", "sticker", "template", "queued", "transactional", "reply", "otp", "bulk"} {
		if s == w {
			return w
		}
	}
	return string([]byte(s))
}

func readMedia(l *jlexer.Lexer) *Media {
	m := new(Media)
	Object(l, func(key string) {
		switch key {
		case "link":
			m.Link = l.String()
		case "mime":
			m.MIME = l.String()
		case "filename":
			m.Filename = l.String()
		case "id":
			m.ID = l.String()
		default:
			l.SkipRecursive()
		}
	})
	return m
}

// ReadMedia reads a media object.
func ReadMedia(l *jlexer.Lexer) *Media { return readMedia(l) }

// MarshalJSON writes a draft.
func (d *Draft) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 256+len(d.Text)+len(d.Template)+2*len(d.ID))
	b = Quote(append(b, `{"id":`...), d.ID)
	b = text(b, "request", d.Request)
	b = Quote(append(b, `,"to":`...), d.To)
	b = Quote(append(b, `,"type":`...), d.Type)
	b = text(b, "text", d.Text)
	if m := d.Media; m != nil {
		b = Quote(append(b, `,"media":{"mime":`...), m.MIME)
		b = text(b, "link", m.Link)
		b = text(b, "filename", m.Filename)
		b = text(b, "id", m.ID)
		b = append(b, '}')
	}
	if len(d.Template) > 0 {
		b = append(name(b, "template"), d.Template...)
	}
	b = text(b, "class", d.Class)
	b = text(b, "tenant", d.Tenant)
	b = text(b, "number", d.Number)
	b = text(b, "conversation", d.Conversation)
	b = number(b, "created", d.Created)
	b = number(b, "expires", d.Expires)
	b = number(b, "send_at", d.SendAt)
	b = text(b, "key", d.Key)
	if d.Print != 0 {
		b = strconv.AppendUint(name(b, "print"), d.Print, 10)
	}
	b = number(b, "window_end", d.WindowEnds)
	b = text(b, "trace", d.Trace)
	return append(b, '}'), nil
}

// UnmarshalJSON reads the answer to a send.
func (r *SendResult) UnmarshalJSON(b []byte) error {
	l := jlexer.Lexer{Data: b}
	Object(&l, func(key string) {
		switch key {
		case "wamid":
			r.WAMID = l.String()
		case "class":
			r.Class = l.String()
		case "scope":
			r.Scope = l.Uint8()
		case "code":
			r.Code = l.Int()
		case "detail":
			r.Detail = l.String()
		case "after_ms":
			r.After = l.Int64()
		case "spent_us":
			r.Spent = l.Int64()
		case "replica":
			r.Replica = l.String()
		default:
			l.SkipRecursive()
		}
	})
	return whole(&l)
}

// MarshalJSON writes the answer to a send.
func (r *SendResult) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 192+len(r.Detail))
	b = Quote(append(b, `{"class":`...), r.Class)
	b = text(b, "wamid", r.WAMID)
	b = number(b, "scope", int64(r.Scope))
	b = number(b, "code", int64(r.Code))
	b = text(b, "detail", r.Detail)
	b = number(b, "after_ms", r.After)
	b = number(b, "spent_us", r.Spent)
	b = text(b, "replica", r.Replica)
	return append(b, '}'), nil
}

// ReadStatuses reads a batch of statuses.
func ReadStatuses(b []byte) ([]Status, error) {
	l := jlexer.Lexer{Data: b}
	var out []Status
	Array(&l, func() {
		var s Status
		Object(&l, func(key string) {
			switch key {
			case "callback":
				s.Callback = l.String()
			case "wamid":
				s.WAMID = l.String()
			case "status":
				s.State = l.String()
			case "at":
				s.At = l.Int64()
			case "code":
				s.Code = l.Int()
			case "detail":
				s.Detail = l.String()
			default:
				l.SkipRecursive()
			}
		})
		out = append(out, s)
	})
	return out, whole(&l)
}

// WriteStatuses writes a batch of statuses.
func WriteStatuses(list []Status) []byte {
	b := append(make([]byte, 0, 2+224*len(list)), '[')
	for i := range list {
		s := &list[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = Quote(append(b, `{"wamid":`...), s.WAMID)
		b = text(b, "callback", s.Callback)
		b = text(b, "status", s.State)
		b = number(b, "at", s.At)
		b = number(b, "code", int64(s.Code))
		b = text(b, "detail", s.Detail)
		b = append(b, '}')
	}
	return append(b, ']')
}

// MarshalJSON writes the answer to a create.
func (c Created) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 64), `{"id":`...)
	b = Quote(b, c.ID)
	b = append(b, `,"state":`...)
	b = Quote(b, c.State)
	return append(b, '}'), nil
}

// UnmarshalJSON reads the answer to a create.
func (c *Created) UnmarshalJSON(b []byte) error {
	l := jlexer.Lexer{Data: b}
	Object(&l, func(key string) {
		switch key {
		case "id":
			c.ID = l.String()
		case "state":
			c.State = kind(l.UnsafeString())
		default:
			l.SkipRecursive()
		}
	})
	return whole(&l)
}
