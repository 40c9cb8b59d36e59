package policy

import "strings"

// Answer is what one code of the Cloud API means for the message that it was answered to.
type Answer struct {
	Code, To int // a code, or those from Code to To
	Class    Class
	Scope    Scope
	Doubtful bool   // with a 5xx the message may have been taken all the same
	Says     string // in our words
	Source   string // where that is documented, a key of Sources
}

// Sources are where the meaning of codes is documented.
func Sources() map[string]string {
	return map[string]string{
		"errors": "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes",
		"graph":  "https://developers.facebook.com/docs/graph-api/guides/error-handling",
		"limits": "https://developers.facebook.com/docs/graph-api/overview/rate-limiting",
	}
}

// Answers is the one table of what codes mean; a code that is not in it means what its HTTP status means. A code counts
// whatever status it comes with: Meta says to rely on codes, and 131016 comes with 500 though nothing was taken.
func Answers() []Answer { return answers }

var answers = []Answer{
	{Code: 0, Class: Stopped, Scope: ScopeApp, Says: "the token has expired, was revoked, or is not known", Source: "errors"},
	{Code: 1, Class: Retryable, Scope: ScopeProvider, Doubtful: true, Says: "an invalid request or an error of the server, nobody says which", Source: "errors"},
	{Code: 2, Class: Retryable, Scope: ScopeProvider, Says: "the service is down or overloaded for a while", Source: "errors"},
	{Code: 3, Class: Stopped, Scope: ScopeApp, Says: "a capability or a permission is missing", Source: "errors"},
	{Code: 4, Class: Throttled, Scope: ScopeApp, Says: "the app has made too many calls", Source: "limits"},
	{Code: 10, Class: Stopped, Scope: ScopeApp, Says: "a permission is missing or was taken away", Source: "errors"},
	{Code: 17, Class: Throttled, Scope: ScopeApp, Says: "the user has made too many calls", Source: "limits"},
	{Code: 32, Class: Throttled, Scope: ScopeApp, Says: "the page has made too many calls", Source: "limits"},
	{Code: 100, Class: Permanent, Says: "a parameter is wrong; when it is a media id, the media is gone", Source: "errors"},
	{Code: 104, Class: Stopped, Scope: ScopeApp, Says: "there is no token", Source: "graph"},
	{Code: 190, Class: Stopped, Scope: ScopeApp, Says: "the token has expired", Source: "errors"},
	{Code: 200, To: 299, Class: Stopped, Scope: ScopeApp, Says: "a permission is missing or was taken away", Source: "errors"},
	{Code: 368, Class: Stopped, Scope: ScopeAccount, Says: "the account is blocked for a while for breaking rules", Source: "errors"},
	{Code: 613, Class: Throttled, Scope: ScopeApp, Says: "calls beyond the rate limit", Source: "limits"},
	{Code: 80007, Class: Throttled, Scope: ScopeApp, Says: "the business account has made too many calls", Source: "errors"},
	{Code: 80008, Class: Throttled, Scope: ScopeApp, Says: "the business account has made too many calls", Source: "limits"},
	{Code: 130429, Class: Throttled, Scope: ScopeNumber, Says: "more messages than the number's throughput", Source: "errors"},
	{Code: 130470, Class: NoWindow, Says: "the 24 h window is closed (older code)", Source: "errors"},
	{Code: 131000, Class: Retryable, Scope: ScopeProvider, Doubtful: true, Says: "something went wrong, nobody says what", Source: "errors"},
	{Code: 131005, Class: Stopped, Scope: ScopeApp, Says: "access is denied", Source: "errors"},
	{Code: 131016, Class: Retryable, Scope: ScopeProvider, Says: "the service is not available for a while", Source: "errors"},
	{Code: 131031, Class: Stopped, Scope: ScopeAccount, Says: "the account is locked", Source: "errors"},
	{Code: 131045, Class: Permanent, Says: "the number's certificate is wrong", Source: "errors"},
	{Code: 131047, Class: NoWindow, Says: "the 24 h window is closed", Source: "errors"},
	{Code: 131048, Class: Throttled, Scope: ScopeQuality, Says: "the number is restricted for its quality", Source: "errors"},
	{Code: 131052, Class: MediaGone, Says: "media could not be downloaded", Source: "errors"},
	{Code: 131053, Class: MediaGone, Says: "media could not be uploaded", Source: "errors"},
	{Code: 131056, Class: Throttled, Scope: ScopePair, Says: "too many messages to one recipient", Source: "errors"},
	{Code: 131057, Class: Retryable, Says: "the account is being maintained, for minutes", Source: "errors"},
	{Code: 133000, Class: Permanent, Says: "the number was not wholly deregistered", Source: "errors"},
	{Code: 133004, Class: Retryable, Scope: ScopeProvider, Says: "the server is not available for a while", Source: "errors"},
	{Code: 133016, Class: Throttled, Scope: ScopeNumber, Says: "the number was registered too often", Source: "errors"},
	{Code: 134102, Class: Permanent, Says: "the template cannot be used", Source: "errors"},
	{Code: 2494100, Class: Retryable, Says: "the account is being maintained, for minutes", Source: "errors"},
}

// answerTo finds a code in the table.
func answerTo(code int) (Answer, bool) {
	for _, a := range answers {
		if code == a.Code || code > a.Code && code <= a.To {
			return a, true
		}
	}
	return Answer{}, false
}

// mediaID ends the message of the API's code 100 when a media id is expired, deleted, unknown or foreign.
const mediaID = "media attachment ID"

// Classify reads an answer of the Cloud API's messages endpoint: HTTP status, error code (0 when there was no error
// object), its text, and whether a message id came back.
func Classify(status, code int, text string, hasID bool) (Class, Scope) {
	switch {
	case status >= 200 && status < 300 && hasID && code == 0:
		return Accepted, ScopeMessage
	case status < 400: // an answer that cannot be read proves nothing
		return Unknown, ScopeProvider
	case code == 100 && strings.Contains(text, mediaID):
		return MediaGone, ScopeMessage
	}
	a, documented := answerTo(code)
	switch {
	case !documented || code == 0 && status != 401 && status != 403: // 0 also stands for no error object at all
		return byStatus(status)
	case a.Doubtful && status >= 500:
		return Unknown, a.Scope
	}
	return a.Class, a.Scope
}

// byStatus is what an answer without a documented code means. A 5xx proves nothing: whoever answered may have passed the
// request on before.
func byStatus(status int) (Class, Scope) {
	switch {
	case status == 429:
		return Throttled, ScopeNumber
	case status >= 500, status == 408, status == 425:
		return Unknown, ScopeProvider
	}
	return Permanent, ScopeMessage
}
