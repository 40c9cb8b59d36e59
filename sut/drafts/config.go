package drafts

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/policy"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// Config is every setting of the Drafts service.
type Config struct {
	RateLimit   quantity.Rate   `yaml:"rate_limit"` // drafts taken from the backlog; zero is no limit
	Burst       int             `yaml:"burst"`      // drafts that may be taken at once after a rest
	Replicas    Replicas        `yaml:"replicas"`
	Work        Work            `yaml:"work"`
	Admission   fleet.Admission `yaml:"admission"`
	Idempotency Idempotency     `yaml:"idempotency"`
	Backlog     Backlog         `yaml:"backlog"`
	Dispatch    Dispatch        `yaml:"dispatch"`
	Send        Send            `yaml:"send"`
	Classes     policy.Classes  `yaml:"classes"`
	Order       Order           `yaml:"order"`
	Number      Number          `yaml:"number"`
	Pair        Pair            `yaml:"pair"`
	Budget      policy.Budget   `yaml:"budget"`   // pays for retries; zero is off
	Throttle    policy.Throttle `yaml:"throttle"` // holds calls back when many are turned away; zero is off
	Breaker     policy.Breaker  `yaml:"breaker"`  // stops a number that the API has stopped; zero is off
	Provider    policy.Breaker  `yaml:"provider"` // stops everything while the API fails whatever it is sent; zero is off
	Drain       Drain           `yaml:"drain"`
	Status      Status          `yaml:"status"`
}

// Order is the order in which drafts are handed over.
type Order struct {
	Conversation string        `yaml:"conversation"` // off | strict: one after the other, in order of creation
	Park         int           `yaml:"park"`         // drafts that may wait for their turn outside the queue
	FreshAfter   time.Duration `yaml:"fresh_after"`  // when the oldest is older, new drafts of other conversations go first; 0 is off
	Shards       int           `yaml:"shards"`       // parts of a lane among which tenants are spread and which take turns
}

// Number is the pace of one phone number.
type Number struct {
	Rate  quantity.Rate `yaml:"rate"` // zero is no limit
	Burst int           `yaml:"burst"`
	Adapt policy.Adapt  `yaml:"adapt"` // follows what the API lets through; zero keeps to the rate
}

// Pair is the pace from one number to one recipient.
type Pair struct {
	Every time.Duration `yaml:"every"` // 0 is no limit
	Burst int           `yaml:"burst"`
}

// Drain caps how fast a backlog is worked off after a stop (a pause, or a minute in which nothing got through).
type Drain struct {
	Factor float64       `yaml:"factor"` // at most this many times the rate at which drafts come in; 0 is off
	Double time.Duration `yaml:"double"` // the factor doubles each time this has gone by; 0: it stays
	Until  time.Duration `yaml:"until"`  // the cap ends when the oldest draft is younger than this
}

// cap is the most that is taken from the backlog a second, so long after the stop.
func (d Drain) cap(arrivals float64, after time.Duration) float64 {
	factor := d.Factor
	if d.Double > 0 {
		factor *= math.Exp2(min(after.Seconds()/d.Double.Seconds(), 20))
	}
	return factor * arrivals
}

// Status is what is expected of status webhooks.
type Status struct {
	Missing time.Duration `yaml:"missing"` // an accepted draft without any status for this long is counted as missing; 0 is off
}

// Replicas are the copies of the Drafts service; their number is fixed.
type Replicas struct {
	Count  int           `yaml:"count"`
	Cores  int           `yaml:"cores"`
	Queue  int           `yaml:"queue"` // requests that may wait in one copy; 503 beyond; 0 is unbounded
	Start  quantity.Dist `yaml:"start"` // how long a copy takes to come back
	Probe  time.Duration `yaml:"probe"` // how long a copy that does not answer stays in rotation
	Memory fleet.Memory  `yaml:"memory"`
}

// Work is how long each kind of work holds a core.
type Work struct {
	Create   quantity.Dist `yaml:"create"`   // creating a draft
	Dispatch quantity.Dist `yaml:"dispatch"` // handing a draft over, per attempt
	Status   quantity.Dist `yaml:"status"`   // taking in one status
}

// Idempotency is what makes two creates one draft.
type Idempotency struct {
	Mode   string        `yaml:"mode"`   // off | key
	Keep   time.Duration `yaml:"keep"`   // how long a key, and the state of a finished message, is remembered
	Window time.Duration `yaml:"window"` // how long the queue refuses a draft that it has had; it costs the queue memory
}

// Backlog bounds what is held.
type Backlog struct {
	Max        int64          `yaml:"max"`         // drafts held in all; 0 is unbounded
	PerTenant  quantity.Share `yaml:"per_tenant"`  // the most of it that one tenant may hold; 0 is all of it
	RetryAfter time.Duration  `yaml:"retry_after"` // told with a refusal
	DraftBytes int64          `yaml:"draft_bytes"` // the model's memory of one held draft
}

// Dispatch is how drafts are handed over.
type Dispatch struct {
	InFlight int           `yaml:"in_flight"` // drafts being handed over at a time, at the most
	Limit    policy.Limit  `yaml:"limit"`     // how the number below that is found
	Lease    time.Duration `yaml:"lease"`     // how long the queue lets a draft be held; parked ones are extended in time
}

// limit is the rule for calls under way.
func (d *Dispatch) limit() policy.Limit {
	l := d.Limit
	l.Max = d.InFlight
	return l
}

// Send is how Drafts calls the WhatsApp service.
type Send struct {
	Timeout         time.Duration `yaml:"timeout"`
	Deadline        bool          `yaml:"deadline"` // tell the WhatsApp service until when we listen; it then does not begin a call that is too late
	policy.SendRule `yaml:",inline"`
}

