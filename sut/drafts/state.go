package drafts

// The send state machine. A draft is one copy of a message; this file is the whole of what can become of it.
//
//	queued ──▶ claimed ──▶ sending ──▶ accepted ──▶ sent ──▶ delivered ──▶ read
//	  ▲           │           │  │         ▲                    (statuses: in any order, some left out)
//	  │           │           │  └─▶ unknown ── a status webhook tells: accepted
//	  │           │           │         │
//	  └── retry ──┴───────────┴─────────┘ the hold is over, and the class allows another send
//
//	anything unfinished ──▶ expired | failed | cancelled | dead;   unknown ──▶ unknown for good
//
// What ends a claim, and with it every way back to queued, is decided in sut/policy (SendRule.Decide and AfterHold);
// what moves a draft on from accepted is a status webhook.

// State is where a draft stands.
type State uint8

// The states. Those from Accepted on are finished: the sender has nothing left to do.
const (
	Queued    State = iota // waiting in the backlog
	Claimed                // a dispatcher has it
	Sending                // an attempt is on its way
	Held                   // an attempt's outcome is unknown; waiting for a status
	Accepted               // the API took it
	Sent                   // status sent
	Delivered              // status delivered
	Read                   // status read
	Expired                // given up: media or validity ran out
	Failed                 // given up: refused for good
	Cancelled              // given up: the client said so
	Dead                   // given up: attempts used up; it lies among the dead letters
	Unknown                // given up: nobody can tell whether it was accepted
	states
)

var stateNames = [states]string{
	"queued", "claimed", "sending", "unknown", "accepted", "sent", "delivered", "read",
	"expired", "failed", "cancelled", "dead", "unknown",
}

// String names the state.
func (s State) String() string { return stateNames[s] }

// Finished reports whether the sender has nothing left to do for a draft in this state.
func (s State) Finished() bool { return s >= Accepted }

// Taken reports whether the API is known to have taken the draft.
func (s State) Taken() bool { return s >= Accepted && s <= Read }

// rank orders finished states by how good they are for the message: when a message has several drafts, the best one
// tells how the message ended.
func (s State) rank() int {
	switch s {
	case Read:
		return 9
	case Delivered:
		return 8
	case Sent:
		return 7
	case Accepted:
		return 6
	case Unknown:
		return 5
	case Expired:
		return 4
	case Failed:
		return 3
	case Dead:
		return 2
	case Cancelled:
		return 1
	}
	return 0
}

// may lists which states follow a state.
var may = [states][]State{
	Queued:    {Claimed, Accepted, Expired, Cancelled, Failed, Dead},
	Claimed:   {Queued, Sending, Held, Accepted, Expired, Cancelled, Failed, Dead, Unknown},
	Sending:   {Claimed, Queued, Held, Accepted, Expired, Failed, Dead, Unknown},
	Held:      {Claimed, Accepted, Expired, Cancelled, Unknown, Failed},
	Accepted:  {Sent, Delivered, Read, Failed},
	Sent:      {Delivered, Read, Failed},
	Delivered: {Read},
	Unknown:   {Accepted, Sent, Delivered, Read, Failed, Queued},
	Dead:      {Queued, Accepted, Sent, Delivered, Read},
	Expired:   {Accepted, Sent, Delivered, Read},
	Failed:    {Sent, Delivered, Read},
}

// CanBecome reports whether a draft may move from one state to another. A late status corrects every judgement of
// the sender's own: what the API says it took, it took.
func (s State) CanBecome(next State) bool {
	for _, n := range may[s] {
		if n == next {
			return true
		}
	}
	return false
}

// Step is one step of a draft; one that is not legal is not taken, unless it ends the draft.
type Step struct {
	Draft    string
	From, To State
	Legal    bool
}

// statusState is the state that a status webhook tells of.
func statusState(status string) (State, bool) {
	switch status {
	case "sent":
		return Sent, true
	case "delivered":
		return Delivered, true
	case "read", "played":
		return Read, true
	case "failed":
		return Failed, true
	}
	return 0, false
}
