package record

// Gauges that count drafts, of which a message that was taken twice has two, and messages where others count copies.
const (
	GDraftsHeld    = "drafts_held"               // drafts held by the sender and not finished
	GDraftsExpired = "drafts_expired_total"      // drafts given up because media or validity ran out
	GDraftsFailed  = "drafts_failed_total"       // drafts refused for good, dead or given up
	GDuplicated    = "duplicated_messages_total" // messages of which the API accepted more than one copy
)

// help says what gauges count, for those who meet them by name alone.
var help = map[string]string{
	GOffered: "Messages the scenario asked for.", GUnsent: "Messages the harness could not send.",
	GFrontDoor: "Requests to the front door.", GFrontDoorFirst: "Of those, first attempts.",
	GAnswered: "Messages the sender took.", GRefused: "Messages whose callers were told no for good.",
	GAccepted: "Copies accepted by the API.", GGoodput: "Messages accepted by the API.", GDelivered: "Messages delivered.",
	GDuplicates: "Copies beyond the first that the API accepted.", GDuplicated: "Messages of which the API accepted more than one copy.",
	GExpired: "Messages given up because media or validity ran out.", GDraftsExpired: "Drafts given up because media or validity ran out.",
	GFailed: "Messages refused for good, dead or given up.", GDraftsFailed: "Drafts refused for good, dead or given up.",
	GBacklog: "Messages held by the sender and not finished.", GDraftsHeld: "Drafts held by the sender and not finished.",
	GReady: "Drafts held that wait for their first dispatch.", GRetrying: "Drafts held that wait to be tried again.",
	GIllegal: "Steps of drafts that their state machine does not allow: a fault of the sender.",
	GGivenUp: "Drafts given up with their outcome unknown.", GInFlight: "Attempts sent and not done.", GOldest: "Age of the oldest message held, in seconds.",
}

// Help says what a gauge counts.
func Help(gauge string) string {
	if text, ok := help[gauge]; ok {
		return text
	}
	return "Gauge of the run's record."
}
