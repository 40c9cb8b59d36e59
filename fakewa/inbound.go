package fakewa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
)

// Inbound is a message from a user to the business, to be told to the callback.
type Inbound struct {
	From    string          `json:"from"`              // the user's number
	Name    string          `json:"name,omitempty"`    // the user's profile name
	Number  string          `json:"number,omitempty"`  // the business number's id; empty means the first known one
	Type    string          `json:"type,omitempty"`    // default text
	Text    string          `json:"text,omitempty"`    // body of a text, caption of media
	Media   *InboundMedia   `json:"media,omitempty"`   // of an image, audio, video, document or sticker
	Context string          `json:"context,omitempty"` // id of the message this one answers
	Content json.RawMessage `json:"content,omitempty"` // the object named like the type, for any other type
}

// InboundMedia is a file that a user sends.
type InboundMedia struct {
	MIME     string `json:"mime_type"`
	Filename string `json:"filename,omitempty"`
	Data     []byte `json:"data,omitempty"` // base64
}

// inbound is a message from a user as its webhook tells it.
type inbound struct {
	name    string
	message []byte // members of the message behind from, id and timestamp
	wamid   string
}

func (in *Inbound) check() error {
	or(&in.Type, "text")
	or(&in.Name, "Test User")
	in.From = phone(in.From)
	switch {
	case in.From == "":
		return errors.New("from: needs a phone number")
	case in.Type == "text" && in.Text == "":
		return errors.New("text: is missing")
	case in.Number != "" && !digits(in.Number):
		return fmt.Errorf("number: %q is not digits", in.Number)
	}
	switch in.Type {
	case "image", "audio", "video", "document", "sticker":
		if in.Media == nil || in.Media.MIME == "" {
			return errors.New("media: needs a mime_type and data")
		}
	case "text":
	default:
		if len(in.Content) == 0 {
			return fmt.Errorf("content: is missing for type %q", in.Type)
		}
	}
	return nil
}

// Receive takes a message from a user: the 24-hour window opens, and the callback is told. It returns the message's id.
func (s *Server) Receive(ctx context.Context, in Inbound) (string, error) {
	if err := in.check(); err != nil {
		return "", fmt.Errorf("inbound: %w", err)
	}
	now := time.Now()
	s.mu.Lock()
	c := s.core
	if in.Number == "" {
		in.Number = c.access.anyNumber()
	}
	c.hear(now, in.Number, in.From)
	c.number++
	id := wamid(c.draw.check, in.From, fromUser, c.draw.wamid.Bits(chance.Key(in.From), c.number))
	var mediaID, sum string
	if in.Media != nil {
		content := NewContent(in.Media.MIME, in.Media.Filename, in.Media.Data)
		mediaID, sum = c.media.add(now, in.Number, true, content), content.sum64()
	}
	n := c.number
	business, _ := c.access.number(in.Number)
	ascii := !c.cfg.Webhook.Unescaped
	s.mu.Unlock()
	s.hooks.schedule(now, 0, task{stage: stageInbound, note: &update{
		status: stageInbound, at: now, about: about{in.Number, in.From, in.Type, n, uint64(stageInbound)},
		inbound: &inbound{name: in.Name, wamid: id, message: in.members(mediaID, sum, business.Display, ascii)},
	}})
	return id, nil
}

// hear notes that a user wrote to a number: the 24-hour window opens, and what comes in counts with what goes out.
func (c *Core) hear(now time.Time, number, from string) {
	c.limits.heard(now, from)
	c.limits.throughput(now, number, c.cfg.Limits.Throughput, true)
}

// members writes what stands behind from, id and timestamp.
func (in *Inbound) members(mediaID, sum, business string, ascii bool) []byte {
	b := append([]byte(nil), `"type":`...)
	b = appendString(b, in.Type, ascii)
	b = append(b, ',')
	b = appendString(b, in.Type, ascii)
	b = append(b, ':')
	switch {
	case in.Type == "text":
		b = append(b, `{"body":`...)
		b = append(appendString(b, in.Text, ascii), '}')
	case in.Media != nil:
		b = append(b, `{"id":"`+mediaID+`","mime_type":`...)
		b = appendString(b, in.Media.MIME, ascii)
		b = append(b, `,"sha256":"`+sum+`"`...)
		if in.Text != "" {
			b = append(b, `,"caption":`...)
			b = appendString(b, in.Text, ascii)
		}
		if in.Media.Filename != "" {
			b = append(b, `,"filename":`...)
			b = appendString(b, in.Media.Filename, ascii)
		}
		if in.Type == "audio" {
			b = append(b, `,"voice":false`...)
		}
		if in.Type == "sticker" {
			b = append(b, `,"animated":false`...)
		}
		b = append(b, '}')
	default:
		b = appendJSON(b, in.Content, ascii)
	}
	if in.Context != "" {
		b = append(b, `,"context":{"from":"`+business+`","id":`...)
		b = append(appendString(b, in.Context, ascii), '}')
	}
	return b
}

func appendInbound(b []byte, updates []*update, ascii bool) []byte {
	b = append(b, `"contacts":[`...)
	for i, u := range updates {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"profile":{"name":`...)
		b = appendString(b, u.inbound.name, ascii)
		b = append(b, `},"wa_id":`...)
		b = append(appendString(b, u.to, ascii), '}')
	}
	b = append(b, `],"messages":[`...)
	for i, u := range updates {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"from":`...)
		b = appendString(b, u.to, ascii)
		b = append(b, `,"id":"`+u.inbound.wamid+`","timestamp":"`...)
		b = strconv.AppendInt(b, u.at.Unix(), 10)
		b = append(b, `",`...)
		b = append(append(b, u.inbound.message...), '}')
	}
	return append(b, ']')
}
