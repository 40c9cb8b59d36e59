package fakewa

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
)

// apiError is an error as the Graph API tells it.
type apiError struct {
	status    int
	code      int
	subcode   int
	kind      string // type: OAuthException, GraphMethodException
	message   string
	details   string // error_data.details
	transient bool
	userTitle string
	userText  string
}

const (
	oauth = "OAuthException"
	graph = "GraphMethodException"
)

// fail returns the documented error of a code.
func fail(code int, details string) *apiError {
	k, _ := documented(code)
	e := &apiError{status: k.status, code: code, kind: oauth, message: "(#" + strconv.Itoa(code) + ")", details: details}
	if e.status == 0 {
		e.status = 400
	}
	if k.title != "" {
		e.message += " " + k.title
	}
	if details == "" {
		e.details = k.details
	}
	e.transient = code == 1 || code == 2 || code == 4
	if code == 131030 { // the one that was seen with texts for users
		e.subcode, e.userTitle, e.userText = 2655007, k.title, e.details
	}
	return e
}

// invalid is code 100 with a message of its own and no error_data, as validation answers.
func invalid(message string) *apiError {
	return &apiError{status: 400, code: 100, kind: oauth, message: "(#100) " + message}
}

// required is the answer to a parameter that is missing.
func required(param string) *apiError { return invalid("The parameter " + param + " is required.") }

// unknownObject is the answer to an id that is no object, or not one that this method works on.
func unknownObject(method, id string) *apiError {
	return &apiError{status: 400, code: 100, subcode: 33, kind: graph,
		message: "Unsupported " + method + " request. Object with ID '" + id + "' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api"}
}

// append writes the envelope; trace names the answer.
func (e *apiError) append(b []byte, trace uint64) []byte {
	b = append(b, `{"error":{"message":`...)
	b = appendString(b, e.message, false)
	b = append(b, `,"type":"`...)
	b = append(b, e.kind...)
	b = append(b, `","code":`...)
	b = strconv.AppendInt(b, int64(e.code), 10)
	if e.details != "" {
		b = append(b, `,"error_data":{"messaging_product":"whatsapp","details":`...)
		b = appendString(b, e.details, false)
		b = append(b, '}')
	}
	if e.subcode != 0 {
		b = append(b, `,"error_subcode":`...)
		b = strconv.AppendInt(b, int64(e.subcode), 10)
	}
	if e.transient {
		b = append(b, `,"is_transient":true`...)
	}
	if e.userTitle != "" {
		b = append(b, `,"error_user_title":`...)
		b = appendString(b, e.userTitle, false)
		b = append(b, `,"error_user_msg":`...)
		b = appendString(b, e.userText, false)
	}
	b = append(b, `,"fbtrace_id":"`...)
	b = appendTrace(b, trace)
	return append(b, `"}}`...)
}

func appendTrace(b []byte, trace uint64) []byte {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:], trace)
	binary.BigEndian.PutUint64(raw[8:], trace*0x9e3779b97f4a7c15)
	b = append(b, 'A')
	return base64.RawURLEncoding.AppendEncode(b, raw[:])
}

// appendString writes a JSON string; with ascii every other character becomes a \u escape.
func appendString[S ~string | ~[]byte](b []byte, s S, ascii bool) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c < 0x20 || c == 0x7f:
			b = appendUnit(b, uint16(c))
		case c < 0x80:
			b = append(b, c)
		default:
			n := 0
			if b, n = appendRune(b, string(s[i:min(len(s), i+4)]), ascii); n > 1 {
				i += n - 1
			}
		}
	}
	return append(b, '"')
}
