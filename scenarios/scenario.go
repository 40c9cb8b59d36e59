// Package scenarios is what a run asks for: load, faults, settings, timeline, thresholds, seed.
//
// Open reads a scenario from the catalog or from a file and checks all of it; the result is a Scenario. A new incident
// is one file in catalog/: Names, List and the tests find it by themselves. A new key is one field of a struct below,
// its check in validate.go, and a line in docs/scenarios.md; the JSON Schema follows from the field and its comment.
package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
)

// Scenario is one resolved scenario file: extends, variants, preset and overrides are already applied.
//
// The sender and whatsapp blocks belong to the sender and the fake; this package checks them strictly against the
// types it is given (see Blocks) and hands them over as YAML.
type Scenario struct {
	Schema     string             `yaml:"schema"`
	Name       string             `yaml:"name"`
	Title      string             `yaml:"title,omitempty"`
	Notes      string             `yaml:"notes,omitempty"`
	Purpose    string             `yaml:"purpose,omitempty"`  // promise (default): thresholds are what has to hold; replay: they are what happened; measure: nothing is judged
	Overlook   *quantity.Share    `yaml:"overlook,omitempty"` // an outcome that more of the messages came to has to be looked at by a threshold; default 0.1%
	Seed       int64              `yaml:"seed"`
	Start      time.Time          `yaml:"start,omitempty"` // what t=0 is on the wall
	Load       Load               `yaml:"load"`
	Messages   Messages           `yaml:"messages,omitempty"`
	Client     Client             `yaml:"client,omitempty"`
	Drain      time.Duration      `yaml:"drain,omitempty"`  // how long to wait after the load for the backlog to empty; default 10m
	Assume     map[string]string  `yaml:"assume,omitempty"` // dotted key → why this value was assumed
	WhatsApp   Block              `yaml:"whatsapp,omitempty"`
	Sender     Block              `yaml:"sender,omitempty"`
	Target     *Target            `yaml:"target,omitempty"`
	Variants   map[string]Variant `yaml:"variants,omitempty"`
	Timeline   []Step             `yaml:"timeline,omitempty"`
	Thresholds []Threshold        `yaml:"thresholds,omitempty"`

	File string        `yaml:"-"` // where it was read from; catalog/NAME.yaml for those built in
	Idle strict.Errors `yaml:"-"` // what would strike, change or judge nothing, as far as the file tells: a run of it is invalid
	Span time.Duration `yaml:"-"` // from the start to the last message of the trace

	pace float64 // by how much a trace is faster than its file says; 0 is 1
}

// Schema is the version of the format that this package reads.
const Schema = "aftershock/scenario/v1"

// Block is a part of the file that belongs to someone else, as YAML.
type Block []byte

// defaults is the scenario that a file is laid over.
func defaults() Scenario {
	return Scenario{
		Schema:   Schema,
		Seed:     1,
		Messages: Messages{Recipients: 20000, Size: 2048},
		Client:   Client{Timeout: 10 * time.Second},
		Drain:    10 * time.Minute,
	}
}

// Load is how messages arrive.
type Load struct {
	Arrivals string  `yaml:"arrivals,omitempty"` // even (default) | poisson | trace
	Phases   []Phase `yaml:"phases,omitempty"`
	Trace    string  `yaml:"trace,omitempty"` // CSV of timestamp,to,type,size,key; phases then only name stretches of it
}

// Phase is a stretch of load with one shape: Rate, or From rising (or falling) linearly To.
type Phase struct {
	Name string        `yaml:"name"`
	For  time.Duration `yaml:"for"`
	Rate quantity.Rate `yaml:"rate,omitempty"`
	From quantity.Rate `yaml:"from,omitempty"`
	To   quantity.Rate `yaml:"to,omitempty"`
}

// Messages is what the messages look like.
type Messages struct {
	Mix        map[string]quantity.Share `yaml:"mix,omitempty"`        // type → share; the default is text alone
	Recipients int                       `yaml:"recipients,omitempty"` // default 20000
	Numbers    string                    `yaml:"numbers,omitempty"`    // a file of recipients, one a line (of a CSV, its first column), in place of made up ones
	Skew       string                    `yaml:"skew,omitempty"`       // "" (uniform) | zipf(1.1)
	Size       int                       `yaml:"size,omitempty"`       // bytes of media, default 2048
	Class      string                    `yaml:"class,omitempty"`      // otp | reply | transactional | bulk
	Tenants    int                       `yaml:"tenants,omitempty"`
}

// Client is the caller of the sender: how long it waits, and what it does then.
type Client struct {
	Timeout        time.Duration `yaml:"timeout,omitempty"` // default 10s
	Retries        int           `yaml:"retries,omitempty"`
	Backoff        time.Duration `yaml:"backoff,omitempty"`
	IdempotencyKey bool          `yaml:"idempotency_key,omitempty"`
}

