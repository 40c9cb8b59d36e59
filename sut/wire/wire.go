// Package wire is what the WhatsApp service and the Drafts service say to each other: the bodies, headers and names
// that pass between them over HTTP, and the one way in which both make calls.
package wire

import "encoding/json"

// The headers that travel with a message.
const (
	HeaderRequest  = "X-Request-Id"      // message reference and client attempt: m000001.2
	HeaderAttempt  = "X-Send-Attempt"    // 1 for the first send of a draft
	HeaderDeadline = "X-Deadline"        // Unix milliseconds after which the caller no longer listens
	HeaderRefresh  = "X-Media-Refresh"   // true when the media has to be resolved anew
	HeaderFallback = "X-Send-Template"   // true when the fallback template goes out instead
	HeaderTrace    = "Traceparent"       // W3C trace context
	HeaderKey      = "Idempotency-Key"   // of the client, or the front door's own
	HeaderReplayed = "Idempotent-Replay" // true when an answer repeats the first one for its key
	HeaderReplica  = "X-Replica"         // which copy of a service answered
)

// Draft is one message on its way to the API. It is written once by the front door; the queue and the dispatcher pass
// the same bytes on.
type Draft struct {
	ID           string          `json:"id"`      // m000001.2-1: message, client attempt, create attempt
	Request      string          `json:"request"` // m000001.2
	To           string          `json:"to"`
	Type         string          `json:"type"`
	Text         string          `json:"text,omitempty"` // the body, or the caption of media
	Media        *Media          `json:"media,omitempty"`
	Template     json.RawMessage `json:"template,omitempty"` // sent as it is; with another type, the fallback outside the 24 h window
	Class        string          `json:"class,omitempty"`    // otp, reply, transactional, bulk
	Tenant       string          `json:"tenant,omitempty"`
	Number       string          `json:"number,omitempty"` // phone number id; "" is the sender's own
	Conversation string          `json:"conversation,omitempty"`
	Created      int64           `json:"created"`              // Unix milliseconds
	Expires      int64           `json:"expires,omitempty"`    // Unix milliseconds; 0 is never
	SendAt       int64           `json:"send_at,omitempty"`    // Unix milliseconds; 0 is now
	Key          string          `json:"key,omitempty"`        // idempotency key; "" when create is not idempotent
	Print        uint64          `json:"print,omitempty"`      // fingerprint of what the client asked for
	WindowEnds   int64           `json:"window_end,omitempty"` // Unix milliseconds; end of the 24 h service window, 0 unknown
	Trace        string          `json:"trace,omitempty"`      // W3C traceparent
}

// Media is what an image, document, video, audio or sticker message carries.
type Media struct {
	Link     string `json:"link,omitempty"`
	MIME     string `json:"mime,omitempty"`
	Filename string `json:"filename,omitempty"`
	ID       string `json:"id,omitempty"` // at the Cloud API, when the front door has uploaded it
}

// Created is the Drafts service's answer to a create.
type Created struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

// SendResult is the WhatsApp service's answer to a send.
type SendResult struct {
	WAMID   string `json:"wamid,omitempty"`
	Class   string `json:"class"`           // a policy.Class by its name
	Scope   uint8  `json:"scope,omitempty"` // a policy.Scope: what a refusal slows down or stops
	Code    int    `json:"code,omitempty"`
	Detail  string `json:"detail,omitempty"`
	After   int64  `json:"after_ms,omitempty"` // the API's or the replica's own hint when to come back
	Spent   int64  `json:"spent_us,omitempty"` // core time this send took
	Replica string `json:"replica,omitempty"`
}

// Status is one status webhook, as the WhatsApp service hands it on to Drafts.
type Status struct {
	Callback string `json:"callback,omitempty"` // draft.attempt
	WAMID    string `json:"wamid"`
	State    string `json:"status"` // sent, delivered, read, failed
	At       int64  `json:"at"`     // Unix seconds by the API's clock
	Code     int    `json:"code,omitempty"`
	Detail   string `json:"detail,omitempty"`
}
