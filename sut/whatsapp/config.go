package whatsapp

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/sut/fleet"
)

// Config is every setting of the WhatsApp service.
type Config struct {
	Replicas  fleet.Replicas  `yaml:"replicas"`
	Scaling   fleet.Scaling   `yaml:"scaling"`
	Admission fleet.Admission `yaml:"admission"`
	Work      Work            `yaml:"work"`
	Create    Create          `yaml:"create"`
	API       API             `yaml:"api"`
	Media     Media           `yaml:"media"`
	Webhooks  Webhooks        `yaml:"webhooks"`
}

// Work is how long each kind of work holds a core.
type Work struct {
	Accept quantity.Dist `yaml:"accept"` // taking a message in
	Answer quantity.Dist `yaml:"answer"` // answering it once the draft is there
	Send   quantity.Dist `yaml:"send"`   // sending one, besides the wait for the Cloud API
	Status quantity.Dist `yaml:"status"` // taking in one status webhook
}

// Create is how the front door calls Drafts.
type Create struct {
	Timeout    time.Duration `yaml:"timeout"`
	Retries    int           `yaml:"retries"` // after the first attempt
	Backoff    time.Duration `yaml:"backoff"`
	BackoffMax time.Duration `yaml:"backoff_max"` // the backoff doubles up to here; 0 keeps it fixed
	Jitter     string        `yaml:"jitter"`      // none | full
	Idempotent bool          `yaml:"idempotent"`  // all attempts name one draft
	Cancel     bool          `yaml:"cancel"`      // stop working for callers that have gone, up to the call
}

// API is how the Cloud API is called.
type API struct {
	Timeout time.Duration `yaml:"timeout"`
}

// Media is when and how media is resolved.
type Media struct {
	Resolve  string        `yaml:"resolve"`  // at_enqueue | at_send | link
	Timeout  time.Duration `yaml:"timeout"`  // of one download or upload
	Life     time.Duration `yaml:"life"`     // how long an uploaded id is trusted
	Margin   time.Duration `yaml:"margin"`   // ids with less life left are uploaded anew
	Negative time.Duration `yaml:"negative"` // how long a link that failed is not tried again; 0 is not at all
	MaxBytes int64         `yaml:"max_bytes"`
}

// Webhooks is how status webhooks are taken in.
type Webhooks struct {
	Ack   string        `yaml:"ack"`   // received: answer at once; stored: when Drafts has the statuses
	Flush time.Duration `yaml:"flush"` // how often statuses are handed on to Drafts
	Batch int           `yaml:"batch"` // at most this many at a time
}

// Validate tells everything that is wrong.
func (c *Config) Validate() error {
	var errs []error
	bad := func(ok bool, key, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("whatsapp.%s: "+format, append([]any{key}, args...)...))
		}
	}
	oneOf := func(v, key string, among ...string) {
		bad(slices.Contains(among, v), key, "%q is not one of %v", v, among)
	}
	errs = append(errs, c.Replicas.Validate("whatsapp.replicas"), c.Scaling.Validate("whatsapp.scaling"))
	bad(c.Create.Timeout > 0, "create.timeout", "has to be above 0")
	bad(c.Create.Retries >= 0 && c.Create.Retries <= 100, "create.retries", "%d is not within 0 and 100", c.Create.Retries)
	bad(c.Create.Backoff >= 0 && c.Create.BackoffMax >= 0, "create.backoff", "negative")
	oneOf(c.Create.Jitter, "create.jitter", "none", "full")
	bad(c.API.Timeout > 0, "api.timeout", "has to be above 0")
	oneOf(c.Media.Resolve, "media.resolve", "at_enqueue", "at_send", "link")
	bad(c.Media.Timeout > 0, "media.timeout", "has to be above 0")
	bad(c.Media.Life > 0 && c.Media.Margin >= 0 && c.Media.Margin < c.Media.Life, "media.margin", "%v has to be within 0 and life %v", c.Media.Margin, c.Media.Life)
	bad(c.Media.MaxBytes > 0, "media.max_bytes", "has to be above 0")
	oneOf(c.Webhooks.Ack, "webhooks.ack", "received", "stored")
	bad(c.Webhooks.Flush > 0, "webhooks.flush", "has to be above 0")
	bad(c.Webhooks.Batch >= 1, "webhooks.batch", "%d; at least 1 is needed", c.Webhooks.Batch)
	return errors.Join(errs...)
}

// Settings is the fleet's part of the configuration.
func (c *Config) Settings() fleet.Settings {
	return fleet.Settings{Replicas: c.Replicas, Scaling: c.Scaling, Admission: c.Admission}
}