// Variant is a named set of overrides, by dotted key.
type Variant map[string]any

// Step is one entry of the timeline. Exactly one of Set, Fault, the actions or Note alone is given. For ends a fault, a
// kill, a pause, a partition or a delay again.
type Step struct {
	At        time.Duration            `yaml:"at"`
	For       time.Duration            `yaml:"for,omitempty"`
	Note      string                   `yaml:"note,omitempty"`
	May       string                   `yaml:"may,omitempty"` // miss: the step may strike or change nothing; without it such a run is invalid
	Set       map[string]any           `yaml:"set,omitempty"`
	Fault     *Fault                   `yaml:"fault,omitempty"`
	Kill      string                   `yaml:"kill,omitempty"` // whatsapp/1
	Pause     string                   `yaml:"pause,omitempty"`
	Partition string                   `yaml:"partition,omitempty"`
	Delay     map[string]time.Duration `yaml:"delay,omitempty"` // whatsapp/1: 200ms, added to all that it sends
	Restart   string                   `yaml:"restart,omitempty"`
	Crash     string                   `yaml:"crash,omitempty"` // when, within for, the sender's process dies: now, in the middle of a write to its journal, or as a draft comes to a point of its way; it starts again when for is over
	Disk      string                   `yaml:"disk,omitempty"`  // full: for a time nothing can be written
	Scale     map[string]int           `yaml:"scale,omitempty"` // whatsapp: 12
}

// Action is a step that acts on replicas.
type Action struct {
	Verb   string        // kill, start, pause, resume, partition, heal, delay, restart, scale; of the process crash, start, fill, free
	Target string        // whatsapp/1, drafts
	Count  int           // for scale
	By     time.Duration // for delay; 0 ends it
	Held   bool          // a kill that a start ends, some time later
	When   string        // of a crash: one of Crashes
}

// Fault is one change in how the API behaves. Its fields besides Kind and the scope belong to the fake, which checks
// them; they are handed over as YAML.
type Fault struct {
	Kind string
	Raw  Block // the whole fault as written, kind and scope included
}

// Threshold is one line of a scenario: metric, comparison, limit.
type Threshold struct {
	ID     string        `yaml:"id"`
	Says   string        `yaml:"says,omitempty"`
	Metric string        `yaml:"metric"`
	During string        `yaml:"during,omitempty"` // a phase
	From   time.Duration `yaml:"from,omitempty"`
	To     time.Duration `yaml:"to,omitempty"`
	For    time.Duration `yaml:"for,omitempty"`    // must hold over every window of this length
	Some   time.Duration `yaml:"some,omitempty"`   // must hold, minute by minute, for this long on end at some time
	Within time.Duration `yaml:"within,omitempty"` // must hold within this long after From
	Level  string        `yaml:"level,omitempty"`  // error (default) | warn
	Is     string        `yaml:"is"`               // "> 10m", "== 0", "<= +10%"
}

// What a scenario's thresholds are.
const (
	Promise = "promise" // what has to hold
	Replay  = "replay"  // what happened
	Measure = "measure" // there are none, on purpose
)

// Replays reports whether the thresholds are statements of what happened.
func (s *Scenario) Replays() bool { return s != nil && s.Purpose == Replay }

// Measures reports whether the scenario judges nothing, and means it.
func (s *Scenario) Measures() bool { return s != nil && s.Purpose == Measure }

// overlooked is the share of the messages that an outcome may come to without a threshold that looks at it.
const overlooked = 0.001

// Overlooks returns that share.
func (s *Scenario) Overlooks() float64 {
	if s == nil || s.Overlook == nil {
		return overlooked
	}
	return float64(*s.Overlook)
}

// MayMiss reports whether the step may strike or change nothing.
func (s Step) MayMiss() bool { return s.May == "miss" }

// Duration returns the length of the load: of its phases, or of its trace when that is longer.
func (s *Scenario) Duration() time.Duration { return max(s.Load.Duration(), s.Span) }

// Preset returns the sender's preset, or "" when the scenario does not name one.
func (s *Scenario) Preset() string {
	n, err := strict.Parse("", s.Sender)
	if err != nil {
		return ""
	}
	if p := n.Field("preset"); p != nil {
		return p.Text
	}
	return ""
}

// YAML prints the scenario in one canonical form, which reads back as the same scenario.
func (s *Scenario) YAML() []byte {
	n, err := strict.Encode(s)
	if err != nil { // only a block that is not YAML, and those that were read are
		return []byte("# " + err.Error() + "\n")
	}
	return n.YAML()
}

// SHA256 is the scenario's identity: what YAML prints, hashed.
func (s *Scenario) SHA256() string {
	sum := sha256.Sum256(s.YAML())
	return hex.EncodeToString(sum[:])
}
