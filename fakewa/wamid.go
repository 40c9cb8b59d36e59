package fakewa

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/aftershock-dev/aftershock/internal/chance"
)

// Message ids have the real form: base64 of 1C 18 <len> <wa_id> 15 02 00 <dir> 18 <n> <n upper-case hex> 00. The hex
// is 72 bits: 64 that name the message and 8 that check them, so an id can be recognised without remembering it.
const (
	toUser   = 0x11
	fromUser = 0x12
)

func wamid(id chance.Source, waID string, dir byte, unique uint64) string {
	n := 9
	if dir == fromUser {
		n = 10
	}
	var hex [20]byte
	var raw [10]byte
	binary.BigEndian.PutUint64(raw[n-9:], unique)
	raw[n-1] = check(id, waID, unique)
	if dir == fromUser {
		raw[0] = 0x3a
	}
	const digit = "0123456789ABCDEF"
	for i, c := range raw[:n] {
		hex[2*i], hex[2*i+1] = digit[c>>4], digit[c&15]
	}
	var plain [128]byte
	b := append(plain[:0], 0x1c, 0x18, byte(len(waID)))
	b = append(b, waID...)
	b = append(b, 0x15, 0x02, 0x00, dir, 0x18, byte(2*n))
	b = append(b, hex[:2*n]...)
	b = append(b, 0)
	var text [192]byte
	return string(base64.StdEncoding.AppendEncode(append(text[:0], "wamid."...), b))
}

func check(id chance.Source, waID string, unique uint64) byte {
	return byte(id.Bits(unique, chance.Key(waID)))
}

// knownWamid reports whether the fake may have issued this id, and in which direction.
func knownWamid(id chance.Source, s string) (dir byte, ok bool) {
	const head = "wamid."
	if len(s) < len(head) || len(s) > 128 || s[:len(head)] != head {
		return 0, false
	}
	b, err := base64.StdEncoding.DecodeString(s[len(head):])
	if err != nil || len(b) < 3 || b[0] != 0x1c || b[1] != 0x18 {
		return 0, false
	}
	l := int(b[2])
	if len(b) < 3+l+6 {
		return 0, false
	}
	waID, rest := string(b[3:3+l]), b[3+l:]
	n := int(rest[5])
	if rest[0] != 0x15 || rest[4] != 0x18 || n != 18 && n != 20 || len(rest) != 6+n+1 {
		return 0, false
	}
	var raw [10]byte
	for i := range n {
		c := rest[6+i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		raw[i/2] = raw[i/2]<<4 | c
	}
	last := n/2 - 1
	unique := binary.BigEndian.Uint64(raw[last-8 : last])
	return rest[3], raw[last] == check(id, waID, unique)
}
