package remote

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"text/template"
	"time"

	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/fakewa/control"
	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/offlimits"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut/fleet"
)

// Outside is a sender that is not ours.
type Outside struct {
	URL        string // of its front door; takes the place of the target's url
	FakeListen string // where our fake listens; default 127.0.0.1:8080
	FakeURL    string // control doors of a fake that runs already: none is started
	FakeToken  string // of those doors
	Webhook    string // where statuses are posted; empty: nowhere
}

// sender is the name of the copies of someone else's sender.
const sender = "sender"

// checkTarget refuses what cannot or must not be done to someone else's sender.
func (s *System) checkTarget(ctx context.Context) error {
	t := s.opts.Scenario.Target
	if s.opts.Compress > 1 {
		return errors.New("someone else's sender has clocks of its own: --compress is for ours")
	}
	urls := []string{s.opts.Outside.URL, s.opts.Outside.FakeURL, s.opts.Outside.Webhook}
	if t != nil {
		urls = append(urls, t.URL)
	}
	for _, u := range urls {
		if strings.Contains(u, "{{") {
			continue // the agents' and the harness's own check sees what becomes of it
		}
		if err := offlimits.Check(ctx, u); err != nil {
			return err
		}
	}
	return nil
}

// beginTarget starts a fake for someone else's sender, and that sender when it is an image.
func (s *System) beginTarget(ctx context.Context) (err error) {
	t := s.opts.Scenario.Target
	if s.gateway, err = start(ctx, s.opts.Engine, s.part(part.Spec{Kind: part.Gateway, Name: "gateway"})); err != nil {
		return err
	}
	s.MediaBase = s.gateway.Inside(part.Media)
	if err := s.startTargetFake(ctx); err != nil {
		return err
	}
	front := s.opts.Outside.URL
	if t != nil && t.Image != "" {
		if err := s.startImage(ctx, *t); err != nil {
			return err
		}
		front = s.gateway.URL(part.HTTP)
	}
	whatsapp, err := s.fake.client().Effective(ctx)
	if err != nil {
		return err
	}
	effective := map[string]string{}
	for k, v := range whatsapp {
		effective["whatsapp."+k] = v
	}
	s.System = harness.System{
		Name: "external", Queue: "theirs", URL: front, FakeURL: s.FakeWA(), Transport: s.front, Effective: effective,
		Faults: s.fake, Ledger: s.fake, Settings: fakeSettings{s},
		Gauges: &usage{system: s, last: time.Now(), parts: map[string]time.Duration{}},
	}
	if s.pool != nil {
		s.System.Name, s.System.Replicas = s.opts.Engine.Name(), replicas{s}
	}
	return nil
}

// startTargetFake starts a fake at an address that someone else's sender can be told, or finds the one that runs.
func (s *System) startTargetFake(ctx context.Context) error {
	o, t := s.opts.Outside, s.opts.Scenario.Target
	cfg, err := fakewa.ParseConfig("whatsapp", s.opts.Scenario.WhatsApp)
	if err != nil {
		return err
	}
	if t != nil && t.Recognise != "" && cfg.Ledger.Identity == "" {
		cfg.Ledger.Identity = t.Recognise
	}
	if o.FakeURL != "" {
		client := &control.Client{URL: strings.TrimSuffix(o.FakeURL, "/"), Token: o.FakeToken, HTTP: s.client.http}
		s.fake = fake{nil, func() *control.Client { return client }}
		if err := client.Set(ctx, []byte(yaml(cfg))); err != nil {
			return fmt.Errorf("the fake at %s: %w", o.FakeURL, err)
		}
		return client.Reset(ctx)
	}
	p := s.part(part.Spec{
		Kind: part.Fake, Name: "fake", Config: yaml(cfg), Webhook: o.Webhook,
		MediaHosts: []string{strings.TrimPrefix(s.MediaBase, "http://")},
	})
	if t == nil || t.Image == "" {
		p.Listen = map[string]string{part.HTTP: cmp.Or(o.FakeListen, "127.0.0.1:8080")}
	}
	u, err := start(ctx, s.opts.Engine, p)
	s.fake = s.fakePart(u)
	return err
}

// startImage runs copies of someone else's sender behind the gateway.
func (s *System) startImage(ctx context.Context, t scenarios.Target) error {
	env, err := s.environment(t)
	if err != nil {
		return err
	}
	n := max(1, t.Replicas)
	fixed := fleet.Settings{
		Replicas: fleet.Replicas{Min: n, Max: n, Probe: 5 * time.Second}, Scaling: fleet.Scaling{Signal: "none", Interval: time.Minute},
	}
	s.pool = &pool{
		name: sender, engine: s.opts.Engine, client: &http.Client{Transport: newTransport()},
		draws: chance.New(s.opts.Scenario.Seed).For(sender), settings: func() fleet.Settings { return fixed },
		version: func() int64 { return 0 }, greet: func(context.Context, Unit) error { return nil },
		rotate: s.rotate("rotate"),
		part: func(slot int) Part {
			return Part{
				Name: fmt.Sprintf("%s/%d", sender, slot), Doors: []string{part.HTTP}, Ready: t.Ready, Image: t.Image, Port: t.Port,
				Env: env, Within: time.Minute,
			}
		},
	}
	if err := s.pool.begin(ctx); err != nil {
		return err
	}
	s.running.Go(func() { s.pool.run(s.life) })
	return nil
}

// rotate tells the gateway which copies take requests.
func (s *System) rotate(balance string) func(ctx context.Context, urls []string) error {
	return func(ctx context.Context, urls []string) error {
		b, err := json.Marshal(part.Backends{URLs: urls, Balance: balance})
		if err != nil {
			return err
		}
		return s.client.do(ctx, s.gateway, http.MethodPut, "/backends", b, nil)
	}
}

// environment fills the target's environment in.
func (s *System) environment(t scenarios.Target) (map[string]string, error) {
	secrets, err := s.opts.Scenario.ReadSecrets()
	if err != nil {
		return nil, err
	}
	fields := scenarios.TargetFields{FakeWA: s.fake.unit.Inside(part.HTTP), Secret: secrets}
	out := map[string]string{}
	for k, v := range t.Environment {
		tpl, err := template.New(k).Option("missingkey=error").Parse(v)
		if err != nil {
			return nil, fmt.Errorf("target.environment.%s: %w", k, err)
		}
		var b bytes.Buffer
		if err := tpl.Execute(&b, fields); err != nil {
			return nil, fmt.Errorf("target.environment.%s: %w", k, err)
		}
		out[k] = b.String()
	}
	return out, nil
}

// FakeWA is where someone else's sender finds the fake Cloud API; empty when the fake is not ours.
func (s *System) FakeWA() string {
	if s.fake.unit == nil {
		return ""
	}
	return s.fake.unit.Inside(part.HTTP)
}

// fakeSettings changes the fake; someone else's sender has doors of its own.
type fakeSettings struct{ system *System }

// Set implements harness.Settings.
func (f fakeSettings) Set(ctx context.Context, values map[string]any) error {
	tree, err := strict.Nest(values)
	if err != nil {
		return err
	}
	for _, x := range tree.Fields {
		if x.Key != "whatsapp" {
			return fmt.Errorf("set %s: only whatsapp.… can be changed with someone else's sender", x.Key)
		}
		if err := f.system.fake.client().Set(ctx, x.Value.YAML()); err != nil {
			return fmt.Errorf("set %s: %w", x.Key, err)
		}
	}
	return nil
}
