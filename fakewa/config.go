package fakewa

import (
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
)

// Config is how the fake behaves while nothing is broken on purpose.
//
// The zero Config is a quiet fake for tests: it answers at once, knows no limits, and takes every well-formed token and
// every number; lifetimes are Meta's. Defaults returns what Meta documents, latency and limits included, and is what
// ParseConfig starts from.
type Config struct {
	Latency     quantity.Dist `yaml:"latency"`      // of sends: from the request's arrival to the answer
	LatencyLoad LatencyLoad   `yaml:"latency_load"` // what the fake's own load adds to it
	Media       Media         `yaml:"media"`
	Limits      Limits        `yaml:"limits"`
	Statuses    Statuses      `yaml:"statuses"`
	Webhook     Webhook       `yaml:"webhook"`
	Tokens      []Token       `yaml:"tokens"`    // empty: every well-formed token is taken
	Numbers     []Number      `yaml:"numbers"`   // empty: every id used as a number is one
	Templates   []Template    `yaml:"templates"` // empty: every template exists
	Answers     Answers       `yaml:"answers"`
	Ledger      LedgerConfig  `yaml:"ledger"`
}

// LatencyLoad makes answers slower the more requests arrive: requests queue for a server that takes Capacity of them
// a second, and the wait is added to their latency. Zero Capacity adds nothing.
type LatencyLoad struct {
	Capacity quantity.Rate `yaml:"capacity"`
	Queue    int           `yaml:"queue"` // how many may wait; 0 means without bound
	Full     int           `yaml:"full"`  // code of the error when that many wait; 0 means 131016
}

// Media is how long media live and how they are fetched.
type Media struct {
	UploadLife  time.Duration  `yaml:"upload_life"`  // of an id returned by an upload; 0 means 30 days
	InboundLife time.Duration  `yaml:"inbound_life"` // of an id in an inbound webhook; 0 means 7 days
	URLLife     time.Duration  `yaml:"url_life"`     // of a download URL; 0 means 5 minutes
	LinkCache   time.Duration  `yaml:"link_cache"`   // how long a fetched link serves further sends; 0 means 10 minutes
	Latency     quantity.Dist  `yaml:"latency"`      // of upload, metadata, download and delete
	Fetch       quantity.Dist  `yaml:"fetch"`        // from accepting a send by link to fetching the link
	FetchLimit  time.Duration  `yaml:"fetch_limit"`  // how long a fetch may take; 0 means 30 s
	Unlisted    string         `yaml:"unlisted"`     // links to hosts outside the allowed: refuse (default: 131053) | trust (never fetched, taken as good)
	BadLink     string         `yaml:"bad_link"`     // a link that fails: webhook (default: 131053 in a failed status) | reply (fetched before answering, 400)
	Download    string         `yaml:"download"`     // a download's bearer token: required (default) | optional
	FileSize    string         `yaml:"file_size"`    // number (default) | string
	BaseURL     string         `yaml:"base_url"`     // of download URLs; empty means the host the client asked
	Keep        quantity.Bytes `yaml:"keep"`         // contents held in memory, the rest is on disk; 0 means 64MiB
}

// Limits is what is refused for being too much. Zero values limit nothing.
type Limits struct {
	Throughput quantity.Rate `yaml:"throughput"`  // messages of one number; code 130429
	Pair       Pair          `yaml:"pair"`        // from one number to one user; code 131056
	Tier       int           `yaml:"tier"`        // different users outside a window in 24 hours, over all numbers
	TierCode   int           `yaml:"tier_code"`   // Meta documents no code for it; 0 means 131048
	Window     bool          `yaml:"window"`      // refuse all but templates when the user has not written for 24 hours; code 131047
	WindowBy   string        `yaml:"window_by"`   // webhook (default) | reply
	Status     int           `yaml:"status"`      // HTTP status of throttling: 400 (default) | 429
	RetryAfter bool          `yaml:"retry_after"` // add a Retry-After header; Meta documents none
	Management quantity.Rate `yaml:"management"`  // calls other than sends and media, per WABA; code 80007
}

// Pair limits what one number may send to one user.
type Pair struct {
	Every  time.Duration `yaml:"every"`  // one message each; 0 means no limit
	Burst  int           `yaml:"burst"`  // how many may be sent at once; 0 means 45
	Strict bool          `yaml:"strict"` // after a burst, wait until all of it is paid back (Meta's text allows both readings)
}

