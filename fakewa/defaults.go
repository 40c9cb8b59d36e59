package fakewa

import (
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
)

// Defaults is the fake as Meta documents the real thing: about 350 ms a send, 80 messages a second for a number, one
// message every six seconds to a user with a burst of 45.
func Defaults() Config {
	dist := func(s string) quantity.Dist {
		d, err := quantity.ParseDist(s)
		if err != nil {
			panic(err) // a mistake in this file, caught by every test
		}
		return d
	}
	return Config{
		Latency:  dist("lognormal(p50=350ms, p99=1.5s)"),
		Media:    Media{Latency: dist("lognormal(p50=250ms, p99=1.2s)")},
		Limits:   Limits{Throughput: quantity.Rate{Count: 80, Per: time.Second}, Pair: Pair{Every: 6 * time.Second}},
		Statuses: Statuses{Sent: dist("lognormal(p50=300ms, p99=2s)"), Delivered: dist("lognormal(p50=900ms, p99=8s)"), Read: dist("lognormal(p50=40s, p99=30m)")},
	}.filled()
}

// filled returns the configuration with every zero that stands for something replaced by it.
func (c Config) filled() Config {
	or(&c.Media.UploadLife, 30*24*time.Hour)
	or(&c.Media.InboundLife, 7*24*time.Hour)
	or(&c.Media.URLLife, 5*time.Minute)
	or(&c.Media.LinkCache, 10*time.Minute)
	or(&c.Media.FetchLimit, 30*time.Second)
	or(&c.Media.Unlisted, "refuse")
	or(&c.Media.BadLink, "webhook")
	or(&c.Media.Download, "required")
	or(&c.Media.FileSize, "number")
	or(&c.Media.Keep, 64<<20)
	or(&c.LatencyLoad.Full, 131016)
	or(&c.Limits.Pair.Burst, 45)
	or(&c.Limits.TierCode, 131048)
	or(&c.Limits.WindowBy, "webhook")
	or(&c.Limits.Status, 400)
	or(&c.Webhook.Timeout, 20*time.Second)
	or(&c.Webhook.Retry.First, time.Second)
	or(&c.Webhook.Retry.Max, time.Hour)
	or(&c.Webhook.Retry.For, 7*24*time.Hour)
	or(&c.Webhook.Batch, 1)
	or(&c.Webhook.Linger, time.Second)
	or(&c.Webhook.Workers, 64)
	or(&c.Webhook.Queue, 100_000)
	or(&c.Webhook.Pricing, "pmp")
	or(&c.Answers.MissingToken, 104)
	or(&c.Answers.ForeignNumber, 200)
	or(&c.Answers.ListBody, 4096)
	or(&c.Answers.MessageStatus, "templates")
	or(&c.Answers.Version, "v24.0")
	or(&c.Ledger.Identity, "auto")
	or(&c.Ledger.Memory, 64<<20)
	return c
}

func or[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
