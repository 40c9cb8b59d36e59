package fakewa

import (
	"encoding/binary"
	"time"
)

// An encoded entry is its length and then flags, status, names by number, times and strings. maxEntry bounds it.
const maxEntry = 4096

const (
	flagAccepted = 1 << iota
	flagMedia
	flagExpired
	flagProvider
)

// unanswered is the status of an accepted attempt whose client gave up before its answer.
const unanswered = "unanswered"

var statusNames = [...]string{"", "sent", "delivered", "read", "failed", unanswered}

// interner numbers the few names that many entries share: numbers, types, faults.
type interner struct {
	names []string
	index map[string]uint64
}

// maxNames bounds how many names are kept.
const maxNames = 1 << 16

func (n *interner) number(name string) uint64 {
	if name == "" {
		return 0
	}
	i, ok := n.index[name]
	if !ok && len(n.names) >= maxNames {
		return 0 // somebody makes names up: the entry goes without
	}
	if !ok {
		if n.index == nil {
			n.index = map[string]uint64{}
		}
		n.names = append(n.names, name)
		i = uint64(len(n.names))
		n.index[name] = i
	}
	return i
}

func (n *interner) name(i uint64) string {
	if i == 0 || i > uint64(len(n.names)) {
		return ""
	}
	return n.names[i-1]
}

func appendEntry(b []byte, e *Entry, names *interner) []byte {
	start := len(b)
	b = append(b, 0, 0)
	flags := byte(0)
	if e.Accepted {
		flags |= flagAccepted
	}
	if e.Media {
		flags |= flagMedia
	}
	if e.Expired {
		flags |= flagExpired
	}
	if e.Provider {
		flags |= flagProvider
	}
	status := byte(0)
	for i, s := range statusNames {
		if s == e.Status {
			status = byte(i)
		}
	}
	b = append(b, flags, status)
	b = binary.LittleEndian.AppendUint64(b, uint64(e.At.UnixNano()))
	b = binary.AppendVarint(b, int64(e.Done.Sub(e.At)))
	b = binary.LittleEndian.AppendUint64(b, e.Key)
	for _, v := range [...]uint64{uint64(e.Copy), uint64(e.Answered), uint64(e.Code), names.number(clip(e.Number, 64)), names.number(clip(e.Type, 32)), names.number(clip(e.Fault, 256))} {
		b = binary.AppendUvarint(b, v)
	}
	if e.Media {
		b = binary.AppendVarint(b, int64(e.Slack))
	}
	for _, s := range [...]string{clip(e.Message, maxMarker), clip(e.Callback, 4*maxCallback), clip(e.WAMID, 256), clip(e.To, 256), clip(e.Text, maxText)} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	binary.LittleEndian.PutUint16(b[start:], uint16(len(b)-start-2))
	return b
}

func clip(s string, most int) string { return s[:min(len(s), most)] }

// cutEntry splits the first entry off.
func cutEntry(b []byte) (rest, record []byte) {
	n := 2 + int(binary.LittleEndian.Uint16(b))
	return b[n:], b[2:n]
}

func readEntry(b []byte, seq int64, names *interner) Entry {
	e := Entry{Seq: seq, Accepted: b[0]&flagAccepted != 0, Media: b[0]&flagMedia != 0, Expired: b[0]&flagExpired != 0, Provider: b[0]&flagProvider != 0, Status: statusNames[b[1]]}
	e.At = time.Unix(0, int64(binary.LittleEndian.Uint64(b[2:])))
	b = b[10:]
	signed := func() int64 {
		v, n := binary.Varint(b)
		b = b[n:]
		return v
	}
	count := func() uint64 {
		v, n := binary.Uvarint(b)
		b = b[n:]
		return v
	}
	str := func() string {
		n := count()
		s := string(b[:n])
		b = b[n:]
		return s
	}
	e.Done = e.At.Add(time.Duration(signed()))
	e.Key = binary.LittleEndian.Uint64(b)
	b = b[8:]
	e.Copy, e.Answered, e.Code = int(count()), int(count()), int(count())
	e.Number, e.Type, e.Fault = names.name(count()), names.name(count()), names.name(count())
	if e.Media {
		e.Slack = time.Duration(signed())
	}
	e.Message, e.Callback, e.WAMID, e.To, e.Text = str(), str(), str(), str(), str()
	return e
}
