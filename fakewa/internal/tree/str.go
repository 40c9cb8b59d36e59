package tree

import (
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string whose opening quote is next. A string without escapes is a view of the source.
func (t *Tree) str() ([]byte, bool) {
	t.pos++
	start := t.pos
	for t.pos < len(t.src) {
		switch c := t.src[t.pos]; {
		case c == '"':
			s := t.src[start:t.pos]
			t.pos++
			return s, true
		case c == '\\':
			return t.escaped(start)
		case c < 0x20:
			return nil, false
		default:
			t.pos++
		}
	}
	return nil, false
}

// escaped reads the rest of a string from its first backslash on.
func (t *Tree) escaped(start int) ([]byte, bool) {
	from := len(t.text)
	t.text = append(t.text, t.src[start:t.pos]...)
	for t.pos < len(t.src) {
		c := t.src[t.pos]
		switch {
		case c == '"':
			t.pos++
			return t.text[from:len(t.text):len(t.text)], true
		case c < 0x20:
			return nil, false
		case c != '\\':
			t.text = append(t.text, c)
			t.pos++
			continue
		}
		if t.pos+1 >= len(t.src) {
			return nil, false
		}
		t.pos += 2
		switch e := t.src[t.pos-1]; e {
		case '"', '\\', '/':
			t.text = append(t.text, e)
		case 'b':
			t.text = append(t.text, '\b')
		case 'f':
			t.text = append(t.text, '\f')
		case 'n':
			t.text = append(t.text, '\n')
		case 'r':
			t.text = append(t.text, '\r')
		case 't':
			t.text = append(t.text, '\t')
		case 'u':
			r, ok := t.hex()
			if !ok {
				return nil, false
			}
			if utf16.IsSurrogate(r) {
				r = t.low(r)
			}
			t.text = utf8.AppendRune(t.text, r)
		default:
			return nil, false
		}
	}
	return nil, false
}

// hex reads four hexadecimal digits.
func (t *Tree) hex() (rune, bool) {
	if len(t.src)-t.pos < 4 {
		return 0, false
	}
	var r rune
	for _, c := range t.src[t.pos : t.pos+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	t.pos += 4
	return r, true
}

// low completes a surrogate pair; half a pair becomes U+FFFD.
func (t *Tree) low(high rune) rune {
	if len(t.src)-t.pos < 6 || t.src[t.pos] != '\\' || t.src[t.pos+1] != 'u' {
		return utf8.RuneError
	}
	back := t.pos
	t.pos += 2
	r, ok := t.hex()
	if pair := utf16.DecodeRune(high, r); ok && pair != utf8.RuneError {
		return pair
	}
	t.pos = back
	return utf8.RuneError
}
