package fakewa

import (
	"bytes"
	"regexp"

	"golang.org/x/text/unicode/norm"
)

// remains is what is left of a marker in a text that a sender has rewritten: in capitals, with blanks or a backslash, with
// other brackets or none. The number has six digits at least, so that one that was cut off is not taken for another.
var remains = regexp.MustCompile(`(?i)\bref\s*:\s*\\?(m[0-9]{6,12})\b`)

// rewritten returns the marker in a text that a sender has rewritten, or "". Most texts without a marker end at the first
// look.
func rewritten(text []byte) string {
	if !bytes.Contains(text, []byte("ref")) && !bytes.Contains(text, []byte("REF")) && !bytes.Contains(text, []byte("Ref")) &&
		!bytes.ContainsAny(text, "\uff32\uff52") {
		return ""
	}
	if m := remains.FindSubmatch(norm.NFKC.Bytes(text)); m != nil {
		return string(bytes.ToLower(m[1]))
	}
	return ""
}

// plainly is a content without what a sender may change from one attempt to the next: white space, the case of letters,
// and the forms in which Unicode writes the same.
func plainly(content []byte) []byte {
	for _, blank := range []string{`\n`, `\r`, `\t`} { // as JSON writes them
		content = bytes.ReplaceAll(content, []byte(blank), []byte(" "))
	}
	return bytes.ToLower(bytes.Join(bytes.Fields(norm.NFKC.Bytes(content)), nil))
}
