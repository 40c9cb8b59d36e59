package fakewa

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// isNumber reports whether an id stands for a business number: a configured one, or where none are configured, one
// that was used as a number or is asked for a number's fields.
func (c *Core) isNumber(id string, fields bool) bool {
	if c.media.items[id] != nil {
		return false
	}
	if len(c.access.numbers) > 0 {
		_, ok := c.access.numbers[id]
		return ok
	}
	return c.access.used[id] || fields && digits(id)
}

// manage decides the management calls.
func (c *Core) manage(now time.Time, r *Request, d *Decision) {
	account := r.Node
	if n, ok := c.access.number(r.Node); ok {
		account = n.WABA
	}
	if wait := c.limits.call(now, account, c.cfg.Limits.Management); wait > 0 {
		d.Err, d.Wait = throttled(80007, &c.cfg), wait
		return
	}
	switch r.Endpoint {
	case NumberInfo:
		n, _ := c.access.number(r.Node)
		d.Body = c.appendNumber(nil, n, r.Fields)
	case PhoneNumbers:
		b := []byte(`{"data":[`)
		for i, id := range slices.Sorted(maps.Keys(c.access.numbers)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = c.appendNumber(b, c.access.numbers[id], r.Fields)
		}
		if len(c.access.numbers) == 0 {
			n, _ := c.access.number(c.access.anyNumber())
			b = c.appendNumber(b, n, r.Fields)
		}
		d.Body = append(b, `],"paging":{"cursors":{"before":"QVFI","after":"QVFI"}}}`...)
	case TemplateList:
		d.Body = c.appendTemplates()
	case Subscriptions:
		if r.Method == "GET" {
			d.Body = c.access.appendSubscription(r.Node)
			return
		}
		c.access.override(r.Node, r.Override)
		d.Body = []byte(`{"success":true}`)
	case NumberSet:
		c.access.override(r.Node, r.Override)
		d.Body = []byte(`{"success":true}`)
	case History:
		d.Body = r.Page
	default:
		d.Err = unknownObject(strings.ToLower(r.Method), r.Node)
	}
}

// numberFields lists what a number tells of itself, in the order in which it tells it.
var numberFields = []string{"verified_name", "code_verification_status", "display_phone_number", "quality_rating", "platform_type", "throughput",
	"whatsapp_business_manager_messaging_limit", "webhook_configuration", "health_status", "name_status", "status", "account_mode"}

// defaultFields are told when no fields are asked for.
var defaultFields = []string{"verified_name", "code_verification_status", "display_phone_number", "quality_rating", "platform_type", "throughput", "webhook_configuration"}

func (c *Core) appendNumber(b []byte, n Number, fields string) []byte {
	want := defaultFields
	if fields != "" {
		want = strings.Split(fields, ",")
	}
	b = append(b, '{')
	for _, f := range numberFields {
		if !slices.ContainsFunc(want, func(w string) bool {
			w, _, _ = strings.Cut(strings.TrimSpace(w), "{")
			return w == f || f == "throughput" && w == "throughput.level"
		}) {
			continue
		}
		b = append(b, `"`+f+`":`...)
		b = c.appendField(b, n, f)
		b = append(b, ',')
	}
	return append(b, `"id":"`+n.ID+`"}`...)
}

func (c *Core) appendField(b []byte, n Number, field string) []byte {
	switch field {
	case "verified_name":
		return appendString(b, n.Name, false)
	case "display_phone_number":
		return appendString(b, n.Display, false)
	case "code_verification_status":
		return append(b, `"VERIFIED"`...)
	case "quality_rating":
		return append(b, `"GREEN"`...)
	case "platform_type":
		return append(b, `"CLOUD_API"`...)
	case "throughput":
		return append(b, `{"level":"`+n.Level+`"}`...)
	case "whatsapp_business_manager_messaging_limit":
		return append(b, `"`+tierName(c.cfg.Limits.Tier)+`"`...)
	case "health_status":
		return append(b, `{"can_send_message":"AVAILABLE","entities":[{"entity_type":"PHONE_NUMBER","id":"`+n.ID+`","can_send_message":"AVAILABLE"},{"entity_type":"WABA","id":"`+n.WABA+`","can_send_message":"AVAILABLE"}]}`...)
	case "webhook_configuration":
		b = append(b, '{')
		if url := c.access.overrides[n.ID]; url != "" {
			b = append(appendString(append(b, `"phone_number":`...), url, false), ',')
		}
		return append(appendString(append(b, `"application":`...), c.access.app, false), '}')
	case "name_status":
		return append(b, `"APPROVED"`...)
	case "status":
		return append(b, `"CONNECTED"`...)
	}
	return append(b, `"LIVE"`...)
}

func tierName(most int) string {
	switch {
	case most <= 0:
		return "TIER_UNLIMITED"
	case most <= 250:
		return "TIER_250"
	case most <= 2000:
		return "TIER_2K"
	case most <= 10000:
		return "TIER_10K"
	}
	return "TIER_100K"
}

func (c *Core) appendTemplates() []byte {
	b := []byte(`{"data":[`)
	for i, key := range slices.Sorted(maps.Keys(c.access.templates)) {
		t := c.access.templates[key]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(append(b, `{"name":`...), t.Name, false)
		b = appendString(append(b, `,"language":`...), t.Language, false)
		b = append(b, `,"status":"`+t.Status+`","category":"`+t.Category+`","components":[`...)
		if t.Header != "" {
			switch t.Header {
			case "IMAGE", "VIDEO", "DOCUMENT", "LOCATION":
				b = append(b, `{"type":"HEADER","format":"`+t.Header+`"},`...)
			default:
				b = append(appendString(append(b, `{"type":"HEADER","format":"TEXT","text":`...), t.Header, false), `},`...)
			}
		}
		b = append(appendString(append(b, `{"type":"BODY","text":`...), t.Body, false), `}],"id":"`...)
		b = append(b, itoa(int64(1e15+c.draw.media.Bits(uint64(len(key)), hash(7, []byte(key)))%9e15))...)
		b = append(b, `"}`...)
	}
	return append(b, `],"paging":{"cursors":{"before":"MAZDZD","after":"MjQZD"}}}`...)
}

// configure takes up changed settings.
func (c *Core) configure(now time.Time, cfg Config) {
	c.cfg = cfg
	c.access.configure(cfg, now)
}
