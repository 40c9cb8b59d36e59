package fakewa

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

// checker collects what is wrong with a configuration.
type checker struct{ errs strict.Errors }

func (k *checker) bad(key, format string, args ...any) {
	k.errs = append(k.errs, &strict.Error{Key: key, Problem: fmt.Sprintf(format, args...)})
}

const maxDuration = 366 * 24 * time.Hour

func (k *checker) duration(key string, d time.Duration) {
	switch {
	case d < 0:
		k.bad(key, "%v is negative", d)
	case d > maxDuration:
		k.bad(key, "%v is longer than a year", d)
	}
}

func (k *checker) count(key string, n, most int) {
	if n < 0 || n > most {
		k.bad(key, "%d is not between 0 and %d", n, most)
	}
}

func (k *checker) word(key, word string, known ...string) {
	if !slices.Contains(known, word) {
		k.errs = append(k.errs, &strict.Error{Key: key, Problem: strconv.Quote(word) + " is not known here", Hint: "use one of " + strings.Join(known, ", ")})
	}
}

func (k *checker) number(key string, n int, known ...int) {
	if !slices.Contains(known, n) {
		k.bad(key, "%d is none of %v", n, known)
	}
}

// validate reports everything that is wrong with a filled configuration.
func (c Config) validate() strict.Errors {
	k := &checker{}
	k.count("latency_load.queue", c.LatencyLoad.Queue, 1<<24)
	if _, ok := documented(c.LatencyLoad.Full); !ok {
		k.bad("latency_load.full", "%d is not a documented code", c.LatencyLoad.Full)
	}
	c.Media.validate(k)
	c.Limits.validate(k)
	c.Webhook.validate(k)
	k.number("answers.missing_token", c.Answers.MissingToken, 104, 200, 190)
	k.number("answers.foreign_number", c.Answers.ForeignNumber, 200, 10, 131005)
	k.number("answers.list_body", c.Answers.ListBody, 4096, 1024)
	k.word("answers.message_status", c.Answers.MessageStatus, "templates", "always", "never")
	k.word("ledger.identity", c.Ledger.Identity, "auto", "marker", "callback", "text")
	c.validateNames(k)
	return k.errs
}

func (m *Media) validate(k *checker) {
	k.duration("media.upload_life", m.UploadLife)
	k.duration("media.inbound_life", m.InboundLife)
	k.duration("media.url_life", m.URLLife)
	k.duration("media.link_cache", m.LinkCache)
	k.duration("media.fetch_limit", m.FetchLimit)
	k.word("media.unlisted", m.Unlisted, "refuse", "trust")
	k.word("media.bad_link", m.BadLink, "webhook", "reply")
	k.word("media.download", m.Download, "required", "optional")
	k.word("media.file_size", m.FileSize, "number", "string")
}

func (l *Limits) validate(k *checker) {
	k.duration("limits.pair.every", l.Pair.Every)
	k.count("limits.pair.burst", l.Pair.Burst, 1<<20)
	k.count("limits.tier", l.Tier, 1<<30)
	if _, ok := documented(l.TierCode); !ok {
		k.bad("limits.tier_code", "%d is not a documented code", l.TierCode)
	}
	k.word("limits.window_by", l.WindowBy, "webhook", "reply")
	k.number("limits.status", l.Status, 400, 429)
}

func (w *Webhook) validate(k *checker) {
	k.duration("webhook.timeout", w.Timeout)
	k.duration("webhook.retry.first", w.Retry.First)
	k.duration("webhook.retry.max", w.Retry.Max)
	k.duration("webhook.retry.for", w.Retry.For)
	k.duration("webhook.linger", w.Linger)
	k.count("webhook.batch", w.Batch, 1000)
	k.count("webhook.workers", w.Workers, 4096)
	k.count("webhook.queue", w.Queue, 1<<24)
	k.word("webhook.pricing", w.Pricing, "pmp", "cbp", "none")
	for _, s := range w.Statuses {
		k.word("webhook.statuses", s, "sent", "delivered", "read", "failed")
	}
}

func (c *Config) validateNames(k *checker) {
	seen := map[string]bool{}
	once := func(key, name, shown string) {
		if strings.TrimSpace(name) == "" {
			k.bad(key, "is missing")
		} else if seen[key+name] {
			k.bad(key, "%q is given twice", shown)
		}
		seen[key+name] = true
	}
	for i, t := range c.Tokens {
		once("tokens", t.Token, redacted(t.Token))
		k.duration("tokens["+strconv.Itoa(i)+"].life", t.Life)
	}
	for i, n := range c.Numbers {
		at := "numbers[" + strconv.Itoa(i) + "]"
		once("numbers", n.ID, n.ID)
		if !digits(n.ID) {
			k.bad(at+".id", "%q is not digits", n.ID)
		}
		if n.Display != "" && !digits(n.Display) {
			k.bad(at+".display", "%q is not digits, such as 15550783881", n.Display)
		}
		if n.WABA != "" && !digits(n.WABA) {
			k.bad(at+".waba", "%q is not digits", n.WABA)
		}
		if n.Level != "" {
			k.word(at+".level", n.Level, "STANDARD", "HIGH", "NOT_APPLICABLE")
		}
	}
	for i, t := range c.Templates {
		at := "templates[" + strconv.Itoa(i) + "]"
		name := t.Name
		if name != "" {
			name += " " + t.Language
		}
		once("templates", name, name)
		if t.Status != "" {
			k.word(at+".status", t.Status, "APPROVED", "PAUSED", "DISABLED")
		}
		if t.Category != "" {
			k.word(at+".category", t.Category, "MARKETING", "UTILITY", "AUTHENTICATION")
		}
		k.count(at+".buttons", t.Buttons, 10)
	}
}

// redacted is what is told of a token: how it begins.
func redacted(token string) string { return clip(token, min(6, len(token)/4)) + "…" }

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
