package sut

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/sut/drafts"
	"github.com/aftershock-dev/aftershock/sut/whatsapp"
)

// Config is every setting of the sender. Preset returns whole ones; a file names a preset and says what differs.
type Config struct {
	Preset   string          `yaml:"preset"`   // the preset that this configuration began as
	Simulate bool            `yaml:"simulate"` // false: no work holds a core, as in a sender whose machine does the work
	Drafts   drafts.Config   `yaml:"drafts"`
	WhatsApp whatsapp.Config `yaml:"whatsapp"`
	Health   Health          `yaml:"health"`
}

// Health is what counts as healthy.
type Health struct {
	Behind time.Duration `yaml:"behind"` // the oldest waiting draft may be this old before the sender is not keeping up
}

// Validate tells everything that is wrong.
func (c Config) Validate() error {
	return errors.Join(c.Drafts.Validate(), c.WhatsApp.Validate())
}

// ParseConfig reads a configuration: it starts from the preset that it names (hardened without one), lays the rest over
// it, and validates the whole. file is how errors call it.
func ParseConfig(file string, yaml []byte) (Config, error) {
	tree, err := strict.Parse(file, yaml)
	if err != nil {
		return Config{}, err
	}
	return ReadConfig(tree)
}

// ReadConfig is ParseConfig of what has been parsed already, and perhaps put together from several places.
func ReadConfig(tree *strict.Node) (Config, error) {
	name := "hardened"
	if n := tree.Field("preset"); n != nil {
		name = n.Text
	}
	c, err := Preset(name)
	if err != nil {
		return Config{}, tree.Field("preset").Error("preset", fmt.Sprintf("%q is not a preset", name), didYouMean(name))
	}
	return overlay(c, tree)
}

// didYouMean lists the presets, the likely one first.
func didYouMean(name string) string {
	if best := strict.Suggest(name, Presets()); best != "" {
		return "did you mean " + best + "?"
	}
	return "use " + strings.Join(Presets(), ", ")
}

// overlay lays a file over a configuration and validates the whole.
func overlay(c Config, tree *strict.Node) (Config, error) {
	if err := tree.Decode(&c); err != nil {
		return Config{}, err
	}
	if err := c.Validate(); err != nil {
		return Config{}, placed(tree, err)
	}
	return c, nil
}

// placed says where everything stands that Validate has found wrong.
func placed(tree *strict.Node, err error) error {
	var out strict.Errors
	for line := range strings.Lines(err.Error()) {
		key, problem, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		out = append(out, tree.Place(key).Error(key, problem, ""))
	}
	return out.Err()
}

// Effective returns every setting by its dotted key.
func (c Config) Effective() map[string]string { return strict.Flatten(c) }

// Keys lists the dotted keys that a configuration takes.
func Keys() []string { return strict.Keys(Config{}) }
