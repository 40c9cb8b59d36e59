package fakewa

import (
	"strconv"
	"time"
)

// appendHook writes the body of a POST: one entry, and one change for each run of updates of one number.
func (s *Server) appendHook(b []byte, p *post) []byte {
	cfg := s.settings()
	ascii := !cfg.Webhook.Unescaped
	b = append(b, `{"object":"whatsapp_business_account","entry":[`...)
	for i := 0; i < len(p.updates); {
		u := p.updates[i]
		n := 1
		for i+n < len(p.updates) && p.updates[i+n].number == u.number && (p.updates[i+n].inbound != nil) == (u.inbound != nil) {
			n++
		}
		if i > 0 {
			b = append(b, ',')
		}
		number := s.number(u.number)
		b = append(b, `{"id":"`...)
		b = append(b, number.WABA...)
		b = append(b, `","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"`...)
		b = append(b, number.Display...)
		b = append(b, `","phone_number_id":"`...)
		b = append(b, u.number...)
		b = append(b, `"},`...)
		if u.inbound != nil {
			b = appendInbound(b, p.updates[i:i+n], ascii)
		} else {
			b = appendStatuses(b, p.updates[i:i+n], &cfg.Webhook, ascii)
		}
		b = append(b, `},"field":"messages"}]}`...)
		i += n
	}
	return append(b, `]}`...)
}

func appendStatuses(b []byte, updates []*update, cfg *Webhook, ascii bool) []byte {
	if cfg.Contacts {
		b = append(b, `"contacts":[`...)
		n := 0
		for _, u := range updates {
			if u.status == stageFailed {
				continue
			}
			if n > 0 {
				b = append(b, ',')
			}
			n++
			b = append(b, `{"profile":{"name":"Test User"},"wa_id":`...)
			b = appendString(b, u.to, ascii)
			b = append(b, '}')
		}
		b = append(b, `],`...)
	}
	b = append(b, `"statuses":[`...)
	for i, u := range updates {
		if i > 0 {
			b = append(b, ',')
		}
		b = u.appendStatus(b, cfg, ascii)
	}
	return append(b, ']')
}

func (u *update) appendStatus(b []byte, cfg *Webhook, ascii bool) []byte {
	l := u.later
	b = append(b, `{"id":"`...)
	b = append(b, l.WAMID...)
	b = append(b, `","status":"`...)
	b = append(b, stageStatus[u.status]...)
	b = append(b, `","timestamp":"`...)
	b = strconv.AppendInt(b, u.at.Unix(), 10)
	b = append(b, `","recipient_id":`...)
	b = appendString(b, l.To, ascii)
	if l.Group {
		b = append(b, `,"recipient_type":"group"`...)
	}
	if l.Callback != "" {
		b = append(b, `,"biz_opaque_callback_data":`...)
		b = appendString(b, l.Callback, ascii)
	}
	if u.status == stageFailed {
		return append(l.Fail.appendHook(b, ascii), '}')
	}
	if cfg.Converse {
		b = l.appendConversation(b, u.status)
	}
	if u.status != stageRead && cfg.Pricing != "none" {
		b = l.appendPricing(b, cfg.Pricing)
	}
	return append(b, '}')
}

// appendHook writes the errors of a failed status; there the message is the bare title.
func (e *apiError) appendHook(b []byte, ascii bool) []byte {
	k, _ := documented(e.code)
	title := k.title
	or(&title, e.message)
	b = append(b, `,"errors":[{"code":`...)
	b = strconv.AppendInt(b, int64(e.code), 10)
	b = append(b, `,"title":`...)
	b = appendString(b, title, ascii)
	b = append(b, `,"message":`...)
	b = appendString(b, title, ascii)
	if e.details != "" {
		b = append(b, `,"error_data":{"details":`...)
		b = appendString(b, e.details, ascii)
		b = append(b, '}')
	}
	return append(b, `,"href":"/documentation/business-messaging/whatsapp/support/error-codes"}]`...)
}

func (l *later) category() string {
	if l.Category == "" {
		return "service"
	}
	return l.Category
}

func (l *later) appendConversation(b []byte, s stage) []byte {
	b = append(b, `,"conversation":{"id":"`...)
	b = appendHex(b, l.Key, uint64(len(l.To)))
	b = append(b, '"')
	if s == stageSent {
		b = append(b, `,"expiration_timestamp":"`...)
		b = strconv.AppendInt(b, l.Accepted.Add(24*time.Hour).Unix(), 10)
		b = append(b, '"')
	}
	b = append(b, `,"origin":{"type":"`...)
	b = append(b, l.category()...)
	return append(b, `"}}`...)
}

func (l *later) appendPricing(b []byte, model string) []byte {
	free := l.Category == ""
	b = append(b, `,"pricing":{"billable":`...)
	b = strconv.AppendBool(b, !free)
	b = append(b, `,"pricing_model":"`...)
	if model == "cbp" {
		b = append(b, `CBP`...)
	} else {
		b = append(b, `PMP`...)
	}
	if model != "cbp" {
		if free {
			b = append(b, `","type":"free_customer_service`...)
		} else {
			b = append(b, `","type":"regular`...)
		}
	}
	b = append(b, `","category":"`...)
	b = append(b, l.category()...)
	return append(b, `"}`...)
}

// appendHex writes 32 hexadecimal digits made from two numbers.
func appendHex(b []byte, x, y uint64) []byte {
	const hex = "0123456789abcdef"
	for _, w := range [...]uint64{x, x*0x9e3779b97f4a7c15 + y} {
		for i := 60; i >= 0; i -= 4 {
			b = append(b, hex[w>>i&15])
		}
	}
	return b
}
