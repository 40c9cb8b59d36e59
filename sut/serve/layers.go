package serve

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/sut"
)

// Layers are where settings come from, the strongest last: the preset, a file, the environment, flags.
type Layers struct {
	Preset string            // --preset; "" leaves it to the file
	File   string            // path of a settings file; "" is none
	Env    []string          // the environment, as os.Environ gives it
	Set    map[string]string // --set key=value
}

// Origin is a setting in force and where it came from.
type Origin struct{ Key, Value, From string }

// EnvName is the environment variable of a setting: AFTERSHOCK_DRAFTS_RATE_LIMIT for drafts.rate_limit.
func EnvName(key string) string {
	return "AFTERSHOCK_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// Config lays the layers over each other and tells where each setting came from.
func (l Layers) Config() (sut.Config, []Origin, error) {
	tree := &strict.Node{Kind: strict.Map}
	from := map[string]string{}
	note := func(n *strict.Node, where string) {
		flat := map[string]string{}
		n.Flatten("", flat)
		for k := range flat {
			from[k] = where
		}
	}
	if l.File != "" {
		data, err := files.Read(l.File, strict.MaxBytes)
		if err != nil {
			return sut.Config{}, nil, fmt.Errorf("read the settings: %s: %w", l.File, err)
		}
		file, err := strict.Parse(l.File, data)
		if err != nil {
			return sut.Config{}, nil, err
		}
		note(file, "file "+l.File)
		tree = strict.Merge(tree, file)
	}
	if err := l.environment(tree, note); err != nil {
		return sut.Config{}, nil, err
	}
	if l.Preset != "" {
		if err := put(tree, note, "preset", l.Preset, "flag --preset"); err != nil {
			return sut.Config{}, nil, err
		}
	}
	for _, k := range slices.Sorted(maps.Keys(l.Set)) {
		if err := put(tree, note, k, l.Set[k], "flag --set"); err != nil {
			return sut.Config{}, nil, err
		}
	}
	c, err := sut.ReadConfig(tree)
	if err != nil {
		return c, nil, err
	}
	values := c.Effective()
	var out []Origin
	for _, k := range slices.Sorted(maps.Keys(values)) {
		where := from[k]
		if where == "" {
			where = "preset " + c.Preset
		}
		out = append(out, Origin{k, values[k], where})
	}
	return c, out, nil
}

// environment puts in what variables such as AFTERSHOCK_DRAFTS_RATE_LIMIT say.
func (l Layers) environment(tree *strict.Node, note func(*strict.Node, string)) error {
	names := map[string]string{}
	for _, k := range sut.Keys() {
		names[EnvName(k)] = k
	}
	for _, pair := range slices.Sorted(slices.Values(l.Env)) {
		name, value, _ := strings.Cut(pair, "=")
		if key := names[name]; key != "" {
			if err := put(tree, note, key, value, "environment "+name); err != nil {
				return err
			}
		}
	}
	return nil
}

func put(tree *strict.Node, note func(*strict.Node, string), key, value, where string) error {
	v, err := strict.ParseValue(where, value)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", where, key, err)
	}
	if err := tree.Set(key, v); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	one := &strict.Node{Kind: strict.Map}
	if err := one.Set(key, v); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	note(one, where)
	return nil
}
