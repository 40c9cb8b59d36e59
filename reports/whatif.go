package reports

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// What-ifs: runs of one load that differ in anything else, set side by side.

// loadOf identifies what was offered: the load and the messages. With the seed it says which message is due when.
func loadOf(s *scenarios.Scenario) string {
	c := scenarios.Scenario{Schema: s.Schema, Load: s.Load, Messages: s.Messages}
	sum := sha256.Sum256(c.YAML())
	return hex.EncodeToString(sum[:])
}

// wordsAlone are parts of a scenario that change nothing in a run.
var wordsAlone = []string{"schema", "name", "title", "notes", "seed", "start", "purpose", "overlook", "assume", "variants", "thresholds", "load", "messages", "sender", "whatsapp"}

// arrivalsOf identifies what a trace offered: its file may change under one name. "" without a trace, where loadOf and the seed
// say it all.
func arrivalsOf(s *scenarios.Scenario, messages []record.Message) string {
	if s.Load.Trace == "" {
		return ""
	}
	sum := sha256.New()
	for i := range messages {
		m := &messages[i]
		fmt.Fprintf(sum, "%s %d %s %s\n", m.ID, m.Scheduled, m.Type, m.To)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// settingsOf is everything in a run that may differ between two of one load, by dotted key: what was in force at the start,
// and what the scenario says besides.
func settingsOf(info record.Info, s *scenarios.Scenario) map[string]string {
	out := map[string]string{}
	if n, err := strict.Parse("", s.YAML()); err == nil { // it was printed by us
		for _, f := range n.Fields {
			if !slices.Contains(wordsAlone, f.Key) {
				f.Value.Flatten(f.Key, out)
			}
		}
	}
	for k, v := range info.Effective {
		out[k] = v
	}
	return out
}

// labelOf names a run by what it was told besides its scenario.
func labelOf(info record.Info) string {
	parts := slices.Clone(info.Scenario.Variants)
	for k, v := range info.Scenario.Overrides {
		parts = append(parts, k+"="+v)
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		return cmp.Or(info.Scenario.Name, info.ID)
	}
	return strings.Join(parts, " + ")
}

// Difference is one setting on two sides; "" where a side does not have it.
type Difference struct {
	Key       string `json:"key"`
	Base      string `json:"base"`
	Candidate string `json:"candidate"`
}

// Differences lists the settings in which two sides differ, by key.
func Differences(base, candidate *Baseline) []Difference {
	out := []Difference{}
	if len(base.Settings) == 0 || len(candidate.Settings) == 0 {
		return out // a file of an older version knows none
	}
	keys := map[string]bool{}
	for _, side := range []*Baseline{base, candidate} {
		for k := range side.Settings {
			keys[k] = true
		}
	}
	for k := range keys {
		if b, c := base.Settings[k], candidate.Settings[k]; b != c {
			out = append(out, Difference{k, b, c})
		}
	}
	slices.SortFunc(out, func(a, b Difference) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// CompareWhatIf sets two sides of one load against each other, whatever else differs: that is what is compared.
func CompareWhatIf(base, candidate *Baseline) ([]Change, error) {
	if base.Load == "" || candidate.Load == "" || base.Load != candidate.Load {
		return Compare(base, candidate)
	}
	as := *candidate
	as.Workload = base.Workload
	return Compare(base, &as)
}

// whatIfMetrics are what the sentence about a what-if tells, in this order.
var whatIfMetrics = []struct{ metric, noun string }{
	{"duplicates.copies", "copies"}, {"messages.expired", "expired"}, {"messages.shed", "refused"}, {"messages.failed", "failed"}, {"messages.lost", "lost"},
	{"messages.misdelivered", "misdelivered"}, {"messages.pending", "still waiting"},
}

// WhatIf says in a sentence what the candidate did differently: "idempotent-drafts: 6,122 fewer copies, 1,584 fewer expired,
// the same delay".
func WhatIf(base, candidate *Baseline) string {
	var parts []string
	for _, m := range whatIfMetrics {
		b, c := base.Metrics[m.metric], candidate.Metrics[m.metric]
		if len(b) == 0 || len(c) == 0 {
			continue
		}
		switch d := mean(c) - mean(b); {
		case d < 0:
			parts = append(parts, amount(-d, "fewer", m.noun))
		case d > 0:
			parts = append(parts, amount(d, "more", m.noun))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "no harm more or less")
	}
	words := strings.Join(append(parts, delayWords(base, candidate)), ", ")
	if len(base.Seeds) > 1 || len(candidate.Seeds) > 1 {
		words += " (a run, of " + runsWords(len(base.Seeds), len(candidate.Seeds)) + ")"
	}
	return cmp.Or(candidate.Label, "candidate") + ": " + words
}

func runsWords(base, candidate int) string {
	if base == candidate {
		return fmt.Sprint(base)
	}
	return fmt.Sprintf("%d and %d", base, candidate)
}

func amount(n float64, than, noun string) string {
	if n == 1 && noun == "copies" {
		noun = "copy"
	}
	if n < 10 && n != math.Trunc(n) {
		return fmt.Sprintf("%s %s %s", significant(n), than, noun)
	}
	return fmt.Sprintf("%s %s %s", grouped(int64(math.Round(n))), than, noun)
}

// delayWords compares the median times to delivery.
func delayWords(base, candidate *Baseline) string {
	const metric = "delivery_time.p50"
	b, c := base.Metrics[metric], candidate.Metrics[metric]
	if len(b) == 0 || len(c) == 0 {
		return "no delay to compare"
	}
	x, y := median(b), median(c)
	switch {
	case isNever(x) && isNever(y), math.Abs(x-y) <= smallestVirtual*math.Abs(x):
		return "the same delay"
	case isNever(y):
		return "half never arrive"
	}
	return fmt.Sprintf("a median delay of %s instead of %s", Seconds.Format(y), Seconds.Format(x))
}

// Rank orders candidates: the least harmed messages first, then the fewest copies, then the shortest delay.
func Rank(candidates []*Baseline) {
	value := func(b *Baseline, metric string) float64 {
		if v := b.Metrics[metric]; len(v) > 0 {
			return median(v)
		}
		return math.Inf(1)
	}
	slices.SortStableFunc(candidates, func(a, b *Baseline) int {
		for _, m := range []string{"messages.harmed", "duplicates.copies", "delivery_time.p50"} {
			if c := cmp.Compare(value(a, m), value(b, m)); c != 0 {
				return c
			}
		}
		return 0
	})
}