// Statuses is what becomes of an accepted message.
type Statuses struct {
	Sent      quantity.Dist  `yaml:"sent"`       // from accepted to sent
	Delivered quantity.Dist  `yaml:"delivered"`  // from sent to delivered
	Read      quantity.Dist  `yaml:"read"`       // from delivered to read
	ReadShare quantity.Share `yaml:"read_share"` // of delivered messages
}

// Webhook is how statuses and inbound messages reach the callback.
type Webhook struct {
	Statuses  []string      `yaml:"statuses"`      // which statuses are posted; empty means all
	Timeout   time.Duration `yaml:"timeout"`       // for the receiver's answer; 0 means 20 s
	Retry     Retry         `yaml:"retry"`         // what happens after anything but a 200
	Batch     int           `yaml:"batch"`         // most updates in one POST; 0 and 1 mean no batching, at most 1000
	Linger    time.Duration `yaml:"linger"`        // how long an update waits for company; 0 means 1 s
	Workers   int           `yaml:"workers"`       // POSTs under way at once; 0 means 64
	Queue     int           `yaml:"queue"`         // updates waiting to be posted or retried; the newest beyond are dropped and counted; 0 means 100,000
	Unescaped bool          `yaml:"unescaped"`     // send UTF-8 instead of \u escapes
	Contacts  bool          `yaml:"contacts"`      // add contacts[] to statuses, as announced for 2026
	Pricing   string        `yaml:"pricing"`       // pmp (default) | cbp | none
	Converse  bool          `yaml:"conversations"` // add conversation, as before v24.0
}

// Retry is how a webhook that was not answered with 200 is tried again: at First, twice that, and so on up to Max
// apart, until For has passed since the first attempt.
type Retry struct {
	First time.Duration `yaml:"first"` // 0 means 1 s
	Max   time.Duration `yaml:"max"`   // 0 means 1 h
	For   time.Duration `yaml:"for"`   // 0 means 7 days
}

// Token is an access token that the fake knows.
type Token struct {
	Token   string        `yaml:"token"`
	Life    time.Duration `yaml:"life,omitempty"`    // from the moment it was configured; 0 means for ever
	Numbers []string      `yaml:"numbers,omitempty"` // ids it may use; empty means all
	Revoked bool          `yaml:"revoked,omitempty"` // answer as for an invalidated session
}

// Number is a business phone number that the fake knows.
type Number struct {
	ID      string `yaml:"id"`
	Display string `yaml:"display,omitempty"` // digits, such as 15550783881
	Name    string `yaml:"name,omitempty"`    // verified_name
	WABA    string `yaml:"waba,omitempty"`
	Level   string `yaml:"level,omitempty"` // throughput level: STANDARD (default) | HIGH
}

// Template is a message template that the fake knows.
type Template struct {
	Name     string `yaml:"name"`
	Language string `yaml:"language,omitempty"` // default en_US
	Category string `yaml:"category,omitempty"` // MARKETING | UTILITY (default) | AUTHENTICATION
	Status   string `yaml:"status,omitempty"`   // APPROVED (default) | PAUSED | DISABLED
	Header   string `yaml:"header,omitempty"`   // text with {{1}}, or IMAGE, VIDEO, DOCUMENT, LOCATION
	Body     string `yaml:"body,omitempty"`     // text with {{1}} or {{name}}
	Buttons  int    `yaml:"buttons,omitempty"`  // how many buttons take a parameter
}

// Answers settles what Meta documents in two ways.
type Answers struct {
	MissingToken  int    `yaml:"missing_token"`  // code: 104 (default) | 200 | 190
	ForeignNumber int    `yaml:"foreign_number"` // a token used with another's number; code 200 (default) | 10 | 131005
	ListBody      int    `yaml:"list_body"`      // most characters in a list's body: 4096 (default) | 1024
	MessageStatus string `yaml:"message_status"` // in the answer to a send: templates (default) | always | never
	Version       string `yaml:"version"`        // for calls without one; default v24.0
}

// LedgerConfig is how messages are recognised and how much is remembered.
type LedgerConfig struct {
	Identity string         `yaml:"identity"` // what makes two sends copies of one message: auto (default: marker, else callback, else text) | marker | callback | text
	Memory   quantity.Bytes `yaml:"memory"`   // entries held in memory, older ones are on disk; 0 means 64MiB
}
