package fakewa

import (
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

// ParseConfig reads a configuration, YAML or JSON, over Defaults: what the file does not say stays as Meta documents
// it. An unknown key or an impossible value is an error that names file and line (strict.Errors).
func ParseConfig(file string, data []byte) (Config, error) {
	return patch(file, Defaults(), data)
}

// patch reads settings over c. Keys may be nested (media: {upload_life: 1h}) or dotted (media.upload_life: 1h).
func patch(file string, c Config, data []byte) (Config, error) {
	n, err := strict.Parse(file, data)
	if err != nil {
		return Config{}, err
	}
	if n, err = nest(n); err != nil {
		return Config{}, err
	}
	if err := n.Decode(&c); err != nil {
		return Config{}, err
	}
	c = c.filled()
	return c, place(n, c.validate())
}

// nest turns dotted keys at the top of a document into blocks.
func nest(n *strict.Node) (*strict.Node, error) {
	if !slices.ContainsFunc(n.Fields, func(f strict.Field) bool { return strings.Contains(f.Key, ".") }) {
		return n, nil
	}
	out := &strict.Node{Kind: strict.Map, Pos: n.Pos}
	for _, f := range n.Fields {
		if err := out.Set(f.Key, f.Value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// place tells where in the file the wrong values stand.
func place(n *strict.Node, errs strict.Errors) error {
	for _, e := range errs {
		p := n.Place(e.Key)
		e.File, e.Line, e.Column = n.File, p.Line, p.Column
	}
	return errs.Err()
}
