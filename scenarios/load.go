package scenarios

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

// Options change a scenario while it is read. They are applied to the file's tree in this order: what it extends,
// Variants, Set, Preset, Seed.
type Options struct {
	Variants []string
	Set      map[string]string // dotted key → value: sender.drafts.rate_limit → 300/min
	Preset   string
	Seed     *int64
	Blocks   Blocks
}

// Open reads a scenario by its catalog name or its path and checks all of it: the file, what it extends, every variant
// (used or not), every step of the timeline, every threshold and the trace. What is wrong comes back all at once, as
// strict.Errors.
func Open(nameOrPath string, o Options) (*Scenario, error) {
	src, err := find(nameOrPath, "")
	if err != nil {
		return nil, err
	}
	s, err := build(src, o)
	if err != nil {
		return nil, err
	}
	if s.Load.Trace != "" {
		if err := s.scanTrace(); err != nil {
			return nil, err
		}
	}
	if _, err := s.ReadNumbers(); err != nil {
		return nil, err
	}
	return s, nil
}

// Read is Open for a file that is already in memory; file names it in messages. A trace is not looked for.
func Read(file string, data []byte, o Options) (*Scenario, error) {
	return build(source{label: file, data: data}, o)
}

func build(src source, o Options) (*Scenario, error) {
	base, err := resolve(src, nil)
	if err != nil {
		return nil, err
	}
	tree, err := change(base, o)
	if err != nil {
		return nil, err
	}
	s, errs := inspect(tree, o.Blocks)
	errs = append(errs, inspectVariants(base, o.Blocks, errs)...)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	s.File = src.label
	return s, nil
}

// change applies the options to a copy of the tree.
func change(base *strict.Node, o Options) (*strict.Node, error) {
	tree := base.Clone()
	var errs strict.Errors
	for _, name := range o.Variants {
		v := base.Field("variants").Field(name)
		if v == nil {
			errs = append(errs, unknownVariant(base, name))
			continue
		}
		errs = append(errs, applyVariant(tree, v)...)
	}
	for _, key := range slices.Sorted(maps.Keys(o.Set)) {
		v, err := strict.ParseValue("--set", o.Set[key])
		if err == nil {
			err = tree.Set(key, v)
		}
		errs = append(errs, strict.All(err)...)
	}
	flag := func(file, key, value string) {
		err := tree.Set(key, &strict.Node{Kind: strict.Scalar, Text: value, Plain: true, Pos: strict.Pos{File: file}})
		errs = append(errs, strict.All(err)...)
	}
	if o.Preset != "" {
		flag("--preset", "sender.preset", o.Preset)
	}
	if o.Seed != nil {
		flag("--seed", "seed", strconv.FormatInt(*o.Seed, 10))
	}
	return tree, errs.Err()
}

func applyVariant(tree, v *strict.Node) strict.Errors {
	var errs strict.Errors
	for _, f := range v.Fields {
		errs = append(errs, strict.All(tree.Set(f.Key, f.Value))...)
	}
	return errs
}

func unknownVariant(base *strict.Node, name string) *strict.Error {
	var names []string
	if vs := base.Field("variants"); vs != nil {
		for _, f := range vs.Fields {
			names = append(names, f.Key)
		}
	}
	slices.Sort(names)
	e := &strict.Error{File: "--variant", Problem: strconv.Quote(name) + " is not a variant of this scenario", Hint: "it has none"}
	if s := strict.Suggest(name, names); s != "" {
		e.Hint = "did you mean " + s + "?"
	} else if len(names) > 0 {
		e.Hint = "it has " + join(names)
	}
	return e
}

// inspectVariants checks every variant by applying it alone, and tells what is wrong that was not wrong before. When
// the scenario itself is wrong, only what the variant's own lines do is told: the rest may follow from the first.
func inspectVariants(base *strict.Node, b Blocks, known strict.Errors) strict.Errors {
	vs := base.Field("variants")
	if vs == nil || vs.Kind != strict.Map {
		return nil
	}
	_, without := inspect(base, b)
	broken := len(known) > 0 || len(without) > 0
	known = append(known, without...)
	var out strict.Errors
	for _, f := range vs.Fields {
		if f.Value.Kind != strict.Map {
			continue // said already
		}
		tree := base.Clone()
		errs := applyVariant(tree, f.Value)
		if len(errs) == 0 {
			_, errs = inspect(tree, b)
		}
		for _, e := range errs {
			new := !slices.ContainsFunc(known, func(k *strict.Error) bool { return *k == *e })
			if new && (!broken || f.Value.On(e.File, e.Line)) {
				e.Key = "variants." + f.Key + "." + e.Key
				out = append(out, e)
			}
		}
	}
	return out
}
