package fakewa

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/aftershock-dev/aftershock/fakewa/internal/tree"
	"github.com/aftershock-dev/aftershock/internal/chance"
)

// Message is the body of a send as the fake understands it, or of a mark-as-read.
type Message struct {
	To       string // as written
	WAID     string // digits only
	Group    bool
	BSUID    string // addressed by a business-scoped user id
	Type     string
	Callback string // biz_opaque_callback_data
	Marker   string // found in the text, caption, file name, link or template parameters
	Media    []MediaUse
	Links    []string
	Text     string // body or caption as far as the ledger keeps it: what stands around the marker, or the beginning
	Template *TemplateUse
	Target   string // message id of a reaction or of a mark-as-read
	Read     bool   // mark as read

	Content uint64 // hash of recipient and content, for messages that carry neither callback nor marker
	raw     []byte // the content, while the request lasts
	problem *apiError
}

// MediaUse is a media id in a message and the name of the parameter that holds it.
type MediaUse struct {
	ID, Param, Kind string
}

// TemplateUse is a template as a message asks for it.
type TemplateUse struct {
	Name, Language string
	Header         string // kind of the header's parameter: text, image, video, document, location
	HeaderCount    int
	Body           int // parameters
	Named          []string
	Buttons        int
}

// reader turns a body into a Message, keeping the first problem it meets.
type reader struct {
	m        *Message
	listBody int
}

func (r *reader) bad(e *apiError) {
	if r.m.problem == nil {
		r.m.problem = e
	}
}

// readMessage understands a body; what is wrong with it is kept in the message, because an answer to a wrong token
// comes before an answer to a wrong body.
func readMessage(m *Message, root tree.Node, listBody int) {
	r := &reader{m: m, listBody: listBody}
	if root.Kind() != tree.Object {
		r.bad(required("messaging_product"))
		return
	}
	switch p := root.Get("messaging_product"); {
	case !p.Exists():
		r.bad(required("messaging_product"))
	case string(p.Text()) != "whatsapp":
		r.bad(invalid(`Param messaging_product must be one of {WHATSAPP} - got "` + string(p.Text()) + `".`))
	}
	if status := root.Get("status"); status.Exists() && !root.Get("to").Exists() {
		r.markRead(root, status)
		return
	}
	r.recipient(root)
	r.callback(root)
	r.context(root)
	r.m.Type = "text"
	rule := messageTypes["text"]
	if t := root.Get("type"); t.Exists() {
		rule = messageTypes[string(t.Text())]
		r.m.Type = typeName(t.Text())
	}
	if rule == nil {
		r.bad(invalid(`Param type must be one of {AUDIO, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, PIN, REACTION, STICKER, TEMPLATE, TEXT, VIDEO} - got "` + r.m.Type + `".`))
		return
	}
	content := root.Get(r.m.Type)
	r.m.Content = hash(hash(chance.Key(r.m.WAID), []byte(r.m.Type)), content.Raw())
	r.m.raw = content.Raw()
	if !content.Exists() {
		r.bad(fail(131008, "Parameter of type "+r.m.Type+" is missing in the request"))
		return
	}
	rule(r, content)
}

// typeName is a type's name without a copy of it where the type is one of the common ones.
func typeName(b []byte) string {
	for _, name := range [...]string{"text", "image", "document", "template", "audio", "video", "interactive"} {
		if string(b) == name {
			return name
		}
	}
	return string(b)
}

func (r *reader) markRead(root, status tree.Node) {
	r.m.Read = true
	r.m.Type = "read"
	if string(status.Text()) != "read" {
		r.bad(invalid(`Param status must be one of {READ} - got "` + string(status.Text()) + `".`))
	}
	id := root.Get("message_id")
	if !id.Exists() {
		r.bad(required("message_id"))
	}
	r.m.Target = string(id.Text())
	if typing := root.Get("typing_indicator"); typing.Exists() {
		if string(typing.Get("type").Text()) != "text" {
			r.bad(invalid(`Param typing_indicator['type'] must be one of {TEXT} - got "` + string(typing.Get("type").Text()) + `".`))
		}
	}
}

