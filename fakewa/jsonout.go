package fakewa

import (
	"unicode/utf16"
	"unicode/utf8"
)

// appendRune writes the first character of s and returns how many bytes it took; what is not UTF-8 becomes U+FFFD.
func appendRune(b []byte, s string, ascii bool) ([]byte, int) {
	r, n := utf8.DecodeRuneInString(s)
	if !ascii {
		return utf8.AppendRune(b, r), n
	}
	if r >= 0x10000 {
		hi, lo := utf16.EncodeRune(r)
		return appendUnit(appendUnit(b, uint16(hi)), uint16(lo)), n
	}
	return appendUnit(b, uint16(r)), n
}

// appendJSON writes a JSON document as it is; with ascii, what is beyond becomes a \u escape, which in JSON only strings hold.
func appendJSON(b, doc []byte, ascii bool) []byte {
	for i, n := 0, 1; i < len(doc); i += n {
		if n = 1; doc[i] < 0x80 {
			b = append(b, doc[i])
			continue
		}
		b, n = appendRune(b, string(doc[i:min(len(doc), i+4)]), ascii)
	}
	return b
}

func appendUnit(b []byte, u uint16) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}
