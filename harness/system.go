package harness

import (
	"context"
	"net/http"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// System is what a run is aimed at: a sender's front door, the fake behind it, and the handles that the timeline turns.
// Whoever builds a system (harness/local, harness/docker, a test) fills the handles it has; nil handles make the
// scenario entries that need them an error before the run starts.
type System struct {
	Name      string            // embedded, processes, containers, external
	Queue     string            // memory, jetstream
	URL       string            // the sender's front door, without a trailing slash
	Transport http.RoundTripper // how the harness reaches it
	FakeURL   string            // the fake Cloud API, as the sender reaches it; for a target's templates
	Effective map[string]string // every setting in force at the start, by dotted key

	Faults   Faults
	Ledger   Ledger
	Gauges   Gauges
	Settings Settings
	Replicas Replicas
	Process  Replicas // ends the sender's whole process and starts it again, and fills its disk up
	Books    Books
	Trail    Trail

	Told func() []string // at the end: what the reader has to know of the system besides; may be nil
	Hint string          // after the error of a step that needs what the system has not
}

// Faults changes how the API behaves.
type Faults interface {
	Apply(ctx context.Context, id string, f scenarios.Fault) error
	Clear(ctx context.Context, id string) error
}

// Ledger is the fake's account of what it accepted: the only honest witness of duplicates.
type Ledger interface {
	// After returns up to limit entries with a sequence number above seq, in order.
	After(ctx context.Context, seq int64, limit int) ([]Entry, error)
}

// Entry is one line of the fake's ledger: an attempt, or a status of an accepted copy.
type Entry struct {
	Seq      int64
	Status   string // "" for an attempt; delivered, read or failed for a status; unanswered: an accepted attempt's client gave up
	Message  string // the marker found in the text, caption or link: the harness's message ID; "" when there was none
	Callback string // biz_opaque_callback_data
	WAMID    string
	To       string    // the recipient, digits
	Key      uint64    // the same for every copy of a message, as the fake tells them
	Type     string    // of the message: text, image, …
	Text     string    // or caption, as far as the ledger keeps it; "" when there was none
	At       time.Time // when the request was read, or the status took effect
	Done     time.Time // when the answer left, or is to leave
	Accepted bool
	Provider bool // a copy that the API made by itself
	Answered int  // HTTP status that the client was sent; 0 when the answer was withheld
	Code     int  // Cloud API error code, 0 for none
	Media    bool
	Slack    time.Duration // life left in the media, negative when it had expired; only with Media
	Expired  bool          // refused or failed because media had expired
	Fault    string
}

// Gauges reads the system's gauges; names as in reports/record.
type Gauges interface {
	Read(ctx context.Context) (map[string]float64, error)
}

// Settings changes settings while the run goes on, by dotted key (sender.drafts.rate_limit), all or none.
type Settings interface {
	Set(ctx context.Context, values map[string]any) error
}

// Replicas acts on running copies of a service, named service/number (whatsapp/1).
type Replicas interface {
	Act(ctx context.Context, a scenarios.Action) error
}

// Books is the sender's own account: the final state of every message it took.
type Books interface {
	// State returns the sender's state of a message and whether that state is final; known is false when the sender
	// has never taken it.
	State(ctx context.Context, message string) (state, reason string, final, known bool, err error)
}

// Trail tells of attempts inside the sender (create and send), for explanations.
type Trail interface {
	// Drain returns the attempts that finished since the last call, as offsets from the start of the run.
	Drain(ctx context.Context, start time.Time) ([]record.Attempt, error)
}
