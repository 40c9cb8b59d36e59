// Package record is what happened in a run: events, gauges, message outcomes, and their file format.
package record

import (
	"fmt"
	"runtime"
	"time"
)

// Run is one finished (or still running) run as its files tell it.
type Run struct {
	Dir      string // the folder it was loaded from, "" for none
	Info     Info
	Events   []Event
	Gauges   []Gauge
	Messages []Message
}

// Info is run.json: what ran, where, and how it ended. It is written at the start and again at the end.
type Info struct {
	Schema      string            `json:"schema"` // "aftershock.run/v1"
	ID          string            `json:"id"`
	Scenario    ScenarioInfo      `json:"scenario"`
	Clock       string            `json:"clock"`       // virtual | wall
	Environment string            `json:"environment"` // embedded | processes | containers | external
	Queue       string            `json:"queue"`       // memory | jetstream
	Compress    float64           `json:"compress,omitempty"`
	Start       time.Time         `json:"start"` // what t=0 is on the scenario's wall
	Duration    time.Duration     `json:"duration_ns"`
	Virtual     time.Duration     `json:"virtual_ns"` // scenario time that passed
	Wall        time.Duration     `json:"wall_ns"`    // real time that passed
	State       string            `json:"state"`      // running | finished | interrupted | failed
	Error       string            `json:"error,omitempty"`
	Phases      []Phase           `json:"phases"`
	Plan        []Event           `json:"plan"`      // the whole timeline, future included, numbered
	Effective   map[string]string `json:"effective"` // every setting in force at the start, by its dotted key
	Digest      string            `json:"digest,omitempty"`
	Harness     Harness           `json:"harness"`
	Retried     []Retried         `json:"retried,omitempty"` // attempts that were set aside before this one
	Tool        string            `json:"tool"`              // version of aftershock
	Machine     string            `json:"machine"`           // class of machine: os/arch/cpus
	Command     string            `json:"command"`           // reproduces the run

	Baseline string `json:"baseline_sha256,omitempty"` // of what the run was judged by, where a baseline was given

	Files map[string]FileSum `json:"files,omitempty"` // the record's other files as the run left them, once it has ended
	Seal  string             `json:"seal,omitempty"`  // SHA-256 over all of the above
}

// Retried is an attempt at a run that the machine made invalid, and that was made again.
type Retried struct {
	Folder string   `json:"folder"` // where it is kept, from the folder that the run's is in
	Why    []string `json:"why"`
}

// Machine names the class of machine this is: os/arch/cpus. Figures of the wall clock compare within one class.
func Machine() string {
	return fmt.Sprintf("%s/%s/%d", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}

// ScenarioInfo names what was run.
type ScenarioInfo struct {
	Name      string            `json:"name"`
	Title     string            `json:"title"`
	Purpose   string            `json:"purpose,omitempty"` // replay or measure; a promise without it
	SHA256    string            `json:"sha256"`            // of the resolved scenario
	Seed      int64             `json:"seed"`
	Preset    string            `json:"preset"`
	Variants  []string          `json:"variants"`
	Overrides map[string]string `json:"overrides"`
}

// Phase is a stretch of load with one shape, as offsets from the start.
type Phase struct {
	Name string        `json:"name"`
	From time.Duration `json:"from_ns"`
	To   time.Duration `json:"to_ns"`
}

// Harness is how well the harness itself did: reports open with it.
type Harness struct {
	LatenessP50 time.Duration `json:"lateness_p50_ns"`
	LatenessP99 time.Duration `json:"lateness_p99_ns"`
	LatenessMax time.Duration `json:"lateness_max_ns"`
	Unsent      int64         `json:"hits_unsent"`
	Warnings    []string      `json:"warnings"`
	Invalid     []string      `json:"invalid"`           // reasons why the run measured nothing that can be trusted
	Machine     []string      `json:"machine,omitempty"` // of those, what the machine did and not the sender: another attempt may go well
}

// Event is one line of events.jsonl: something that happened at an instant. Seq counts from 1 without gaps.
type Event struct {
	Seq    int64         `json:"seq"`
	At     time.Duration `json:"at_ns"`
	Kind   string        `json:"kind"`             // start, phase, intervention, fault, fault-end, replica, threshold, mark, warning, end
	Source string        `json:"source"`           // plan, provider, sender, operator, threshold, harness
	Number int           `json:"number,omitempty"` // interventions are numbered 1, 2, … alike everywhere; 0 for the rest
	Text   string        `json:"text"`
	ID     string        `json:"id,omitempty"`       // threshold id, replica name, fault id
	State  string        `json:"state,omitempty"`    // threshold: met, missed, pending; replica: starting, ready, gone
	Until  time.Duration `json:"until_ns,omitempty"` // planned end of a fault
}

// Gauge is one line of gauges.jsonl: every gauge of the run, read at one instant (every 10 s of scenario time).
// Names are listed in gauges.go; counters (names ending in _total) are cumulative since the start.
type Gauge struct {
	At     time.Duration      `json:"at_ns"`
	Values map[string]float64 `json:"v"`
}

// Outcome is how a message ended: each offered message has exactly one.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered" // at least one copy reached the recipient
	Expired   Outcome = "expired"   // never delivered because media or validity ran out
	Failed    Outcome = "failed"    // refused for good
	Shed      Outcome = "shed"      // the sender would not take it
	Lost      Outcome = "lost"      // taken by the sender and never finished
	Pending   Outcome = "pending"   // still held by the sender at the end
	Unsent    Outcome = "unsent"    // the harness could not send it

	Misdelivered Outcome = "misdelivered" // a copy went to another recipient, or with another text
)