func (r *reader) recipient(root tree.Node) {
	switch t := string(root.Get("recipient_type").Text()); t {
	case "", "individual":
	case "group":
		r.m.Group = true
	default:
		r.bad(invalid(`Param recipient_type must be one of {GROUP, INDIVIDUAL} - got "` + t + `".`))
	}
	to := root.Get("to")
	if !to.Exists() || len(to.Text()) == 0 {
		if user := root.Get("recipient"); user.Exists() {
			r.m.BSUID = string(user.Text())
			r.m.To, r.m.WAID = r.m.BSUID, r.m.BSUID
			return
		}
		r.bad(required("to"))
		return
	}
	r.m.To = string(to.Text())
	if r.m.Group {
		r.m.WAID = r.m.To
		return
	}
	r.m.WAID = phone(r.m.To)
	if n := len(r.m.WAID); n < 5 || n > 20 {
		r.m.WAID = r.m.To
		r.bad(fail(131009, "Recipient phone number is not valid"))
	}
}

// phone keeps the digits of a phone number; "" when there is anything in it that no phone number has.
func phone(to string) string {
	if digits(to) {
		return to
	}
	var b [24]byte
	out := b[:0]
	for i := range len(to) {
		switch c := to[i]; {
		case c >= '0' && c <= '9':
			out = append(out, c)
		case c == '+' || c == '-' || c == '(' || c == ')' || c == ' ':
		default:
			return ""
		}
		if len(out) > 20 {
			return ""
		}
	}
	return string(out)
}

const maxCallback = 512

func (r *reader) callback(root tree.Node) {
	n := root.Get("biz_opaque_callback_data")
	if !n.Exists() {
		return
	}
	if n.Kind() != tree.String {
		r.bad(invalid("Param biz_opaque_callback_data must be a string."))
		return
	}
	if utf8.RuneCount(n.Text()) > maxCallback {
		r.bad(invalid("Param biz_opaque_callback_data must be at most 512 characters long."))
		return
	}
	r.m.Callback = string(n.Text())
}

func (r *reader) context(root tree.Node) {
	n := root.Get("context")
	if !n.Exists() {
		return
	}
	if n.Kind() != tree.Object {
		r.bad(invalid("Param context must be an object."))
	} else if !n.Get("message_id").Exists() {
		r.bad(required("context['message_id']"))
	} else if string(root.Get("type").Text()) == "reaction" {
		r.bad(fail(131009, "Reaction messages cannot be sent as a reply"))
	}
}

// scan looks for a marker in a text, [ref:ID] or what a sender has made of it, and keeps what stands around it.
func (r *reader) scan(text []byte) {
	if r.m.Marker != "" {
		return
	}
	const open = "[ref:"
	i := bytes.Index(text, []byte(open))
	if i >= 0 {
		rest := text[i+len(open):]
		if end := bytes.IndexByte(rest, ']'); end > 0 && end <= maxMarker {
			r.m.Marker, r.m.Text = string(bytes.Trim(rest[:end], " \\")), excerpt(text, i-maxText*3/4)
			return
		}
	}
	r.m.Marker = rewritten(text)
	if r.m.Text == "" || r.m.Marker != "" {
		r.m.Text = excerpt(text, 0)
	}
}

// maxText bounds what the ledger keeps of a text.
const maxText = 160

// excerpt is the part of a text that begins near from.
func excerpt(text []byte, from int) string {
	text = text[max(0, min(from, len(text)-maxText)):]
	return strings.ToValidUTF8(string(text[:min(len(text), maxText)]), "")
}

// scanLink looks for a marker in a link's query: ref=ID.
func (r *reader) scanLink(link []byte) {
	if r.m.Marker != "" {
		return
	}
	for i := 0; i < len(link); {
		at := bytes.Index(link[i:], []byte("ref="))
		if at < 0 {
			return
		}
		at += i
		if at > 0 && (link[at-1] == '?' || link[at-1] == '&') {
			rest := link[at+4:]
			if end := bytes.IndexAny(rest, "&#"); end >= 0 {
				rest = rest[:end]
			}
			if len(rest) > 0 && len(rest) <= maxMarker {
				r.m.Marker = string(rest)
			}
			return
		}
		i = at + 4
	}
}

const maxMarker = 128

// hash folds bytes into h, eight at a time.
func hash(h uint64, b []byte) uint64 {
	for len(b) >= 8 {
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		h = (h ^ w) * 0x9e3779b97f4a7c15
		h ^= h >> 29
		b = b[8:]
	}
	for _, c := range b {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	h ^= h >> 32
	return h * 0xd6e8feb86659fd93
}
