package sut

import (
	"fmt"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/sut/drafts"
	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/policy"
	"github.com/aftershock-dev/aftershock/sut/whatsapp"
)

// Presets lists the presets, in the order of history.
func Presets() []string { return []string{"incident", "mitigated", "hardened"} }

// Preset returns a whole configuration by its name.
func Preset(name string) (Config, error) {
	switch name {
	case "incident":
		return incident(), nil
	case "mitigated":
		return mitigated(), nil
	case "hardened":
		return hardened(), nil
	}
	return Config{}, fmt.Errorf("unknown preset %q: use %s", name, strings.Join(Presets(), ", "))
}

// dist reads a distribution that is written in this file.
func dist(s string) quantity.Dist {
	d, err := quantity.ParseDist(s)
	if err != nil {
		panic(err) // a typing error below; a test reads every preset
	}
	return d
}

func perMinute(n float64) quantity.Rate { return quantity.Rate{Count: n, Per: time.Minute} }
func perSecond(n float64) quantity.Rate { return quantity.Rate{Count: n, Per: time.Second} }

// incident is the sender as it was on 6 June 2025, as far as the postmortem tells; what it does not tell is assumed,
// and the scenario says so.
func incident() Config {
	one := policy.ClassRule{Lane: "", Weight: 1, Priority: 2, Then: "resend"}
	return Config{
		Preset:   "incident",
		Simulate: true,
		Health:   Health{Behind: 5 * time.Minute},
		Drafts: drafts.Config{
			RateLimit: perMinute(400),
			Burst:     1,
			Replicas: drafts.Replicas{
				Count: 2, Cores: 2, Queue: 500, Start: dist("30s"), Probe: 30 * time.Second,
				Memory: fleet.Memory{Base: 256 << 20, Request: 256 << 10},
			},
			Work:        drafts.Work{Create: dist("20ms"), Dispatch: dist("5ms"), Status: dist("1ms")},
			Idempotency: drafts.Idempotency{Mode: "off", Keep: 24 * time.Hour, Window: 15 * time.Minute},
			Backlog:     drafts.Backlog{DraftBytes: 4 << 10},
			Dispatch: drafts.Dispatch{
				InFlight: 1000, Lease: 90 * time.Second,
				Limit: policy.Limit{Kind: "fixed", Min: 4, Initial: 20, Slow: 3 * time.Second, Tolerance: 1.5, Queue: 4, Smoothing: 0.5},
			},
			Order:  drafts.Order{Conversation: "off", Park: 1000, Shards: 1},
			Number: drafts.Number{Burst: 1},
			Pair:   drafts.Pair{Burst: 1},
			Send: drafts.Send{
				Timeout: 15 * time.Second,
				SendRule: policy.SendRule{
					Mode: "any", Attempts: 5, Backoff: time.Second, Jitter: "none", Exhausted: "dead", Requeue: time.Minute,
				},
			},
			Classes: policy.Classes{Default: "transactional", OTP: one, Reply: one, Transactional: one, Bulk: one},
		},
		WhatsApp: whatsapp.Config{
			Replicas: fleet.Replicas{
				Min: 3, Max: 4, Cores: 1, Queue: 30, Balance: "rotate", Start: dist("lognormal(p50=2m, p99=6m)"), Probe: 30 * time.Second,
				Memory: fleet.Memory{Base: 256 << 20, Request: 512 << 10, Media: 4 << 20},
			},
			Scaling: fleet.Scaling{
				Signal: "cpu", Interval: 15 * time.Second, Target: 0.7, Backlog: 100, Age: time.Minute, Tolerance: 0.1,
				Damping: true, UpFactor: 1, UpCopies: 4, DownWindow: 5 * time.Minute,
			},
			Work:     whatsapp.Work{Accept: dist("60ms"), Answer: dist("10ms"), Send: dist("450ms"), Status: dist("1ms")},
			Create:   whatsapp.Create{Timeout: 5 * time.Second, Retries: 3, Jitter: "none"},
			API:      whatsapp.API{Timeout: 30 * time.Second},
			Media:    whatsapp.Media{Resolve: "at_enqueue", Timeout: 30 * time.Second, Life: 30 * 24 * time.Hour, MaxBytes: 100 << 20},
			Webhooks: whatsapp.Webhooks{Ack: "received", Flush: time.Second, Batch: 1000},
		},
	}
}

// mitigated is what was shipped after the incident: more scaling, a lower rate limit, duplicate drafts understood.
func mitigated() Config {
	c := incident()
	c.Preset = "mitigated"
	c.Drafts.RateLimit = perMinute(300)
	c.Drafts.Idempotency.Mode = "key"
	c.WhatsApp.Create.Idempotent = true
	c.WhatsApp.Replicas.Max = 16
	return c
}

