package fakewa

import (
	"time"
)

// later is what will become of an accepted message. Durations count from the stage before: Fetch and Sent from
// Accepted (Sent from the fetch, where there is one), Delivered from sent, Read from delivered; a negative Read means
// never.
type later struct {
	Number, To, WAMID, Callback, Message, Type, Category string

	Key      uint64
	Copy     int
	Group    bool
	OnlySent bool // a reaction is told as sent and no further
	Silent   bool // statuses take effect without webhooks
	Accepted time.Time
	Fetch    time.Duration
	Sent     time.Duration
	Delivery time.Duration
	Read     time.Duration
	Links    []string
	Fail     *apiError
	Expired  bool
	Fault    string
}

// stage is how far a message has come.
type stage uint8

const (
	stageFetch stage = iota
	stageSent
	stageDelivered
	stageRead
	stageFailed
	stageInbound
)

var stageStatus = [...]string{stageSent: "sent", stageDelivered: "delivered", stageRead: "read", stageFailed: "failed"}

// next returns the stage after this one and how long until it takes effect.
func (l *later) next(s stage) (stage, time.Duration, bool) {
	switch s {
	case stageSent:
		if l.OnlySent {
			return 0, 0, false
		}
		return stageDelivered, l.Delivery, true
	case stageDelivered:
		return stageRead, l.Read, l.Read >= 0
	}
	return 0, 0, false
}

// update is one status or inbound message on its way to the callback.
type update struct {
	later   *later
	status  stage
	at      time.Time
	inbound *inbound

	about // its attempt is the copy and the stage that it tells of
}

func (l *later) update(s stage, at time.Time) *update {
	return &update{later: l, status: s, at: at, about: about{l.Number, l.To, l.Type, l.Key, uint64(l.Copy)*8 + uint64(s)}}
}

// entry is the ledger's line for a status.
func (l *later) entry(s stage, at time.Time) Entry {
	e := Entry{Status: stageStatus[s], Message: l.Message, Callback: l.Callback, WAMID: l.WAMID, To: l.To, Number: l.Number, Type: l.Type, Key: l.Key, Copy: l.Copy,
		At: at, Done: at, Accepted: true, Fault: l.Fault, Expired: l.Expired}
	if s == stageFailed {
		e.Code = l.Fail.code
	}
	return e
}
