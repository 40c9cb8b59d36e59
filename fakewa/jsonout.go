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

func appendUnit(b []byte, u uint16) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}
