package remote

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// Figures are those of a sender in this process, read off its own page as target.metrics says. They implement harness.Gauges.
type Figures struct {
	scraper *scraper
	says    *scenarios.Metrics
}

// NewFigures returns nil when the scenario asks for none. The sender is at base and the fake at fake, reached by network.
func NewFigures(sc *scenarios.Scenario, base, fake string, network http.RoundTripper) (*Figures, error) {
	t := sc.Target
	if t == nil || t.Metrics == nil {
		return nil, nil
	}
	secrets, err := sc.ReadSecrets()
	if err != nil {
		return nil, err
	}
	x, err := scraperOf(&surroundings{*t, scenarios.TargetFields{
		FakeWA: fake, Secret: secrets, AppSecret: part.AppSecret, VerifyToken: part.VerifyToken,
	}})
	if err != nil {
		return nil, err
	}
	page := t.Metrics.Path
	if !strings.HasPrefix(page, "/") {
		u, err := url.Parse(page)
		if err != nil {
			return nil, err
		}
		page = u.RequestURI() // its host stands for the sender, as that of the target's url
	}
	x.client = &http.Client{Timeout: quickly, Transport: network}
	x.pages = func() []string { return []string{base + page} }
	return &Figures{x, t.Metrics}, nil
}

// Read implements harness.Gauges.
func (f *Figures) Read(ctx context.Context) (map[string]float64, error) {
	v := map[string]float64{}
	f.scraper.read(ctx, v)
	return v, nil
}

// Told says what could not be read.
func (f *Figures) Told() []string { return f.scraper.told(f.says) }
