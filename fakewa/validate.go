package fakewa

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// validate reports everything that is wrong with a filled configuration.
func (c Config) validate() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf(key+": "+format, args...))
	}
	for key, d := range map[string]time.Duration{
		"media.upload_life": c.Media.UploadLife, "media.inbound_life": c.Media.InboundLife, "media.url_life": c.Media.URLLife,
		"media.link_cache": c.Media.LinkCache, "media.fetch_limit": c.Media.FetchLimit, "webhook.timeout": c.Webhook.Timeout,
		"webhook.retry.first": c.Webhook.Retry.First, "webhook.retry.max": c.Webhook.Retry.Max, "webhook.retry.for": c.Webhook.Retry.For,
		"webhook.linger": c.Webhook.Linger, "limits.pair.every": c.Limits.Pair.Every,
	} {
		if d < 0 {
			bad(key, "%v is negative", d)
		}
		if d > maxDuration {
			bad(key, "%v is longer than a year", d)
		}
	}
	for key, r := range map[string][2]int{
		"latency_load.queue": {c.LatencyLoad.Queue, 1 << 24}, "limits.pair.burst": {c.Limits.Pair.Burst, 1 << 20}, "limits.tier": {c.Limits.Tier, 1 << 30},
		"webhook.batch": {c.Webhook.Batch, 1000}, "webhook.workers": {c.Webhook.Workers, 4096}, "webhook.queue": {c.Webhook.Queue, 1 << 24},
	} {
		if r[0] < 0 || r[0] > r[1] {
			bad(key, "%d is not between 0 and %d", r[0], r[1])
		}
	}
	for key, s := range map[string]struct {
		value string
		known []string
	}{
		"media.unlisted":         {c.Media.Unlisted, []string{"refuse", "trust"}},
		"media.bad_link":         {c.Media.BadLink, []string{"webhook", "reply"}},
		"media.download":         {c.Media.Download, []string{"required", "optional"}},
		"media.file_size":        {c.Media.FileSize, []string{"number", "string"}},
		"limits.window_by":       {c.Limits.WindowBy, []string{"webhook", "reply"}},
		"webhook.pricing":        {c.Webhook.Pricing, []string{"pmp", "cbp", "none"}},
		"answers.message_status": {c.Answers.MessageStatus, []string{"templates", "always", "never"}},
		"ledger.identity":        {c.Ledger.Identity, []string{"auto", "marker", "callback", "text"}},
	} {
		if !slices.Contains(s.known, s.value) {
			bad(key, "%q is none of %v", s.value, s.known)
		}
	}
	for key, n := range map[string]struct {
		value int
		known []int
	}{
		"answers.missing_token":  {c.Answers.MissingToken, []int{104, 200, 190}},
		"answers.foreign_number": {c.Answers.ForeignNumber, []int{200, 10, 131005}},
		"answers.list_body":      {c.Answers.ListBody, []int{4096, 1024}},
		"limits.status":          {c.Limits.Status, []int{400, 429}},
	} {
		if !slices.Contains(n.known, n.value) {
			bad(key, "%d is none of %v", n.value, n.known)
		}
	}
	for _, s := range c.Webhook.Statuses {
		if !slices.Contains([]string{"sent", "delivered", "read", "failed"}, s) {
			bad("webhook.statuses", "%q is none of sent, delivered, read, failed", s)
		}
	}
	c.validateNames(bad)
	slices.SortFunc(errs, func(a, b error) int {
		if a.Error() < b.Error() {
			return -1
		}
		return 1
	})
	return errors.Join(errs...)
}

const maxDuration = 366 * 24 * time.Hour

func (c Config) validateNames(bad func(key, format string, args ...any)) {
	seen := map[string]bool{}
	once := func(key, name string) {
		if name == "" {
			bad(key, "is missing")
		} else if seen[key+name] {
			bad(key, "%q is given twice", name)
		}
		seen[key+name] = true
	}
	for _, t := range c.Tokens {
		once("tokens.token", t.Token)
		if t.Life < 0 {
			bad("tokens.life", "%v is negative", t.Life)
		}
	}
	for _, n := range c.Numbers {
		once("numbers.id", n.ID)
		if !digits(n.ID) {
			bad("numbers.id", "%q is not digits", n.ID)
		}
	}
	for _, t := range c.Templates {
		once("templates.name", t.Name+" "+t.Language)
		if t.Status != "" && !slices.Contains([]string{"APPROVED", "PAUSED", "DISABLED"}, t.Status) {
			bad("templates.status", "%q is none of APPROVED, PAUSED, DISABLED", t.Status)
		}
	}
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
