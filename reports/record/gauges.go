package record

// The names of gauges. A name ending in _total is a counter: cumulative since the start of the run.
const (
	GOffered        = "offered_total"             // hits the scenario asked for
	GUnsent         = "unsent_total"              // hits the harness could not send
	GFrontDoor      = "front_door_attempts_total" // requests to POST /v1/messages
	GFrontDoorFirst = "front_door_first_total"    // of those, first attempts
	GAnswered       = "answered_total"            // messages the sender took (2xx)
	GRefused        = "refused_total"             // messages the sender would not take, for good
	GFrontTimeouts  = "front_door_timeouts_total"
	GFront503       = "front_door_503_total"
	GCreate         = "create_attempts_total"
	GCreateFirst    = "create_first_total"
	GCreateTimeouts = "create_timeouts_total"
	GSend           = "send_attempts_total"
	GSendFirst      = "send_first_total"
	GSendTimeouts   = "send_timeouts_total"
	GSend503        = "send_503_total"
	GAPI            = "api_attempts_total" // requests to the Cloud API's messages endpoint
	GAPIFirst       = "api_first_total"    // of those, the first for their message
	GAccepted       = "accepted_total"     // accepted by the API, copies included
	GGoodput        = "goodput_total"      // distinct messages accepted by the API
	GDuplicates     = "duplicates_total"   // copies beyond the first
	GDelivered      = "delivered_total"    // distinct messages delivered
	GMediaErrors    = "media_errors_total" // API refusals because media had expired
	GExpired        = "expired_total"      // messages that stand as given up because media or validity ran out
	GFailed         = "failed_total"       // messages that stand as refused for good, dead or given up
	GLost           = "lost_total"
	GAPIErrors      = "api_errors_total" // answers other than 200; by code as api_error_<code>_total

	GOfferedRate    = "offered_rate"             // hits a second the scenario asks for at this instant
	GBacklog        = "backlog"                  // messages held by the sender and not finished
	GReady          = "ready"                    // drafts held that wait for their first dispatch
	GRetrying       = "retrying"                 // drafts held that wait to be tried again
	GInFlight       = "in_flight"                // attempts towards the WhatsApp service, sent and not done
	GOldest         = "oldest_age_s"             // age of the oldest message held, from its creation
	GUnknown        = "unknown"                  // sends whose outcome is not known
	GHeld           = "ambiguous_total"          // sends that were held because their outcome was not known
	GResolved       = "ambiguous_resolved_total" // of those, proved by a status within the hold
	GResolvedLate   = "ambiguous_late_total"     // of those, proved by a status after the hold
	GIllegal        = "illegal_steps_total"      // steps of drafts that their state machine does not allow
	GGivenUp        = "given_up_total"           // drafts given up with their outcome unknown
	GReplicasReady  = "whatsapp_replicas_ready"
	GReplicasWant   = "whatsapp_replicas_wanted" // what the scaling rule asks for, before the ceiling
	GReplicasMax    = "whatsapp_replicas_max"    // the ceiling
	GWhatsAppCPU    = "whatsapp_cpu_cores"       // cores busy, averaged since the last reading
	GWhatsAppMem    = "whatsapp_memory_bytes"
	GDraftsCPU      = "drafts_cpu_cores"
	GDraftsMem      = "drafts_memory_bytes"
	GDraftsReplicas = "drafts_replicas_ready"
	GWasted         = "wasted_core_s_total" // core seconds spent on abandoned, duplicate or media-failed work
	GWork           = "work_core_s_total"   // core seconds spent
	GRateLimit      = "rate_limit"          // Drafts' limit, messages a second
	GDeliveryP50    = "delivery_p50_s"      // of messages delivered since the last reading; absent when there were none
	GDeliveryP99    = "delivery_p99_s"
	GResponseP50    = "response_p50_s" // front door, of messages answered since the last reading
	GResponseP99    = "response_p99_s"
	GSendP50        = "send_p50_s" // service time of sends (timeouts counted at the time they were given up)
	GSendP99        = "send_p99_s"
	GLateness       = "lateness_p99_s" // of hits since the last reading
)

// GOwn is before the name of a gauge that a sender of one's own tells, where it is none of those above.
const GOwn = "own_"

// What a part used of the machine, when parts are processes or containers: part_whatsapp_1_cpu_cores, averaged since the
// last reading, and part_whatsapp_1_memory_bytes.
const (
	GPart       = "part_" // before the part's name
	GPartCPU    = "_cpu_cores"
	GPartMemory = "_memory_bytes"
)
