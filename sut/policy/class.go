package policy

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
	ScopeProvider // whoever serves the API: the same would become of any other message
)
