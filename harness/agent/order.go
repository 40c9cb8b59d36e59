package agent

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/harness"
)

// Order is a run as an agent is told of it.
type Order struct {
	Run      string  `json:"run"`    // id of the run
	Shard    int     `json:"shard"`  // this agent sends messages shard+1, shard+1+shards, …
	Shards   int     `json:"shards"` // how many agents share the arrivals
	Scenario []byte  `json:"scenario"`
	Trace    string  `json:"trace,omitempty"` // where the scenario's trace lies, on every machine
	Compress float64 `json:"compress"`
	harness.Aim
}

// Mine reports whether a message, counted from 1, belongs to the order's share.
func (o Order) Mine(number uint64) bool {
	return number > 0 && int((number-1)%uint64(o.Shards)) == o.Shard
}

// hello is how an agent answers a call.
type hello struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Busy    bool   `json:"busy,omitempty"`
	Nonce   string `json:"nonce,omitempty"`
}

// prepared is how an agent answers an order.
type prepared struct {
	Hits  int    `json:"hits"`
	Error string `json:"error,omitempty"`
}

// clockReading is an agent's clock, Unix nanoseconds.
type clockReading struct {
	Now int64 `json:"now"`
}

// begin tells an agent when to start, by its own clock.
type begin struct {
	At int64 `json:"at"`
}

// receipt answers everything that needs no other answer.
type receipt struct {
	Error string `json:"error,omitempty"`
	Stop  bool   `json:"stop,omitempty"` // the run is over, whatever the agent has left
}

// finish is an agent's last word about a run.
type finish struct {
	Agent      string   `json:"agent"`
	Rows       int      `json:"rows"`
	Batches    int      `json:"batches"`
	Histograms [][]byte `json:"histograms"`
	Error      string   `json:"error,omitempty"`
}

// Subjects of a group of agents.
type subjects struct{ group string }

func (s subjects) call() string { return "aftershock." + s.group + ".call" }
func (s subjects) agent(id, door string) string {
	return "aftershock." + s.group + ".agent." + id + "." + door
}
func (s subjects) rows(run string) string { return "aftershock." + s.group + ".run." + run + ".rows" }
func (s subjects) finish(run string) string {
	return "aftershock." + s.group + ".run." + run + ".finish"
}

// Headers of a batch of rows.
const (
	headAgent = "Agent"
	headBatch = "Batch"
)

// Pace of the conversation.
const (
	flushEvery  = 200 * time.Millisecond // an agent tells what it has, or that it has nothing
	answerIn    = 2 * time.Second        // one request on the wire
	giveUpAfter = 10 * time.Second       // an agent that nobody listens to stops sending load
	batchBytes  = 256 << 10              // a batch is sent when it has grown this large
)

// DefaultGroup is the group that agents belong to unless told otherwise.
const DefaultGroup = "agents"

// checkToken accepts what can be part of a subject.
func checkToken(what, s string) error {
	if s == "" || len(s) > 100 || strings.ContainsAny(s, " .*>\t\r\n") {
		return fmt.Errorf("%s %q: use letters, digits, dashes and underscores", what, s)
	}
	return nil
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // only our own plain structs
		panic(err)
	}
	return b
}

func decode[T any](data []byte) (T, error) {
	var v T
	err := json.Unmarshal(data, &v)
	return v, err
}
