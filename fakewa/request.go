package fakewa

import "time"

// Endpoint is what a request asks for; faults are narrowed by it.
type Endpoint string

// The endpoints.
const (
	Messages      Endpoint = "messages"
	Upload        Endpoint = "upload"
	Metadata      Endpoint = "metadata"
	Download      Endpoint = "download"
	Delete        Endpoint = "delete"
	NumberInfo    Endpoint = "number"
	NumberSet     Endpoint = "number_settings"
	PhoneNumbers  Endpoint = "phone_numbers"
	TemplateList  Endpoint = "message_templates"
	Subscriptions Endpoint = "subscribed_apps"
	History       Endpoint = "message_history"
	Elsewhere     Endpoint = "elsewhere" // anything the fake does not serve
)

// Request is a request as far as it matters for what becomes of it.
type Request struct {
	Endpoint Endpoint
	Method   string
	Version  string // v24.0; "" in a path without one
	Node     string // the id in the path: a number, a media id, an account
	Token    string
	TokenBad string // why no token could be read: "missing" or "garbage"

	Message  Message  // Messages
	Upload   *Content // Upload
	Number   string   // phone_number_id of a media call's query
	Ticket   string   // Download: the URL's hash
	Base     string   // Metadata: where the URL points to
	Fields   string   // management calls: which fields are wanted
	Override string   // callback to use for a number or an account; empty takes the override away
	Page     []byte   // History
	Problem  *apiError
}

// Manner is how an answer leaves.
type Manner uint8

// The manners.
const (
	Whole    Manner = iota // as it should
	Withheld               // never: the connection stays open until the client gives up
	Aborted                // never: the connection breaks
	Cut                    // the connection breaks in the middle of the body
	Dripping               // a few bytes at a time
	Garbled                // the body is replaced by something that is not JSON
)

// Decision is what becomes of a request: the answer, when and how it leaves, and what happens later.
type Decision struct {
	Number uint64        // of the request, counted from 1
	Delay  time.Duration // from the request's arrival to the answer
	Manner Manner
	Over   time.Duration // Dripping: how long the body takes; Withheld: how long the connection is held at most
	Fault  string        // ids of the faults that touched it, joined by commas
	Wait   time.Duration // for Retry-After, when it is wanted

	Accepted bool
	WAMID    string
	Copy     int // which accepted copy of its message this is, from 1
	Key      uint64
	Attempt  uint64 // which attempt of its message this is, from 1
	Media    bool   // Slack is known
	Slack    time.Duration
	Expired  bool
	Err      *apiError // what the client is told; nil means success

	Body          []byte // of successes other than sends
	garbledStatus int
	Content       *Content // Download
	later         *later   // statuses to come

	Again bool      // the API processes the request a second time
	twin  *Decision // and what became of that; nil without
}

// Status returns the HTTP status of the answer.
func (d *Decision) Status() int {
	if d.Err != nil {
		return d.Err.status
	}
	return 200
}
