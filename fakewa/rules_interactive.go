package fakewa

import (
	"strconv"
	"unicode/utf8"

	"github.com/aftershock-dev/aftershock/fakewa/internal/tree"
)

// interactiveTypes lists the kinds of interactive message. Those whose content Meta documents without limits are
// checked for what every interactive message needs, and no further.
var interactiveTypes = map[string]func(*reader, tree.Node){
	"button":                   (*reader).buttons,
	"list":                     (*reader).list,
	"cta_url":                  (*reader).callToAction,
	"location_request_message": func(r *reader, n tree.Node) { r.named(n, "send_location") },
	"flow":                     (*reader).flow,
	"carousel":                 (*reader).carousel,
	"product":                  func(*reader, tree.Node) {},
	"product_list":             func(*reader, tree.Node) {},
	"catalog_message":          func(*reader, tree.Node) {},
	"order_details":            func(*reader, tree.Node) {},
	"order_status":             func(*reader, tree.Node) {},
	"address_message":          func(*reader, tree.Node) {},
	"call_permission_request":  func(*reader, tree.Node) {},
	"voice_call":               func(*reader, tree.Node) {},
}

func (r *reader) interactiveMessage(n tree.Node) {
	if !r.object(n, "interactive") {
		return
	}
	kind := string(n.Get("type").Text())
	if kind == "" {
		r.bad(required("interactive['type']"))
		return
	}
	rule, ok := interactiveTypes[kind]
	if !ok {
		r.bad(invalid(`Param interactive['type'] must be one of {ADDRESS_MESSAGE, BUTTON, CALL_PERMISSION_REQUEST, CAROUSEL, CATALOG_MESSAGE, CTA_URL, FLOW, LIST, LOCATION_REQUEST_MESSAGE, ORDER_DETAILS, ORDER_STATUS, PRODUCT, PRODUCT_LIST, VOICE_CALL} - got "` + kind + `".`))
		return
	}
	r.interactiveBody(n, kind)
	r.interactiveHeader(n, kind)
	if f := n.Get("footer"); f.Exists() {
		r.text(f.Get("text"), "interactive['footer']['text']", true, 60)
	}
	action := n.Get("action")
	if !action.Exists() {
		r.bad(required("interactive['action']"))
		return
	}
	if r.object(action, "interactive['action']") {
		rule(r, action)
	}
}

func (r *reader) interactiveBody(n tree.Node, kind string) {
	most := 1024
	if kind == "list" {
		most = r.listBody
	}
	text := n.Get("body").Get("text")
	switch {
	case !text.Exists():
		if kind != "product" && kind != "call_permission_request" {
			r.bad(required("interactive['body']['text']"))
		}
		return
	case text.Kind() != tree.String:
		r.bad(invalid("Param interactive['body']['text'] must be a string."))
		return
	}
	if l := utf8.RuneCount(text.Text()); l < 1 || l > most {
		r.bad(fail(131009, "Body text length invalid. Min length: 1, Max length: "+strconv.Itoa(most)))
	}
	r.scan(text.Text())
}

func (r *reader) interactiveHeader(n tree.Node, kind string) {
	h := n.Get("header")
	if !h.Exists() {
		return
	}
	t := string(h.Get("type").Text())
	switch t {
	case "text":
		text := h.Get("text")
		if l := utf8.RuneCount(text.Text()); l < 1 || l > 60 {
			r.bad(fail(131009, "Header text length invalid. Min length: 1, Max length: 60"))
		}
	case "image", "video", "document":
		if kind == "list" || kind == "product_list" {
			r.bad(fail(131009, "Invalid header type. Allowed header types: text"))
			return
		}
		m := h.Get(t)
		if !m.Exists() {
			r.bad(required("interactive['header']['" + t + "']"))
			return
		}
		r.media(m, t, "interactive['header']['"+t+"']")
	default:
		r.bad(invalid(`Param interactive['header']['type'] must be one of {DOCUMENT, IMAGE, TEXT, VIDEO} - got "` + t + `".`))
	}
}

func (r *reader) buttons(action tree.Node) {
	list := action.Get("buttons")
	if list.Kind() != tree.Array || list.Len() < 1 || list.Len() > 3 {
		r.bad(fail(131009, "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3"))
		return
	}
	titles := map[string]bool{}
	i := 0
	for b := list.First(); b.Kind() != tree.Missing; b = b.Next() {
		param := "interactive['action']['buttons'][" + strconv.Itoa(i) + "]"
		i++
		if t := string(b.Get("type").Text()); t != "reply" {
			r.bad(invalid(`Param ` + param + `['type'] must be one of {REPLY} - got "` + t + `".`))
			return
		}
		id, title := b.Get("reply").Get("id").Text(), b.Get("reply").Get("title").Text()
		if l := utf8.RuneCount(title); l < 1 || l > 20 {
			r.bad(fail(131009, "Button title length invalid. Min length: 1, Max length: 20"))
		}
		if l := utf8.RuneCount(id); l < 1 || l > 256 {
			r.bad(fail(131009, "Button id length invalid. Min length: 1, Max length: 256"))
		} else if id[0] == ' ' || id[len(id)-1] == ' ' {
			r.bad(fail(131009, "Button id cannot have leading or trailing spaces"))
		}
		if titles[string(title)] {
			r.bad(fail(131009, "Duplicated button title: '"+string(title)+"'"))
		}
		titles[string(title)] = true
	}
}

