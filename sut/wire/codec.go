package wire

import (
	"encoding/json"

	"github.com/mailru/easyjson/jlexer"
	"github.com/mailru/easyjson/jwriter"
)

// The bodies that pass for every message are read and written by hand through easyjson's lexer and writer: reflection
// was a quarter of a replay's time. codec_test.go holds them against encoding/json.

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

// NewWriter returns a writer with room for a usual body.
func NewWriter() jwriter.Writer {
	w := jwriter.Writer{NoEscapeHTML: true}
	w.Buffer.EnsureSpace(512)
	return w
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
	w := NewWriter()
	w.RawString(`{"id":`)
	w.String(d.ID)
	text(&w, "request", d.Request)
	w.RawString(`,"to":`)
	w.String(d.To)
	w.RawString(`,"type":`)
	w.String(d.Type)
	text(&w, "text", d.Text)
	if m := d.Media; m != nil {
		w.RawString(`,"media":{"mime":`)
		w.String(m.MIME)
		text(&w, "link", m.Link)
		text(&w, "filename", m.Filename)
		text(&w, "id", m.ID)
		w.RawByte('}')
	}
	if len(d.Template) > 0 {
		w.RawString(`,"template":`)
		w.Raw(d.Template, nil)
	}
	text(&w, "class", d.Class)
	text(&w, "tenant", d.Tenant)
	text(&w, "number", d.Number)
	text(&w, "conversation", d.Conversation)
	number(&w, "created", d.Created)
	number(&w, "expires", d.Expires)
	number(&w, "send_at", d.SendAt)
	text(&w, "key", d.Key)
	if d.Print != 0 {
		w.RawString(`,"print":`)
		w.Uint64(d.Print)
	}
	number(&w, "window_end", d.WindowEnds)
	text(&w, "trace", d.Trace)
	w.RawByte('}')
	return w.BuildBytes()
}

func text(w *jwriter.Writer, key, v string) {
	if v != "" {
		w.RawString(`,"` + key + `":`)
		w.String(v)
	}
}

func number(w *jwriter.Writer, key string, v int64) {
	if v != 0 {
		w.RawString(`,"` + key + `":`)
		w.Int64(v)
	}
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
	w := NewWriter()
	w.RawString(`{"class":`)
	w.String(r.Class)
	text(&w, "wamid", r.WAMID)
	number(&w, "scope", int64(r.Scope))
	number(&w, "code", int64(r.Code))
	text(&w, "detail", r.Detail)
	number(&w, "after_ms", r.After)
	number(&w, "spent_us", r.Spent)
	text(&w, "replica", r.Replica)
	w.RawByte('}')
	return w.BuildBytes()
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
func WriteStatuses(list []Status) ([]byte, error) {
	w := NewWriter()
	w.RawByte('[')
	for i := range list {
		s := &list[i]
		if i > 0 {
			w.RawByte(',')
		}
		w.RawString(`{"wamid":`)
		w.String(s.WAMID)
		text(&w, "callback", s.Callback)
		text(&w, "status", s.State)
		number(&w, "at", s.At)
		number(&w, "code", int64(s.Code))
		text(&w, "detail", s.Detail)
		w.RawByte('}')
	}
	w.RawByte(']')
	return w.BuildBytes()
}

// quoted is s as JSON when it needs no escapes, which is so for every name that this module makes.
func quoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			full, _ := json.Marshal(s) // a string always has a JSON form
			return append(b, full...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// MarshalJSON writes the answer to a create.
func (c Created) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 64), `{"id":`...)
	b = quoted(b, c.ID)
	b = append(b, `,"state":`...)
	b = quoted(b, c.State)
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
