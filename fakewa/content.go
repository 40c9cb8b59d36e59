package fakewa

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// Content is what was uploaded, or what a user sent.
type Content struct {
	MIME string
	Name string
	Size int64
	Sum  [sha256.Size]byte
	Data []byte // nil once it is stored
}

// NewContent returns content with its size and checksum.
func NewContent(mime, name string, data []byte) Content {
	return Content{MIME: mime, Name: name, Size: int64(len(data)), Sum: sha256.Sum256(data), Data: data}
}

// hex is the checksum as metadata tells it, sum64 as webhooks do.
func (c *Content) hex() string   { return hex.EncodeToString(c.Sum[:]) }
func (c *Content) sum64() string { return base64.StdEncoding.EncodeToString(c.Sum[:]) }

// vault keeps contents, each once, the newest in memory and the rest on disk.
type vault struct {
	keep  int64 // bytes in memory at most
	held  int64
	blobs map[[sha256.Size]byte]*blob
	order [][sha256.Size]byte // those in memory, oldest first
	file  spill
}

type blob struct {
	data []byte // nil when it is on disk
	at   int64
	size int
	ids  int // media ids that stand for it
}

func (v *vault) put(c *Content) {
	if b := v.blobs[c.Sum]; b != nil {
		b.ids++
		return
	}
	v.blobs[c.Sum] = &blob{data: c.Data, size: len(c.Data), ids: 1}
	v.order = append(v.order, c.Sum)
	v.held += int64(len(c.Data))
	for v.held > v.keep && len(v.order) > 0 {
		b := v.blobs[v.order[0]]
		v.order = v.order[1:]
		if b == nil || b.data == nil {
			continue
		}
		at, err := v.file.write(b.data)
		if err != nil {
			b.size = -1 // gone: a download finds nothing
		}
		b.at = at
		v.held -= int64(len(b.data))
		b.data = nil
	}
}

// get returns the bytes of content, nil when they are gone.
func (v *vault) get(c *Content) []byte {
	b := v.blobs[c.Sum]
	if b == nil || b.size < 0 {
		return nil
	}
	if b.data != nil || b.size == 0 {
		return b.data
	}
	data, err := v.file.read(b.at, b.size)
	if err != nil {
		return nil
	}
	return data
}

// drop forgets one id's use of content.
func (v *vault) drop(c *Content) {
	b := v.blobs[c.Sum]
	if b == nil {
		return
	}
	if b.ids--; b.ids == 0 {
		v.held -= int64(len(b.data))
		delete(v.blobs, c.Sum)
	}
}
