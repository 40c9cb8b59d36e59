package fakewa

import (
	"strconv"
	"unicode/utf8"

	"github.com/aftershock-dev/aftershock/fakewa/internal/tree"
)

// messageTypes lists every type of message: the field of the body is named like the type, and its rule checks it.
var messageTypes = map[string]func(*reader, tree.Node){
	"text":        (*reader).textMessage,
	"image":       func(r *reader, n tree.Node) { r.mediaMessage(n, "image", true) },
	"video":       func(r *reader, n tree.Node) { r.mediaMessage(n, "video", true) },
	"audio":       func(r *reader, n tree.Node) { r.mediaMessage(n, "audio", false) },
	"document":    func(r *reader, n tree.Node) { r.mediaMessage(n, "document", true) },
	"sticker":     func(r *reader, n tree.Node) { r.mediaMessage(n, "sticker", false) },
	"location":    (*reader).locationMessage,
	"contacts":    (*reader).contactsMessage,
	"reaction":    (*reader).reactionMessage,
	"interactive": (*reader).interactiveMessage,
	"template":    (*reader).templateMessage,
	"pin":         (*reader).pinMessage,
}

// undocumented is the most characters of a text for which Meta names no limit: what a body can hold.
const undocumented = maxBody

// text checks a string parameter, named as Meta names it (text['body']), and returns it.
func (r *reader) text(n tree.Node, param string, needed bool, most int) []byte {
	if !n.Exists() || n.Kind() == tree.String && len(n.Text()) == 0 {
		if needed {
			r.bad(required(param))
		}
		return nil
	}
	if n.Kind() != tree.String {
		r.bad(invalid("Param " + param + " must be a string."))
		return nil
	}
	b := n.Text()
	if len(b) > most && utf8.RuneCount(b) > most {
		r.bad(invalid("Param " + param + " must be at most " + strconv.Itoa(most) + " characters long."))
	}
	r.scan(b)
	return b
}

// object checks that a parameter is an object.
func (r *reader) object(n tree.Node, param string) bool {
	if n.Kind() != tree.Object {
		r.bad(invalid("Param " + param + " must be a JSON object."))
		return false
	}
	return true
}

// array checks that a parameter is an array.
func (r *reader) array(n tree.Node, param string) bool {
	if n.Kind() != tree.Array {
		r.bad(invalid("Param " + param + " must be an array."))
		return false
	}
	return true
}

func (r *reader) textMessage(n tree.Node) {
	if r.object(n, "text") {
		r.text(n.Get("body"), "text['body']", true, 4096)
	}
}

func (r *reader) mediaMessage(n tree.Node, kind string, caption bool) {
	if !r.object(n, kind) {
		return
	}
	r.media(n, kind, kind)
	if c := n.Get("caption"); c.Exists() {
		if caption {
			r.text(c, kind+"['caption']", false, 1024)
		} else {
			r.bad(invalid("Unexpected key \"caption\" on param \"" + kind + "\"."))
		}
	}
	if kind == "document" {
		r.text(n.Get("filename"), "document['filename']", false, undocumented)
	}
}

// media takes the id or the link of a media object.
func (r *reader) media(n tree.Node, kind, param string) {
	id, link := n.Get("id"), n.Get("link")
	switch {
	case id.Exists() && link.Exists():
		r.bad(invalid("Only one of " + param + "['id'] or " + param + "['link'] may be given."))
	case id.Exists():
		r.m.Media = append(r.m.Media, MediaUse{ID: string(id.Text()), Param: param + "['id']", Kind: kind})
	case link.Exists():
		b := link.Text()
		if !isURI(b) {
			r.bad(invalid("Param " + param + "['link'] is not a valid URI."))
			return
		}
		r.scanLink(b)
		r.m.Links = append(r.m.Links, string(b))
	default:
		r.bad(required(param + "['id'] or " + param + "['link']"))
	}
}

// isURI reports whether a link is http or https with a host and no white space.
func isURI(b []byte) bool {
	s := string(b)
	for _, scheme := range []string{"https://", "http://"} {
		if len(s) > len(scheme) && s[:len(scheme)] == scheme {
			rest := s[len(scheme):]
			if rest[0] == '/' || rest[0] == '?' || rest[0] == '#' || len(s) > 4096 {
				return false
			}
			for i := range len(rest) {
				if rest[i] <= ' ' || rest[i] == 0x7f {
					return false
				}
			}
			return true
		}
	}
	return false
}

func (r *reader) locationMessage(n tree.Node) {
	if !r.object(n, "location") {
		return
	}
	for _, c := range []struct {
		key  string
		most float64
	}{{"latitude", 90}, {"longitude", 180}} {
		v := n.Get(c.key)
		if !v.Exists() {
			r.bad(required("location['" + c.key + "']"))
			continue
		}
		if f, ok := v.Float(); !ok || f < -c.most || f > c.most {
			r.bad(invalid("Param location['" + c.key + "'] must be a number between -" + strconv.Itoa(int(c.most)) + " and " + strconv.Itoa(int(c.most)) + "."))
		}
	}
	r.text(n.Get("name"), "location['name']", false, undocumented)
	r.text(n.Get("address"), "location['address']", false, undocumented)
}

func (r *reader) contactsMessage(n tree.Node) {
	if !r.array(n, "contacts") {
		return
	}
	if n.Len() < 1 || n.Len() > 5 {
		r.bad(fail(131009, "Invalid contacts count. Min allowed contacts: 1, Max allowed contacts: 5"))
		return
	}
	i := 0
	for c := n.First(); c.Kind() != tree.Missing; c = c.Next() {
		param := "contacts[" + strconv.Itoa(i) + "]"
		i++
		if !r.object(c, param) {
			return
		}
		name := c.Get("name")
		if !name.Exists() {
			r.bad(required(param + "['name']"))
			return
		}
		r.text(name.Get("formatted_name"), param+"['name']['formatted_name']", true, undocumented)
	}
}

func (r *reader) reactionMessage(n tree.Node) {
	if !r.object(n, "reaction") {
		return
	}
	id := n.Get("message_id")
	if !id.Exists() {
		r.bad(required("reaction['message_id']"))
		return
	}
	r.m.Target = string(id.Text())
	if e := n.Get("emoji"); e.Kind() == tree.Missing {
		r.bad(required("reaction['emoji']"))
	} else if utf8.RuneCount(e.Text()) > 16 {
		r.bad(fail(131009, "Reaction emoji is not a single emoji"))
	}
}

func (r *reader) pinMessage(n tree.Node) {
	if !r.object(n, "pin") {
		return
	}
	if !r.m.Group {
		r.bad(invalid("Param type pin is supported for groups only."))
	}
	if !n.Get("message_id").Exists() {
		r.bad(required("pin['message_id']"))
	}
}