// Outcomes lists every outcome in the order in which reports show them.
var Outcomes = []Outcome{Delivered, Misdelivered, Expired, Failed, Shed, Lost, Pending, Unsent}

// Message is one row of messages.jsonl.zst. Offsets are from the start of the run; Never where it did not happen.
type Message struct {
	ID        string        `json:"id"` // m000001
	To        string        `json:"to"` // hashed recipient, never a number
	Type      string        `json:"type"`
	Phase     int           `json:"phase"` // index into Info.Phases
	Scheduled time.Duration `json:"scheduled_ns"`
	Sent      time.Duration `json:"sent_ns"`     // the first attempt left
	Answered  time.Duration `json:"answered_ns"` // the last answer was read, or the last attempt given up
	Accepted  time.Duration `json:"accepted_ns"` // the API accepted the first copy
	Delivered time.Duration `json:"delivered_ns"`
	Tries     int           `json:"tries"`                      // attempts at the front door
	Status    int           `json:"status"`                     // last HTTP status at the front door, 0 for none
	API       int           `json:"api"`                        // attempts at the Cloud API
	APIMedia  int           `json:"api_media_errors,omitempty"` // of those, refused because media had expired
	Copies    int           `json:"copies"`                     // accepted by the API; every one above 1 is a duplicate
	Causes    []string      `json:"causes,omitempty"`           // of each duplicate copy: the names of Causes
	Slack     time.Duration `json:"media_slack_ns,omitempty"`   // life left in the media at the last attempt; negative when it had expired
	HasSlack  bool          `json:"has_slack,omitempty"`
	Outcome   Outcome       `json:"outcome"`
	Reason    string        `json:"reason,omitempty"` // why it did not arrive, in the sender's or the API's words
	Sender    string        `json:"sender,omitempty"` // final state in the sender's own books
}

// Never marks an instant that did not come.
const Never = time.Duration(-1)

// Attempt is one row of attempts.jsonl.zst: one HTTP request made for a message.
type Attempt struct {
	Message string        `json:"m"`
	Hop     string        `json:"hop"` // front_door, create, send, api, media
	Number  int           `json:"n"`   // 1 for the first attempt of this hop
	Draft   string        `json:"draft,omitempty"`
	At      time.Duration `json:"at_ns"`
	Done    time.Duration `json:"done_ns"`
	Status  int           `json:"status"`          // HTTP status seen by the caller, 0 when none came
	Error   string        `json:"error,omitempty"` // timeout, reset, refused, …
	Code    int           `json:"code,omitempty"`  // Cloud API error code
	Taken   bool          `json:"taken,omitempty"` // the callee did the work, whatever the caller saw
	WAMID   string        `json:"wamid,omitempty"`
	Fault   string        `json:"fault,omitempty"` // id of the fault that touched it
	Replica string        `json:"replica,omitempty"`
}