func (r *reader) list(action tree.Node) {
	if l := utf8.RuneCount(action.Get("button").Text()); l < 1 || l > 20 {
		r.bad(fail(131009, "Button label length invalid. Min length: 1, Max length: 20"))
	}
	sections := action.Get("sections")
	if sections.Kind() != tree.Array || sections.Len() < 1 || sections.Len() > 10 {
		r.bad(fail(131009, "Invalid sections count. Min allowed sections: 1, Max allowed sections: 10"))
		return
	}
	rows, ids := 0, map[string]bool{}
	for s := sections.First(); s.Kind() != tree.Missing; s = s.Next() {
		title := utf8.RuneCount(s.Get("title").Text())
		if title > 24 {
			r.bad(fail(131009, "Section title is too long. Max length: 24"))
		}
		if title == 0 && sections.Len() > 1 {
			r.bad(fail(131009, "Section title is required when there is more than one section"))
		}
		for row := s.Get("rows").First(); row.Kind() != tree.Missing; row = row.Next() {
			rows++
			id := row.Get("id").Text()
			if l := utf8.RuneCount(id); l < 1 || l > 200 {
				r.bad(fail(131009, "Row id length invalid. Min length: 1, Max length: 200"))
			}
			if l := utf8.RuneCount(row.Get("title").Text()); l < 1 || l > 24 {
				r.bad(fail(131009, "Row title length invalid. Min length: 1, Max length: 24"))
			}
			if utf8.RuneCount(row.Get("description").Text()) > 72 {
				r.bad(fail(131009, "Row description is too long. Max length: 72"))
			}
			if ids[string(id)] {
				r.bad(fail(131009, "Duplicated row id: '"+string(id)+"'"))
			}
			ids[string(id)] = true
		}
	}
	if rows < 1 || rows > 10 {
		r.bad(fail(131009, "Total row count exceed max allowed count: 10"))
	}
}

// named checks that an action has the name its kind prescribes.
func (r *reader) named(action tree.Node, name string) bool {
	if got := string(action.Get("name").Text()); got != name {
		r.bad(invalid(`Param interactive['action']['name'] must be one of {` + name + `} - got "` + got + `".`))
		return false
	}
	return true
}

func (r *reader) callToAction(action tree.Node) {
	if !r.named(action, "cta_url") {
		return
	}
	p := action.Get("parameters")
	if l := utf8.RuneCount(p.Get("display_text").Text()); l < 1 || l > 20 {
		r.bad(fail(131009, "Button display text length invalid. Min length: 1, Max length: 20"))
	}
	url := p.Get("url")
	if !url.Exists() {
		r.bad(required("interactive['action']['parameters']['url']"))
	} else if !isURI(url.Text()) {
		r.bad(invalid("Param interactive['action']['parameters']['url'] is not a valid URI."))
	}
}

func (r *reader) flow(action tree.Node) {
	if !r.named(action, "flow") {
		return
	}
	p := action.Get("parameters")
	const param = "interactive['action']['parameters']"
	if v := string(p.Get("flow_message_version").Text()); v == "" {
		r.bad(required(param + "['flow_message_version']"))
	} else if v != "3" {
		r.bad(fail(131009, "Unsupported flow_message_version: "+v))
	}
	if p.Get("flow_id").Exists() == p.Get("flow_name").Exists() {
		r.bad(fail(131009, "Exactly one of flow_id and flow_name is required"))
	}
	if len(p.Get("flow_cta").Text()) == 0 {
		r.bad(required(param + "['flow_cta']"))
	}
}

func (r *reader) carousel(action tree.Node) {
	cards := action.Get("cards")
	if cards.Kind() != tree.Array || cards.Len() < 2 || cards.Len() > 10 {
		r.bad(fail(131009, "Invalid cards count. Min allowed cards: 2, Max allowed cards: 10"))
		return
	}
	seen := map[int]bool{}
	i := 0
	for c := cards.First(); c.Kind() != tree.Missing; c = c.Next() {
		param := "interactive['action']['cards'][" + strconv.Itoa(i) + "]"
		i++
		at, err := strconv.Atoi(string(c.Get("card_index").Text()))
		if err != nil || at < 0 || at > 9 || seen[at] {
			r.bad(fail(131009, "Invalid card_index. Min: 0, Max: 9, each at most once"))
		}
		seen[at] = true
		if utf8.RuneCount(c.Get("body").Get("text").Text()) > 160 {
			r.bad(fail(131009, "Card body text length invalid. Max length: 160"))
		}
		h := c.Get("header")
		if t := string(h.Get("type").Text()); t == "image" || t == "video" {
			r.media(h.Get(t), t, param+"['header']['"+t+"']")
		} else {
			r.bad(fail(131009, "Invalid card header type. Allowed header types: image, video"))
		}
	}
}