// Validate tells everything that is wrong.
func (c *Config) Validate() error {
	var errs []error
	bad := func(ok bool, key, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("drafts.%s: "+format, append([]any{key}, args...)...))
		}
	}
	oneOf := func(v, key string, among ...string) {
		for _, a := range among {
			if v == a {
				return
			}
		}
		bad(false, key, "%q is not one of %v", v, among)
	}
	errs = append(errs, c.Settings().Replicas.Validate("drafts.replicas"))
	bad(c.Burst >= 1, "burst", "%d; at least 1 is needed", c.Burst)
	oneOf(c.Idempotency.Mode, "idempotency.mode", "off", "key")
	bad(c.Idempotency.Keep > 0, "idempotency.keep", "has to be above 0")
	bad(c.Idempotency.Window > 0, "idempotency.window", "has to be above 0")
	bad(c.Backlog.Max >= 0, "backlog.max", "%d; write 0 for unbounded", c.Backlog.Max)
	bad(c.Dispatch.InFlight >= 1, "dispatch.in_flight", "%d; at least 1 is needed", c.Dispatch.InFlight)
	bad(c.Send.Timeout > 0, "send.timeout", "has to be above 0")
	bad(c.Send.Attempts >= 1, "send.attempts", "%d; at least 1 is needed", c.Send.Attempts)
	bad(c.Send.Backoff >= 0 && c.Send.BackoffMax >= 0, "send.backoff", "negative")
	oneOf(c.Dispatch.Limit.Kind, "dispatch.limit.kind", "fixed", "aimd", "gradient")
	if l := c.Dispatch.Limit; l.Kind != "fixed" {
		bad(l.Min >= 1 && l.Min <= c.Dispatch.InFlight, "dispatch.limit.min", "%d is not within 1 and in_flight %d", l.Min, c.Dispatch.InFlight)
		bad(l.Initial >= l.Min && l.Initial <= c.Dispatch.InFlight, "dispatch.limit.initial", "%d is not within min %d and in_flight %d", l.Initial, l.Min, c.Dispatch.InFlight)
		bad(l.Kind == "aimd" || l.Tolerance >= 1 && l.Queue > 0 && l.Smoothing > 0 && l.Smoothing <= 1, "dispatch.limit.tolerance", "gradient needs tolerance from 1, queue above 0 and smoothing within 0 and 1")
	}
	bad(c.Dispatch.Lease > 0, "dispatch.lease", "has to be above 0")
	oneOf(c.Order.Conversation, "order.conversation", "off", "strict")
	bad(c.Order.Park >= 0, "order.park", "negative")
	bad(c.Order.Shards >= 1 && c.Order.Shards <= 64, "order.shards", "%d is not within 1 and 64", c.Order.Shards)
	bad(c.Pair.Every == 0 || c.Pair.Burst >= 1, "pair.burst", "%d; at least 1 is needed", c.Pair.Burst)
	bad(c.Number.Rate.IsZero() || c.Number.Burst >= 1, "number.burst", "%d; at least 1 is needed", c.Number.Burst)
	bad(c.Number.Adapt.Cut >= 0 && c.Number.Adapt.Cut < 1, "number.adapt.cut", "%v; write 0%% for a fixed pace, or less than 100%%", c.Number.Adapt.Cut)
	bad(c.Number.Adapt.Off() || c.Number.Adapt.Grow > 0, "number.adapt.grow", "has to be above 0, or a pace that was cut never comes back")
	bad(c.Drain.Factor == 0 || c.Drain.Factor >= 1, "drain.factor", "%v; write 0 for no cap, or at least 1", c.Drain.Factor)
	bad(c.Drain.Double >= 0, "drain.double", "negative")
	for key, b := range map[string]policy.Breaker{"breaker": c.Breaker, "provider": c.Provider} {
		bad(b.Open >= 0 && b.OpenMax >= 0 && b.After >= 0 && b.Close >= 0, key, "a setting of it is negative")
	}
	oneOf(c.Send.Mode, "send.mode", "any", "classified")
	oneOf(c.Send.Jitter, "send.jitter", "none", "full")
	oneOf(c.Send.Exhausted, "send.exhausted", "dead", "requeue")
	oneOf(c.Classes.Default, "classes.default", policy.ClassNames()...)
	for _, name := range policy.ClassNames() {
		r, _ := c.Classes.Named(name)
		oneOf(r.Then, "classes."+name+".on_unknown", "resend", "stay", "drop")
		bad(r.ValidFor >= 0, "classes."+name+".valid_for", "negative")
		bad(r.Hold >= 0, "classes."+name+".hold", "negative")
		bad(r.Priority >= 0 && r.Priority <= 3, "classes."+name+".priority", "%d is not within 0 and 3", r.Priority)
		bad(r.Resends >= 0, "classes."+name+".resends", "negative")
	}
	return errors.Join(errs...)
}

// Queue is what the settings ask of the queue. A tenant's share is for the books alone: the queue would count it in each
// lane, and drafts without a tenant as one tenant.
func (c *Config) Queue() queue.Config {
	return queue.Config{MaxItems: int(c.Backlog.Max), DedupeWindow: c.Idempotency.Window, Lease: c.Dispatch.Lease}
}

// Settings is the fleet's part of the configuration: a fixed number of copies.
func (c *Config) Settings() fleet.Settings {
	r := c.Replicas
	return fleet.Settings{
		Replicas: fleet.Replicas{
			Min: r.Count, Max: r.Count, Cores: r.Cores, Queue: r.Queue, Balance: "rotate", Start: r.Start, Probe: r.Probe, Memory: r.Memory,
		},
		Scaling:   fleet.Scaling{Signal: "none", Interval: 15 * time.Second},
		Admission: c.Admission,
	}
}
