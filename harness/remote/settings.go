package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut"
	"github.com/aftershock-dev/aftershock/sut/fleet"
)

// settings are the sender's settings in force, kept here because replicas come and go: each gets them when it starts.
// How many replicas there are, and when, is decided here too, so that part is kept from them.
type settings struct {
	system  *System
	version atomic.Int64 // counts changes
	mu      sync.Mutex
	cfg     sut.Config // time squeezed
}

// Set implements harness.Settings: sender.… and whatsapp.… keys, all or none.
func (s *settings) Set(ctx context.Context, values map[string]any) error {
	tree, err := strict.Nest(values)
	if err != nil {
		return err
	}
	changed, err := s.apply(ctx, tree)
	if err != nil {
		return fmt.Errorf("set %w", err)
	}
	if !changed {
		return harness.ErrInForce
	}
	return nil
}

// apply changes all of it or none: the sender's part is checked before the fake's is changed, which checks itself, and the fake
// gets its own back when the sender cannot be told.
func (s *settings) apply(ctx context.Context, tree *strict.Node) (changed bool, err error) {
	for _, f := range tree.Fields {
		if f.Key != "sender" && f.Key != "whatsapp" {
			return false, fmt.Errorf("%s: only sender.… and whatsapp.… can be changed while a run goes on", f.Key)
		}
	}
	sender, whatsapp := tree.Field("sender"), tree.Field("whatsapp")
	if sender != nil {
		s.mu.Lock()
		_, err := s.laid(sender)
		s.mu.Unlock()
		if err != nil {
			return false, fmt.Errorf("sender: %w", err)
		}
	}
	back := func() error { return nil }
	if whatsapp != nil {
		if changed, back, err = s.system.fake.swap(ctx, whatsapp.YAML()); err != nil {
			return false, fmt.Errorf("whatsapp: %w", err)
		}
	}
	if sender == nil {
		return changed, nil
	}
	did, err := s.sender(ctx, sender)
	if err != nil {
		return false, errors.Join(fmt.Errorf("sender: %w", err), back())
	}
	return changed || did, nil
}

// sender changes the sender's settings, and reports whether any is another than before. A replica that does not answer now
// gets them as soon as it does.
func (s *settings) sender(ctx context.Context, over *strict.Node) (changed bool, err error) {
	s.mu.Lock()
	cfg, err := s.laid(over)
	if err != nil {
		s.mu.Unlock()
		return false, err
	}
	before := s.cfg
	s.cfg = cfg
	s.mu.Unlock()
	if err := s.system.tell(ctx, s.system.drafts, s.forDrafts()); err != nil {
		s.mu.Lock()
		s.cfg = before
		s.mu.Unlock()
		return false, err
	}
	s.version.Add(1)
	s.system.pool.refresh(ctx)
	return !scenarios.Unchanged(strict.Flatten(before), strict.Flatten(cfg)), nil
}

// laid lays changes over the settings in force and validates the whole; the caller holds mu.
func (s *settings) laid(over *strict.Node) (sut.Config, error) {
	cfg := s.cfg
	if err := over.Decode(&cfg); err != nil {
		return cfg, err
	}
	valid := cfg
	valid.WhatsApp.Scaling.Interval = max(valid.WhatsApp.Scaling.Interval, time.Second) // squeezed time is quicker than settings may be
	return cfg, valid.Validate()
}

func (s *settings) config() sut.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg
}

// fleet is how the WhatsApp replicas are scaled.
func (s *settings) fleet() fleet.Settings {
	c := s.config()
	return c.WhatsApp.Settings()
}

// forReplica is what one WhatsApp replica is told: it is one, and does not scale itself.
func (s *settings) forReplica() string {
	c := s.config()
	c.WhatsApp.Replicas.Min, c.WhatsApp.Replicas.Max = 1, 1
	c.WhatsApp.Replicas.Start = quantity.Dist{}
	c.WhatsApp.Scaling.Signal = "none"
	return yaml(c)
}

// forDrafts is what the Drafts service is told.
func (s *settings) forDrafts() string {
	c := s.config()
	c.WhatsApp.Scaling.Signal = "none" // that is our business
	return yaml(c)
}

// yaml prints settings.
func yaml(v any) string {
	n, err := strict.Encode(v)
	if err != nil { // settings are made of what can be printed
		panic(err)
	}
	return string(n.YAML())
}
