package record

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
)

// Digest is one number for everything that happened to the messages: a SHA-256 over the rows in the order of their
// IDs, each with its outcome, its copies and their causes, and the instants of acceptance and delivery. Two runs of
// one seed have the same digest.
func Digest(messages []Message) string {
	ms := slices.Clone(messages)
	sortByID(ms)
	h := sha256.New()
	var b []byte
	for i := range ms {
		m := &ms[i]
		b = append(b[:0], m.ID...)
		b = append(append(b, ' '), m.Outcome...)
		for _, n := range []int64{int64(m.Copies), int64(m.API), int64(m.Tries), int64(m.Accepted), int64(m.Delivered)} {
			b = strconv.AppendInt(append(b, ' '), n, 10)
		}
		for _, c := range m.Causes {
			b = append(append(b, ' '), c...)
		}
		h.Write(append(b, '\n'))
	}
	return hex.EncodeToString(h.Sum(nil))
}
