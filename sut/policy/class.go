package policy

import "strings"

// Class says what an attempt to send means for the message.
type Class uint8

// The classes, from the certain to the doubtful.
const (
	Accepted   Class = iota // the API took it
	NotSent                 // it never left: no connection, or given up before the call
	Overloaded              // the WhatsApp service would not take it (503)
	Throttled               // the API refused it for now
	Retryable               // the API refused it with a passing error
	MediaGone               // its media has expired, is unknown, or could not be fetched
	NoWindow                // outside the 24 h window: needs a template
	Permanent               // refused for good
	Stopped                 // the number, the account or the token is stopped
	Unknown                 // it may have been taken: no answer, or one that proves nothing
	classes
)

var classNames = [classes]string{
	"accepted", "not_sent", "overloaded", "throttled", "retryable", "media", "window", "permanent", "stopped", "unknown",
}

// String names the class as it is written in answers.
func (c Class) String() string {
	if c < classes {
		return classNames[c]
	}
	return "unknown"
}

// ParseClass reads a name; anything else is Unknown, the class that makes no promise.
func ParseClass(s string) Class {
	for c, name := range classNames {
		if name == s {
			return Class(c)
		}
	}
	return Unknown
}

// Scope is what a refusal slows down or stops.
type Scope uint8

// The scopes.
const (
	ScopeMessage Scope = iota
	ScopePair          // one number to one recipient
	ScopeNumber
	ScopeQuality // the number, for its quality: longer
	ScopeApp
	ScopeAccount
)

// mediaID ends the message of the API's code 100 when a media id is expired, deleted, unknown or foreign.
const mediaID = "media attachment ID"

// Classify reads an answer of the Cloud API's messages endpoint: HTTP status, error code (0 when there was no error
// object), its text, and whether a message id came back.
func Classify(status, code int, text string, hasID bool) (Class, Scope) {
	switch {
	case status >= 200 && status < 300 && hasID && code == 0:
		return Accepted, ScopeMessage
	case status < 400: // an answer that cannot be read proves nothing
		return Unknown, ScopeMessage
	}
	switch code {
	case 131056:
		return Throttled, ScopePair
	case 130429, 133016:
		return Throttled, ScopeNumber
	case 131048:
		return Throttled, ScopeQuality
	case 4, 17, 32, 613, 80007, 80008:
		return Throttled, ScopeApp
	case 131053, 131052:
		return MediaGone, ScopeMessage
	case 131047, 130470:
		return NoWindow, ScopeMessage
	case 368, 131031:
		return Stopped, ScopeAccount
	case 0, 190, 104, 10, 3, 131005:
		if code != 0 || status == 401 || status == 403 {
			return Stopped, ScopeApp
		}
	case 100:
		if strings.Contains(text, mediaID) {
			return MediaGone, ScopeMessage
		}
		return Permanent, ScopeMessage
	}
	switch {
	case code >= 200 && code <= 299:
		return Stopped, ScopeApp
	case status == 429:
		return Throttled, ScopeNumber
	case status >= 500, status == 408, status == 425:
		return Unknown, ScopeMessage
	case code == 1 || code == 2 || code == 131000 || code == 131016 || code == 131057 || code == 133004 || code == 2494100:
		return Retryable, ScopeMessage
	}
	return Permanent, ScopeMessage
}