// hardened is the sender as it should have been.
func hardened() Config {
	c := incident()
	c.Preset = "hardened"
	c.Drafts.RateLimit = perSecond(75) // just below what WhatsApp gives one number, 80/s
	c.Drafts.Burst = 10
	c.Drafts.Admission = fleet.Admission{RetryAfter: 2 * time.Second, MaxHeld: 5000, FrontWeight: 2}
	c.Drafts.Idempotency.Mode = "key"
	c.Drafts.Backlog = drafts.Backlog{Max: 200_000, PerTenant: 0.5, RetryAfter: 30 * time.Second, DraftBytes: 4 << 10}
	c.Drafts.Dispatch.InFlight = 500
	c.Drafts.Dispatch.Limit.Kind = "gradient"
	c.Drafts.Order = drafts.Order{Conversation: "strict", Park: 2000, FreshAfter: 10 * time.Minute, Shards: 4}
	c.Drafts.Number = drafts.Number{Rate: perSecond(75), Burst: 10, Adapt: policy.Adapt{Cut: 0.2, Grow: 0.03}}
	c.Drafts.Pair = drafts.Pair{Every: 6 * time.Second, Burst: 40}
	c.Drafts.Budget = policy.Budget{PerSuccess: 0.1, Timeout: 2, Floor: 2, Cap: 100}
	c.Drafts.Throttle = policy.Throttle{K: 2, Window: 2 * time.Minute, Probe: time.Second}
	c.Drafts.Breaker = policy.Breaker{Open: 30 * time.Second, OpenMax: 10 * time.Minute, After: 3}
	c.Drafts.Provider = policy.Breaker{Open: 10 * time.Second, OpenMax: 20 * time.Second, After: 5, Close: 3}
	c.Drafts.Drain = drafts.Drain{Factor: 2, Double: 30 * time.Second, Until: time.Minute}
	c.Drafts.Status.Missing = 15 * time.Minute
	c.Drafts.Send = drafts.Send{
		Timeout: 20 * time.Second, Deadline: true,
		SendRule: policy.SendRule{
			Mode: "classified", Attempts: 5, Backoff: time.Second, BackoffMax: 2 * time.Minute, Jitter: "full",
			Exhausted: "dead", Requeue: time.Minute,
		},
	}
	c.Drafts.Classes = policy.Classes{
		Default:       "transactional",
		OTP:           policy.ClassRule{Lane: "agent", Weight: 8, Priority: 0, ValidFor: 10 * time.Minute, Hold: 30 * time.Second, Then: "resend", Resends: 2},
		Reply:         policy.ClassRule{Lane: "agent", Weight: 8, Priority: 1, ValidFor: 15 * time.Minute, Hold: 2 * time.Minute, Then: "stay"},
		Transactional: policy.ClassRule{Lane: "transactional", Weight: 4, Priority: 2, ValidFor: 4 * time.Hour, Hold: 2 * time.Minute, Then: "resend", Resends: 1},
		Bulk:          policy.ClassRule{Lane: "bulk", Weight: 1, Priority: 3, ValidFor: 4 * time.Hour, Hold: 2 * time.Minute, Then: "drop"},
	}
	c.WhatsApp.Replicas.Max = 24
	c.WhatsApp.Replicas.Start = dist("lognormal(p50=30s, p99=45s)") // warm pool, image at hand
	c.WhatsApp.Replicas.Balance = "least"
	c.WhatsApp.Replicas.Probe = 10 * time.Second
	c.WhatsApp.Scaling.Signal = "all"
	c.WhatsApp.Scaling.Target = 0.6
	c.WhatsApp.Scaling.Backlog = 30
	c.WhatsApp.Scaling.Age = 30 * time.Second
	c.WhatsApp.Scaling.Damping = false
	c.WhatsApp.Admission = fleet.Admission{
		RetryAfter: 2 * time.Second, MaxHeld: 5000, FrontWeight: 8, BackQueue: 4,
		CoDel: policy.CoDel{Interval: 30 * time.Second, Target: 5 * time.Second},
		Shed:  policy.Shed{Wait: 2 * time.Second, Window: time.Second, Requests: 2000, Down: 0.05, Up: 0.01},
	}
	c.WhatsApp.Create = whatsapp.Create{
		Timeout: 5 * time.Second, Retries: 2, Backoff: 200 * time.Millisecond, BackoffMax: 2 * time.Second, Jitter: "full",
		Idempotent: true, Cancel: true,
	}
	c.WhatsApp.API.Timeout = 10 * time.Second
	c.WhatsApp.Media.Resolve = "at_send"
	c.WhatsApp.Media.Life, c.WhatsApp.Media.Margin = time.Hour, 10*time.Minute
	c.WhatsApp.Media.Negative = 15 * time.Minute
	c.WhatsApp.Webhooks.Ack = "stored"
	return c
}
