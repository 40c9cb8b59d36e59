package wire

import "time"

// The hops on which attempts are observed.
const (
	HopCreate = "create" // front door to Drafts
	HopSend   = "send"   // Drafts to the WhatsApp service
	HopAPI    = "api"    // WhatsApp service to the Cloud API's messages endpoint
	HopMedia  = "media"  // downloads and uploads of media
)

// Attempt is one call that has finished: what an observer is told.
type Attempt struct {
	Request  string // m000001.1
	Draft    string
	Hop      string
	Number   int // 1 for the first attempt of this hop
	At, Done time.Time
	Status   int    // HTTP status that the caller saw, 0 when none came
	Error    string // timeout, reset, refused, error
	Code     int    // Cloud API error code
	Taken    bool   // the callee did the work, as far as the caller knows
	Replica  string
}
