package remote

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/fakewa/control"
	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/internal/offlimits"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
)

// Outside is a sender that is not ours.
type Outside struct {
	URL        string // of its front door; takes the place of the target's url and image
	FakeListen string // where our fake listens; default 127.0.0.1:8080
	FakeURL    string // control doors of a fake that runs already: none is started
	FakeToken  string // of those doors
	Faketime   string // libfaketime, that squeezes the time of programs; found when empty. Of an image: within it
}

// target is the name of the copies of someone else's sender.
const target = "target"

// checkTarget refuses what cannot or must not be done to someone else's sender.
func (s *System) checkTarget(ctx context.Context) error {
	t := s.opts.Scenario.Target
	if s.opts.Compress > 1 {
		if err := s.squeezeTheirs(ctx); err != nil {
			return err
		}
	}
	if s.opts.Outside.FakeURL != "" && s.started() {
		return errors.New("a sender that the run starts is told where our own fake is: it cannot use one that runs elsewhere")
	}
	urls := []string{s.opts.Outside.URL, s.opts.Outside.FakeURL}
	if t != nil {
		urls = append(urls, t.URL, t.Webhook)
	}
	if _, err := s.opts.Scenario.ReadSecrets(); err != nil {
		return err
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

// beginTarget starts a fake for someone else's sender, and that sender when it is an image or a command.
func (s *System) beginTarget(ctx context.Context) (err error) {
	t := s.opts.Scenario.Target
	if s.gateway, err = start(ctx, s.opts.Engine, s.part(part.Spec{Kind: part.Gateway, Name: "gateway"})); err != nil {
		return err
	}
	s.MediaBase = s.gateway.Inside(part.Media)
	if err := s.tryDelays(ctx); err != nil {
		return err
	}
	if err := s.startTargetFake(ctx); err != nil {
		return err
	}
	front := s.opts.Outside.URL
	if s.started() {
		err = s.startTheirs(ctx, *t)
	} else {
		err = s.knock(ctx)
	}
	if s.balanced() {
		front = s.gateway.URL(part.HTTP)
	}
	if err != nil {
		return err
	}
	s.askChallenge(ctx)
	if s.scraper, err = s.newScraper(ctx); err != nil {
		return err
	}
	whatsapp, err := s.fake.client().Effective(ctx)
	if err != nil {
		return err
	}
	effective := map[string]string{}
	if s.squeezer != nil {
		effective["target.time"] = fmt.Sprintf("%g times as fast, by libfaketime", s.opts.Compress)
	}
	for k, v := range whatsapp {
		effective["whatsapp."+k] = v
	}
	if s.started() {
		maps.Copy(effective, t.Settings())
	}
	s.System = harness.System{
		Name: "external", Queue: "theirs", URL: front, FakeURL: s.FakeWA(), Transport: s.front, Effective: effective,
		Faults: s.fake, Ledger: s.fake, Settings: fakeSettings{s},
		Gauges: newUsage(ctx, s),
	}
	if s.pool != nil {
		s.System.Name, s.System.Replicas = s.opts.Engine.Name(), replicas{s}
	}
	s.System.Told = s.told
	return nil
}

// startTargetFake starts a fake at an address that someone else's sender can be told, or finds the one that runs.
func (s *System) startTargetFake(ctx context.Context) error {
	o, t := s.opts.Outside, s.opts.Scenario.Target
	cfg, err := fakewa.ParseConfig("whatsapp", s.opts.Scenario.WhatsApp)
	if err != nil {
		return err
	}
	quantity.Squeeze(&cfg, s.opts.Compress)
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
		Kind: part.Fake, Name: "fake", Config: yaml(cfg), Webhook: s.webhook(),
		MediaHosts: []string{strings.TrimPrefix(s.MediaBase, "http://")},
	})
	if !s.started() || s.opts.Outside.FakeListen != "" {
		p.Listen = map[string]string{part.HTTP: cmp.Or(o.FakeListen, "127.0.0.1:8080")}
	}
	u, err := start(ctx, s.opts.Engine, p)
	s.fake = s.fakePart(u)
	return err
}

// started tells whether someone else's sender is started here: from its image, or as a program.
func (s *System) started() bool {
	t := s.opts.Scenario.Target
	if t == nil || s.opts.Outside.URL != "" {
		return false
	}
	if s.opts.Engine.Name() == "processes" {
		return t.Program()
	}
	return t.Image != ""
}

// balanced tells whether the copies of someone else's sender are behind the gateway: they have no address of their own.
func (s *System) balanced() bool {
	return s.started() && (s.opts.Scenario.Target.Image != "" || strings.HasPrefix(s.opts.Scenario.Target.URL, "/"))
}

// door is where someone else's sender that runs already is reached.
func (s *System) door() string {
	if t := s.opts.Scenario.Target; t != nil {
		return cmp.Or(s.opts.Outside.URL, t.URL)
	}
	return s.opts.Outside.URL
}

// webhook is where the fake posts statuses; empty: nowhere.
func (s *System) webhook() string {
	t := s.opts.Scenario.Target
	switch {
	case t == nil || !strings.HasPrefix(t.Webhook, "/"):
		if t == nil {
			return ""
		}
		return t.Webhook
	case s.balanced():
		return s.gateway.Inside(part.HTTP) + t.Webhook
	}
	base, err := baseOf(s.door())
	if err != nil { // checked long ago
		return ""
	}
	return base + t.Webhook
}

// askChallenge asks the sender's webhook for its challenge, as Meta does before it sends any status. A sender that does
// not answer it is told of, and gets its statuses all the same: it may have been set up before.
func (s *System) askChallenge(ctx context.Context) {
	if s.webhook() == "" || s.opts.Outside.FakeURL != "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.fake.client().Verify(ctx); err != nil {
		s.unverified = fmt.Sprintf("the sender's webhook does not answer Meta's challenge (hub.challenge, verify token %s), without which Meta would send it no statuses: %v", part.VerifyToken, err)
	}
}

// baseOf is a URL without its path.
func baseOf(door string) (string, error) {
	u, err := url.Parse(door)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host, nil
}

// knock waits until someone else's sender is ready: nobody learns anything from load on a door that is not there.
func (s *System) knock(ctx context.Context) error {
	u, err := url.Parse(s.door())
	if err != nil || u.Host == "" || strings.Contains(u.Host, "{{") {
		return nil // the first request tells
	}
	p := Part{Name: target, Doors: []string{part.HTTP}, Within: 10 * time.Second}
	where := u.Scheme + "://" + u.Host
	if t := s.opts.Scenario.Target; t != nil {
		p.Ready, p.Within = t.Ready, cmp.Or(t.Within, p.Within)
	}
	if p.Ready == "" { // a connection is enough
		where = "http://" + net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]))
	}
	ctx, cancel := p.Deadline(ctx)
	defer cancel()
	if err := Await(ctx, p, func(string) string { return where }, func() error { return nil }); err != nil {
		return fmt.Errorf("no sender answers at %s: %w\nhint: start it first; it finds the fake at %s", u.Host, err, cmp.Or(s.FakeWA(), s.opts.Outside.FakeURL))
	}
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
	changed := false
	for _, x := range tree.Fields {
		if x.Key != "whatsapp" {
			return fmt.Errorf("set %s: only whatsapp.… can be changed with someone else's sender", x.Key)
		}
		did, err := f.system.fake.set(ctx, x.Value.YAML())
		if err != nil {
			return fmt.Errorf("set %s: %w", x.Key, err)
		}
		changed = changed || did
	}
	if !changed {
		return harness.ErrInForce
	}
	return nil
}
