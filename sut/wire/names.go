package wire

import (
	"strconv"
	"strings"
)

// maxRequest is the longest request id that is taken from a caller.
const maxRequest = 80

// ValidRequest reports whether a caller's X-Request-Id can name drafts: letters, digits, dash and underscore, and at
// the end at most one dot with the client's attempt number.
func ValidRequest(id string) bool {
	ref, attempt, dotted := strings.Cut(id, ".")
	if ref == "" || len(id) > maxRequest {
		return false
	}
	for i := range len(ref) {
		c := ref[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return !dotted || digits(attempt)
}

// SplitRequest returns the message and the client's attempt of a request id; an id without an attempt is its first.
func SplitRequest(id string) (ref string, attempt int) {
	ref, n, dotted := strings.Cut(id, ".")
	if !dotted {
		return ref, 1
	}
	attempt, _ = strconv.Atoi(n)
	return ref, max(attempt, 1)
}

// DraftID names the draft that one create attempt makes: m000001.2-1.
func DraftID(request string, create int) string { return request + "-" + strconv.Itoa(create) }

// MessageOf returns the message that a draft belongs to.
func MessageOf(draft string) string {
	if i := strings.LastIndexByte(draft, '-'); i > 0 {
		draft = draft[:i]
	}
	ref, _, _ := strings.Cut(draft, ".")
	return ref
}

// Callback is the correlation data of one send: the draft and the send attempt, m000001.2-1.3.
func Callback(draft string, attempt int) string { return draft + "." + strconv.Itoa(attempt) }

// SplitCallback undoes Callback; ok is false when the text is not one of ours.
func SplitCallback(s string) (draft string, attempt int, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i <= 0 || !digits(s[i+1:]) || strings.LastIndexByte(s[:i], '-') <= 0 {
		return "", 0, false
	}
	attempt, err := strconv.Atoi(s[i+1:])
	return s[:i], attempt, err == nil
}

func digits(s string) bool {
	if s == "" || len(s) > 6 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Fingerprint is a 64-bit digest of a body, never 0.
func Fingerprint(body []byte) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, c := range body {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	if h == 0 {
		return 1
	}
	return h
}
