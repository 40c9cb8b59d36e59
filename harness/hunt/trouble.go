package hunt

import (
	"fmt"
	"time"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// trouble is one kind of thing that befalls a sender. A new one is one row below.
type trouble struct {
	name  string
	ours  bool // it needs the reference sender
	alone bool // two of these never overlap
	draw  func(d *dice, s *scenarios.Step)
}

// troubles lists everything that a hunt does to a sender.
func troubles() []trouble {
	out := []trouble{
		fault("latency", func(d *dice) string {
			return fmt.Sprintf("where: %s, add: 'lognormal(p50=%v, p99=%v)'", one(d, []string{"messages", "all"}), d.span(100*time.Millisecond, 8*time.Second), d.span(9*time.Second, 40*time.Second))
		}),
		fault("error", func(d *dice) string {
			return fmt.Sprintf("code: %d, share: %d%%", one(d, []int{131000, 131016, 130429, 131056, 131026, 80007, 4, 2}), share(d))
		}),
		fault("reply-lost", func(d *dice) string {
			return fmt.Sprintf("how: %s, share: %d%%", one(d, []string{"dropped", "late", "reset", "error"}), share(d))
		}),
		fault("refuse-connections", func(*dice) string { return "" }),
		fault("reset", func(d *dice) string { return fmt.Sprintf("share: %d%%", share(d)) }),
		fault("slow-body", func(d *dice) string {
			return fmt.Sprintf("share: %d%%, over: %v", share(d), d.span(time.Second, time.Minute))
		}),
		fault("truncate", func(d *dice) string { return fmt.Sprintf("share: %d%%", share(d)) }),
		fault("not-json", func(d *dice) string { return fmt.Sprintf("share: %d%%", share(d)) }),
		fault("throttle", func(d *dice) string { return fmt.Sprintf("throughput: %d/s", d.between(1, 5)) }),
		fault("media-expiry", func(*dice) string { return "upload_life: 5s" }),
		fault("webhook", func(d *dice) string {
			how := one(d, []string{"delayed", "lost", "duplicated", "reordered", "batched"})
			if how == "lost" || how == "batched" {
				return fmt.Sprintf("how: %s, share: %d%%", how, share(d))
			}
			return fmt.Sprintf("how: %s, share: %d%%, by: %v", how, share(d), d.span(time.Second, 2*time.Minute))
		}),
		{name: "kill", ours: true, draw: func(d *dice, s *scenarios.Step) { s.Kill = copyOf(d) }},
		{name: "pause", ours: true, draw: func(d *dice, s *scenarios.Step) { s.Pause = copyOf(d) }},
		{name: "partition", ours: true, draw: func(d *dice, s *scenarios.Step) { s.Partition = copyOf(d) }},
		{name: "restart", ours: true, draw: func(d *dice, s *scenarios.Step) { s.Restart, s.For = copyOf(d), 0 }},
		{name: "scale", ours: true, draw: func(d *dice, s *scenarios.Step) {
			s.Scale, s.For = map[string]int{"whatsapp": d.between(1, 6)}, 0
		}},
		{name: "set", ours: true, draw: func(d *dice, s *scenarios.Step) { s.Set, s.For = setting(d), 0 }},
		{name: "disk", ours: true, alone: true, draw: func(_ *dice, s *scenarios.Step) { s.Disk = "full" }},
	}
	for _, when := range scenarios.Crashes {
		out = append(out, trouble{name: "crash " + when, ours: true, alone: true, draw: func(_ *dice, s *scenarios.Step) { s.Crash = when }})
	}
	return out
}

// fault is a trouble of the API; fields are those beside its kind.
func fault(kind string, fields func(d *dice) string) trouble {
	return trouble{name: kind, draw: func(d *dice, s *scenarios.Step) {
		raw := "{kind: " + kind
		if f := fields(d); f != "" {
			raw += ", " + f
		}
		s.Fault = &scenarios.Fault{Kind: kind, Raw: scenarios.Block(raw + "}")}
	}}
}

// share is how many of the requests are struck, in per cent: some, or all.
func share(d *dice) int {
	if d.yes(.3) {
		return 100
	}
	return d.between(5, 80)
}

// copyOf names a copy of a service, or all of its copies.
func copyOf(d *dice) string {
	return one(d, []string{"whatsapp/1", "whatsapp/2", "drafts/1", "drafts/2", "whatsapp", "drafts"})
}

// setting is a setting that changes while the sender works.
func setting(d *dice) map[string]any {
	switch d.less(4) {
	case 0:
		return map[string]any{"sender.drafts.rate_limit": fmt.Sprintf("%d/s", d.between(1, 40))}
	case 1:
		return map[string]any{"whatsapp.limits.throughput": fmt.Sprintf("%d/s", d.between(2, 80))}
	case 2:
		return map[string]any{"sender.drafts.dispatch.in_flight": fmt.Sprint(d.between(20, 200))}
	}
	return map[string]any{"sender.whatsapp.api.timeout": d.span(2*time.Second, 20*time.Second).String()}
}

// nameOf is the trouble that a step is of.
func nameOf(s scenarios.Step) string {
	switch {
	case s.Fault != nil:
		return s.Fault.Kind
	case s.Crash != "":
		return "crash " + s.Crash
	case s.Disk != "":
		return "disk"
	case s.Kill != "":
		return "kill"
	case s.Pause != "":
		return "pause"
	case s.Partition != "":
		return "partition"
	case s.Restart != "":
		return "restart"
	case len(s.Scale) > 0:
		return "scale"
	case len(s.Set) > 0:
		return "set"
	}
	return ""
}
