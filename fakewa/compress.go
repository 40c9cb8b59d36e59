package fakewa

import (
	"slices"
	"time"

	"github.com/aftershock-dev/aftershock/internal/quantity"
)

// ownSqueeze is a fault with durations or rates of its own.
type ownSqueeze interface{ squeezeOwn(n float64) }

func squeezeTime(n float64, list ...*time.Duration) {
	for _, d := range list {
		*d = time.Duration(float64(*d) / n)
	}
}

func squeezeDist(n float64, list ...*quantity.Dist) {
	for _, d := range list {
		*d = d.Divide(n)
	}
}

func (s *Scope) squeeze(n float64) {
	squeezeTime(n, &s.For)
	if s.Burst != nil {
		squeezeTime(n, &s.Burst.For, &s.Burst.Every)
	}
}

func (f *latencyFault) squeezeOwn(n float64) {
	squeezeTime(n, &f.Ramp)
	squeezeDist(n, &f.Add, &f.Set)
	for i := range f.drawn {
		squeezeTime(n, &f.drawn[i])
	}
	f.Capacity.Count *= n
}

func (f *replyLostFault) squeezeOwn(n float64) { squeezeTime(n, &f.By, &f.Hold) }
func (f *slowBodyFault) squeezeOwn(n float64)  { squeezeDist(n, &f.Over) }
func (f *webhookFault) squeezeOwn(n float64)   { squeezeDist(n, &f.By) }
func (f *mediaExpiryFault) squeezeOwn(n float64) {
	squeezeTime(n, &f.UploadLife, &f.InboundLife, &f.URLLife)
}

func (f *throttleFault) squeezeOwn(n float64) {
	f.Throughput.Count *= n
	if f.Pair != nil {
		squeezeTime(n, &f.Pair.Every)
	}
}

// compress returns the configuration for a run whose time is squeezed: every duration is divided by n and every rate
// multiplied by it.
func (c Config) compress(n float64) Config {
	c = c.filled()
	if n <= 0 || n == 1 {
		return c
	}
	squeezeTime(n, &c.Media.UploadLife, &c.Media.InboundLife, &c.Media.URLLife, &c.Media.LinkCache, &c.Media.FetchLimit, &c.Limits.Pair.Every,
		&c.Webhook.Timeout, &c.Webhook.Retry.First, &c.Webhook.Retry.Max, &c.Webhook.Retry.For, &c.Webhook.Linger)
	squeezeDist(n, &c.Latency, &c.Media.Latency, &c.Media.Fetch, &c.Statuses.Sent, &c.Statuses.Delivered, &c.Statuses.Read)
	c.Tokens = slices.Clone(c.Tokens)
	for i := range c.Tokens {
		squeezeTime(n, &c.Tokens[i].Life)
	}
	c.LatencyLoad.Capacity.Count *= n
	c.Limits.Throughput.Count *= n
	c.Limits.Management.Count *= n
	return c
}
