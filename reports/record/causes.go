package record

// Why a copy beyond the first was made.
const (
	ClientRetry = "client_retry"
	CreateRetry = "create_retry"
	SendRetry   = "send_retry"
	Redelivery  = "redelivery"
	Provider    = "provider"
	Unknown     = "unknown"
)

// Cause is one reason why copies are made.
type Cause struct {
	Name  string // as records and summaries write it
	Words string // "copies made because …"
	Hop   string // where the answer was lost that led to it: front_door, create, send; "" where none was
	Lost  string // what is said of a copy whose lost answer is on record
	Plain string // and of one without
}

// Causes lists every cause in the order in which reports show them.
var Causes = []Cause{
	{ClientRetry, "the client asked again although its first request had been taken", "front_door", "message taken, answer lost", "the client asked again"},
	{CreateRetry, "the draft was created again although the first creation had succeeded: its answer came too late or was lost", "create",
		"draft created, answer lost", "the draft was created again"},
	{SendRetry, "the draft was sent again although the first send had been accepted: its answer came too late or was lost", "send",
		"message sent, answer lost", "the draft was sent again"},
	{Redelivery, "the queue handed the draft out a second time: its lease had run out, or what was done with it had not been noted", "", "",
		"the queue handed the draft out again"},
	{Provider, "the provider processed one request twice", "", "", "the API processed one request twice"},
	{Unknown, "no attempt on record explains it", "", "", "no attempt on record explains it"},
}

// CauseOf returns a cause by its name; Unknown's for a name that is not known.
func CauseOf(name string) Cause {
	for _, c := range Causes {
		if c.Name == name {
			return c
		}
	}
	return Causes[len(Causes)-1]
}
