package scenarios

import (
	"github.com/aftershock-dev/aftershock/internal/strict"
)

// Blocks are the checks of those who own a part of the file. A nil check leaves its part unchecked. An error that is a
// *strict.Error (or strict.Errors) may carry keys and lines of the block alone; they are told as keys and lines of the
// scenario's file.
type Blocks struct {
	Presets   []string // that sender.preset may name; nil means that Sender checks it
	Sender    func(file string, yaml []byte) error
	WhatsApp  func(file string, yaml []byte) error
	Fault     func(yaml []byte) error
	Metric    func(name string) error
	Settings  func(sender, whatsapp []byte) map[string]string // every setting in force, by dotted key; nil when a block is wrong
	Number    string                                          // the business number that the sender writes from
	Threshold func(t Threshold) error                         // what a threshold asks of its metric: its limit's unit, its window
}

// UnmarshalNode takes the fault over as it is written.
func (f *Fault) UnmarshalNode(n *strict.Node, key string) error {
	if n.Kind != strict.Map {
		return n.Error(key, "has to be a block of keys", "such as {kind: latency, add: 2s}")
	}
	kind := n.Field("kind")
	if kind == nil || kind.Kind != strict.Scalar || kind.Text == "" {
		return n.Error(key, "kind is missing", "such as {kind: latency, add: 2s}")
	}
	f.Kind, f.Raw = kind.Text, n.YAML()
	return nil
}

// Words says the fault in a few: its kind, and what narrows it.
func (f Fault) Words() string {
	n, err := strict.Parse("", f.Raw)
	if err != nil {
		return f.Kind
	}
	out := f.Kind
	for _, key := range []string{"where", "number", "to", "type", "share"} {
		if v := n.Field(key); v != nil && v.Text != "" {
			out += ", " + key + " " + v.Text
		}
	}
	return out
}

// MarshalNode prints the fault.
func (f Fault) MarshalNode() (*strict.Node, error) {
	n, err := strict.Parse("", f.Raw)
	if err != nil {
		return nil, err
	}
	if n.Field("kind") == nil {
		if err := n.Set("kind", &strict.Node{Kind: strict.Scalar, Text: f.Kind}); err != nil {
			return nil, err
		}
	}
	return n.Sort(), nil
}

// Blocks splits a step's settings into what belongs to the sender and to the fake, each as YAML without its prefix.
func (s Step) Blocks() (sender, whatsapp Block, err error) {
	n, err := strict.Nest(s.Set)
	if err != nil {
		return nil, nil, err
	}
	return n.Field("sender").YAML(), n.Field("whatsapp").YAML(), nil
}
