package record

// Gauges that count messages, where others count drafts (a message that was taken twice has two) or copies.
const (
	GBacklogMessages = "backlog_messages"          // messages held by the sender and not finished
	GExpiredMessages = "expired_messages"          // messages that stand as given up because media or validity ran out
	GFailedMessages  = "failed_messages"           // messages that stand as refused for good, dead or given up
	GDuplicated      = "duplicated_messages_total" // messages of which the API accepted more than one copy
)

// InMessages names the gauge that counts in messages what another counts in drafts.
var InMessages = map[string]string{GBacklog: GBacklogMessages, GExpired: GExpiredMessages, GFailed: GFailedMessages}

// help says what gauges count, for those who meet them by name alone.
var help = map[string]string{
	GOffered: "Messages the scenario asked for.", GUnsent: "Messages the harness could not send.",
	GFrontDoor: "Requests to the front door.", GFrontDoorFirst: "Of those, first attempts.",
	GAnswered: "Messages the sender took.", GRefused: "Messages whose callers were told no for good.",
	GAccepted: "Copies accepted by the API.", GGoodput: "Messages accepted by the API.", GDelivered: "Messages delivered.",
	GDuplicates: "Copies beyond the first that the API accepted.", GDuplicated: "Messages of which the API accepted more than one copy.",
	GExpired: "Drafts given up because media or validity ran out.", GExpiredMessages: "Messages given up because media or validity ran out.",
	GFailed: "Drafts refused for good, dead or given up.", GFailedMessages: "Messages refused for good, dead or given up.",
	GBacklog: "Drafts held by the sender and not finished.", GBacklogMessages: "Messages held by the sender and not finished.",
	GReady: "Drafts held that wait for their first dispatch.", GRetrying: "Drafts held that wait to be tried again.",
	GGivenUp: "Drafts given up with their outcome unknown.", GInFlight: "Attempts sent and not done.", GOldest: "Age of the oldest message held, in seconds.",
}

// Help says what a gauge counts.
func Help(gauge string) string {
	if text, ok := help[gauge]; ok {
		return text
	}
	return "Gauge of the run's record."
}
