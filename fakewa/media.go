package fakewa

import (
	"strconv"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
)

// mediaItem is one media id.
type mediaItem struct {
	number  string
	at      time.Time
	inbound bool
	deleted bool
	content Content
}

// mediaStore knows every media id that was given out and not long expired.
type mediaStore struct {
	draw  chance.Source
	items map[string]*mediaItem
	order []string // ids, oldest first
	count uint64
	vault vault
}

func newMediaStore(s chance.Source) mediaStore {
	return mediaStore{draw: s, items: map[string]*mediaItem{}, vault: vault{blobs: map[[32]byte]*blob{}}}
}

// maxMedia bounds how many ids are remembered; beyond, the oldest are forgotten, as if they had never been.
const maxMedia = 1 << 20

// add stores content under a new id.
func (s *mediaStore) add(now time.Time, number string, inbound bool, c Content) string {
	s.count++
	id := strconv.FormatUint(1e15+s.draw.Bits(s.count)%9e15, 10)
	for s.items[id] != nil {
		s.count++
		id = strconv.FormatUint(1e15+s.draw.Bits(s.count)%9e15, 10)
	}
	s.vault.put(&c)
	c.Data = nil
	s.items[id] = &mediaItem{number: number, at: now, inbound: inbound, content: c}
	s.order = append(s.order, id)
	if len(s.order) > maxMedia {
		if old := s.items[s.order[0]]; !old.deleted {
			s.vault.drop(&old.content)
		}
		delete(s.items, s.order[0])
		s.order = s.order[1:]
	}
	return id
}

// life returns how long the item has still to live.
func (m *mediaItem) life(now time.Time, t terms) time.Duration {
	span := t.uploadLife
	if m.inbound {
		span = t.inboundLife
	}
	return span - now.Sub(m.at)
}

// find returns a living item.
func (s *mediaStore) find(now time.Time, id string, t terms) *mediaItem {
	m := s.items[id]
	if m == nil || m.deleted || m.life(now, t) <= 0 {
		return nil
	}
	return m
}

// useMedia checks the media ids of a message.
func (c *Core) useMedia(now time.Time, r *Request, d *Decision, h *hit) {
	for _, u := range r.Message.Media {
		m := c.media.items[u.ID]
		usable := m != nil && !m.deleted && m.number == r.Node
		if m != nil {
			life := m.life(now, h.terms)
			if !d.Media || life < d.Slack {
				d.Slack = life
			}
			d.Media = true
			if life <= 0 {
				usable, d.Expired = false, true
			}
		}
		if !usable && d.Err == nil {
			d.Err = invalid("Param " + u.Param + " is not a valid whatsapp business account media attachment ID")
		}
	}
}

func (c *Core) upload(now time.Time, r *Request, d *Decision) {
	id := c.media.add(now, r.Node, false, *r.Upload)
	d.Body = append(append([]byte(`{"id":"`), id...), `"}`...)
}

func (c *Core) metadata(now time.Time, r *Request, d *Decision, h *hit) {
	m := c.media.find(now, r.Node, h.terms)
	if m == nil || r.Number != "" && r.Number != m.number {
		d.Err = unknownObject("get", r.Node)
		return
	}
	size := strconv.FormatInt(m.content.Size, 10)
	if c.cfg.Media.FileSize == "string" {
		size = strconv.Quote(size)
	}
	b := append([]byte(nil), `{"messaging_product":"whatsapp","url":`...)
	b = appendString(b, r.Base+c.ticket(now, r.Node, h.terms), false)
	b = append(b, `,"mime_type":`...)
	b = appendString(b, m.content.MIME, false)
	b = append(b, `,"sha256":"`+m.content.hex()+`","file_size":`+size+`,"id":"`+r.Node+`"}`...)
	d.Body = b
}

// ticket returns path and query of a download URL: when it was issued, and a check over id and instant.
func (c *Core) ticket(now time.Time, id string, t terms) string {
	at := now.UnixNano()
	return "/whatsapp_business/attachments/?mid=" + id + "&ext=" + strconv.FormatInt(now.Add(t.urlLife).Unix(), 10) +
		"&hash=" + strconv.FormatUint(uint64(at), 36) + "-" + strconv.FormatUint(c.draw.check.Bits(uint64(at), chance.Key(id)), 36)
}

// download checks a URL's ticket and gives out the content.
func (c *Core) download(now time.Time, r *Request, d *Decision, h *hit) {
	if c.cfg.Media.Download == "required" {
		if d.Err = c.access.token(now, r, &c.cfg); d.Err != nil {
			d.Err.status = 401
			return
		}
	}
	issued, sum, ok := cutTicket(r.Ticket)
	m := c.media.find(now, r.Node, h.terms)
	if !ok || m == nil || sum != c.draw.check.Bits(issued, chance.Key(r.Node)) || now.UnixNano()-int64(issued) >= int64(h.terms.urlLife) {
		d.Expired = ok && m != nil
		d.Err = &apiError{status: 404, code: 404, kind: oauth, message: "Not Found"}
		return
	}
	content := m.content
	if content.Data = c.media.vault.get(&content); content.Data == nil && content.Size > 0 {
		d.Err = &apiError{status: 404, code: 404, kind: oauth, message: "Not Found"}
		return
	}
	d.Content = &content
}

func cutTicket(s string) (issued, sum uint64, ok bool) {
	for i := range len(s) {
		if s[i] != '-' {
			continue
		}
		a, err1 := strconv.ParseUint(s[:i], 36, 64)
		b, err2 := strconv.ParseUint(s[i+1:], 36, 64)
		return a, b, err1 == nil && err2 == nil
	}
	return 0, 0, false
}

func (c *Core) remove(now time.Time, r *Request, d *Decision, h *hit) {
	m := c.media.find(now, r.Node, h.terms)
	if m == nil || r.Number != "" && r.Number != m.number {
		d.Err = unknownObject("delete", r.Node)
		return
	}
	c.media.vault.drop(&m.content)
	m.deleted, m.content = true, Content{}
	d.Body = []byte(`{"success":true}`)
}
