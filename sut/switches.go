package sut

import "strings"

// Switch is one policy as a set of settings: turning it alone, from one preset towards another, shows what it is worth.
type Switch struct {
	Number int    // in the table of docs/policies.md
	Name   string // as a variant is called: idempotent-create
	Says   string
	Keys   []string // dotted keys, or beginnings of them
}

// Switches lists the policies in the order of docs/policies.md. Every setting in which the presets differ belongs to
// exactly one of them.
func Switches() []Switch {
	return []Switch{
		{1, "pace", "the rate limit and its burst; what a refusal for want of room says", []string{"drafts.rate_limit", "drafts.burst", "drafts.backlog.retry_after"}},
		{2, "idempotent-create", "all attempts to create a message make one draft", []string{"drafts.idempotency.mode", "whatsapp.create.idempotent"}},
		{3, "create-retry", "fewer, later retries of the front door", []string{"whatsapp.create.retries", "whatsapp.create.backoff", "whatsapp.create.jitter"}},
		{4, "classified-retry", "each answer is answered for itself", []string{"drafts.send.mode", "drafts.send.attempts", "drafts.send.backoff", "drafts.send.jitter", "drafts.send.exhausted", "drafts.send.requeue", "drafts.send.timeout", "whatsapp.api.timeout"}},
		{5, "retry-budget", "retries are paid for by successes", []string{"drafts.budget."}},
		{6, "throttle", "calls are held back when many are turned away", []string{"drafts.throttle."}},
		{7, "adaptive-limit", "the number of calls under way follows their round trip", []string{"drafts.dispatch."}},
		{8, "bounded-backlog", "the backlog has an end", []string{"drafts.backlog.max", "drafts.backlog.per_tenant"}},
		{9, "order", "strict within a conversation; fresh ones first while the backlog is old", []string{"drafts.order.conversation", "drafts.order.fresh_after", "drafts.order.park"}},
		{10, "controlled-delay", "whoever has waited too long is turned away", []string{"whatsapp.admission.codel."}},
		{11, "validity", "messages expire visibly", []string{".valid_for"}},
		{12, "deadlines", "nobody works for callers that have gone", []string{"whatsapp.create.cancel", "drafts.send.deadline"}},
		{13, "breaker", "a number that the API has stopped is left alone, and an API that fails whatever it is sent", []string{"drafts.breaker.", "drafts.provider."}},
		{14, "lanes", "important messages and small tenants are not behind the others", []string{".lane", ".weight", ".priority", "drafts.order.shards"}},
		{15, "media-at-send", "media is resolved when it is sent, and renewed", []string{"whatsapp.media."}},
		{16, "hold", "ambiguous outcomes wait for a status", []string{".hold", ".on_unknown", ".resends", "drafts.status.missing", "whatsapp.webhooks.ack"}},
		{17, "scaling", "more copies, sooner, for the right signal", []string{"whatsapp.scaling.", "whatsapp.replicas."}},
		{18, "priorities", "messages coming in go first, and the least important are shed first", []string{
			"whatsapp.admission.shed.", "whatsapp.admission.front_weight", "whatsapp.admission.back_queue", "whatsapp.admission.retry_after",
			"whatsapp.admission.max_held", "drafts.admission.",
		}},
		{19, "drain", "a backlog drains slowly after a stop", []string{"drafts.drain."}},
		{20, "whatsapp-pace", "the pace of one number and of one pair", []string{"drafts.number.", "drafts.pair."}},
	}
}

// Has reports whether a setting belongs to the switch.
func (s Switch) Has(key string) bool {
	for _, k := range s.Keys {
		switch {
		case k == key,
			strings.HasSuffix(k, ".") && strings.HasPrefix(key, k),
			strings.HasPrefix(k, ".") && strings.HasPrefix(key, "drafts.classes.") && strings.HasSuffix(key, k),
			strings.HasPrefix(key, k+"_"): // backoff_max belongs to backoff
			return true
		}
	}
	return false
}

// Between returns the settings of the switch that differ from one configuration to another, with the values of the
// other.
func (s Switch) Between(from, to Config) map[string]string {
	was, is := from.Effective(), to.Effective()
	out := map[string]string{}
	for k, v := range is {
		if v != was[k] && s.Has(k) {
			out[k] = v
		}
	}
	return out
}
