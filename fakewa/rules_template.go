package fakewa

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/aftershock-dev/aftershock/fakewa/internal/tree"
)

func (r *reader) templateMessage(n tree.Node) {
	if !r.object(n, "template") {
		return
	}
	use := &TemplateUse{Name: string(r.text(n.Get("name"), "template['name']", true, 512))}
	r.m.Template = use
	lang := n.Get("language")
	if !lang.Exists() {
		r.bad(required("template['language']"))
	}
	use.Language = string(r.text(lang.Get("code"), "template['language']['code']", lang.Exists(), 16))
	list := n.Get("components")
	if !list.Exists() {
		return
	}
	if !r.array(list, "template['components']") {
		return
	}
	i := 0
	for c := list.First(); c.Kind() != tree.Missing; c = c.Next() {
		r.component(use, c, "template['components']["+strconv.Itoa(i)+"]", list.Len() == 1)
		i++
	}
	if use.Buttons > 10 {
		r.bad(fail(132000, "Number of buttons is above 10"))
	}
}

func (r *reader) component(use *TemplateUse, c tree.Node, param string, only bool) {
	if !r.object(c, param) {
		return
	}
	kind := string(bytes.ToLower(c.Get("type").Text()))
	params := c.Get("parameters")
	if params.Exists() && !r.array(params, param+"['parameters']") {
		return
	}
	switch kind {
	case "header":
		use.HeaderCount += params.Len()
	case "body":
		use.Body += params.Len()
	case "button":
		use.Buttons++
		if !c.Get("sub_type").Exists() {
			r.bad(required(param + "['sub_type']"))
		}
		if at, err := strconv.Atoi(string(c.Get("index").Text())); err != nil || at < 0 || at > 9 {
			r.bad(invalid("Param " + param + "['index'] must be a number between 0 and 9."))
		}
	case "footer", "carousel", "limited_time_offer", "order_status", "call_permission_request", "tap_target_configuration":
	default:
		r.bad(invalid(`Param ` + param + `['type'] must be one of {BODY, BUTTON, CAROUSEL, FOOTER, HEADER, LIMITED_TIME_OFFER, ORDER_STATUS} - got "` + kind + `".`))
		return
	}
	i := 0
	for p := params.First(); p.Kind() != tree.Missing; p = p.Next() {
		r.parameter(use, p, param+"['parameters']["+strconv.Itoa(i)+"]", kind, only)
		i++
	}
}

func (r *reader) parameter(use *TemplateUse, p tree.Node, param, component string, only bool) {
	if !r.object(p, param) {
		return
	}
	t := string(bytes.ToLower(p.Get("type").Text()))
	if component == "header" {
		use.Header = t
	}
	if name := p.Get("parameter_name"); name.Exists() && component == "body" {
		use.Named = append(use.Named, string(name.Text()))
	}
	switch t {
	case "text":
		text := p.Get("text")
		most := 1024
		if only && component == "body" {
			most = 32768
		}
		if component == "header" {
			most = 60
		}
		if !text.Exists() {
			r.bad(required(param + "['text']"))
			return
		}
		if utf8.RuneCount(text.Text()) > most {
			r.bad(fail(132005, "Parameter text is above "+strconv.Itoa(most)+" characters"))
		}
		if badWhiteSpace(text.Text()) {
			r.bad(fail(100, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"))
		}
		r.scan(text.Text())
	case "image", "video", "document":
		if !p.Get(t).Exists() {
			r.bad(required(param + "['" + t + "']"))
			return
		}
		r.media(p.Get(t), t, param+"['"+t+"']")
		r.scan(p.Get(t).Get("filename").Text())
	case "currency", "date_time":
		if !p.Get(t).Get("fallback_value").Exists() {
			r.bad(required(param + "['" + t + "']['fallback_value']"))
		}
	case "payload":
		if v := p.Get("payload"); !v.Exists() {
			r.bad(required(param + "['payload']"))
		} else {
			r.scan(v.Text())
		}
	case "location", "action", "coupon_code", "limited_time_offer", "product", "order_status", "order_details", "ttl_minutes":
	default:
		r.bad(fail(132012, "Unknown parameter type '"+t+"'"))
	}
}

// badWhiteSpace reports what a template's parameter must not hold.
func badWhiteSpace(b []byte) bool {
	return bytes.ContainsAny(b, "\n\t\r") || bytes.Contains(b, []byte("     "))
}
