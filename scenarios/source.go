package scenarios

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/internal/strict"
)

//go:embed catalog/*.yaml
var catalog embed.FS

// source is a scenario file: one of the catalog, or one on disk.
type source struct {
	label   string // as messages name it
	builtin bool
	data    []byte
}

// Names lists the catalog.
func Names() []string {
	files, err := fs.Glob(catalog, "catalog/*.yaml")
	if err != nil { // the pattern is constant
		return nil
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	slices.Sort(files)
	return files
}

// isPath reports whether a word names a file rather than an entry of the catalog.
func isPath(name string) bool {
	return strings.ContainsAny(name, `/\`) || slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name))
}

// find reads a scenario by its catalog name or by its path; relative paths are looked for in dir.
func find(name, dir string) (source, error) {
	if name == "" {
		return source{}, strict.Errors{{Problem: "no scenario was named", Hint: "aftershock scenario list shows those built in"}}
	}
	if !isPath(name) {
		if data, err := catalog.ReadFile("catalog/" + name + ".yaml"); err == nil {
			return source{label: "catalog/" + name + ".yaml", builtin: true, data: data}, nil
		}
	}
	file := name
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	data, err := files.Read(file, strict.MaxBytes)
	switch {
	case err == nil:
		return source{label: file, data: data}, nil
	case errors.Is(err, fs.ErrNotExist) && isPath(name):
		return source{}, strict.Errors{{File: file, Problem: "no such file", Hint: similar(file)}}
	case errors.Is(err, fs.ErrNotExist):
		hint := "aftershock scenario list shows those built in; a file is named with its ending, such as " + name + ".yaml"
		if s := strict.Suggest(name, Names()); s != "" {
			hint = "did you mean " + s + "?"
		}
		return source{}, strict.Errors{{File: name, Problem: "no scenario of this name", Hint: hint}}
	}
	return source{}, strict.Errors{{File: file, Problem: err.Error()}}
}

// similar suggests a file beside one that does not exist.
func similar(file string) string {
	if name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)); slices.Contains(Names(), name) {
		return name + " is built in: name it without its ending"
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if isPath(e.Name()) {
			names = append(names, e.Name())
		}
	}
	if s := strict.Suggest(filepath.Base(file), names); s != "" {
		return "did you mean " + filepath.Join(filepath.Dir(file), s) + "?"
	}
	return ""
}

// forget takes away what a scenario's own thresholds may overlook, when the one that extends it has others.
func forget(below, tree *strict.Node) error {
	if tree.Field("thresholds") == nil || tree.Field("overlook") != nil {
		return nil
	}
	var errs strict.Errors
	for _, key := range []string{"overlook", "assume.overlook"} {
		if below.Lookup(key) != nil {
			errs = append(errs, strict.All(below.Set(key, &strict.Node{}))...)
		}
	}
	return errs.Err()
}

// resolve reads a file's tree and lays it over the scenario that it extends, and so on.
func resolve(src source, chain []string) (*strict.Node, error) {
	tree, err := strict.Parse(src.label, src.data)
	if err != nil {
		return nil, err
	}
	if tree.Kind != strict.Map {
		return nil, strict.Errors{tree.Error("", "not a scenario: a scenario is a block of keys", "aftershock scenario init writes one")}
	}
	chain = append(chain, src.label)
	base := tree.Field("extends")
	named := tree.Field("name") != nil
	if base != nil {
		if base.Kind != strict.Scalar || base.Text == "" {
			return nil, strict.Errors{base.Error("extends", "has to be the name of a scenario, or a file", "")}
		}
		under, err := find(base.Text, filepath.Dir(src.label))
		if err != nil {
			e := strict.All(err)[0]
			return nil, strict.Errors{base.Error("extends", e.File+": "+e.Problem, e.Hint)}
		}
		if slices.Contains(chain, under.label) {
			return nil, strict.Errors{base.Error("extends", "goes round in a circle: "+strings.Join(append(chain, under.label), " → "), "")}
		}
		below, err := resolve(under, chain)
		if err != nil {
			return nil, err
		}
		if trace := below.Lookup("load.trace"); trace != nil && !under.builtin && !filepath.IsAbs(trace.Text) {
			trace.Text = relative(filepath.Dir(src.label), filepath.Join(filepath.Dir(under.label), trace.Text))
		}
		if err := tree.Set("extends", &strict.Node{}); err != nil {
			return nil, err
		}
		if err := forget(below, tree); err != nil {
			return nil, err
		}
		tree = strict.Merge(below, tree)
	}
	if !named {
		name := strings.TrimSuffix(filepath.Base(src.label), filepath.Ext(src.label))
		if err := tree.Set("name", &strict.Node{Kind: strict.Scalar, Text: name, Pos: strict.Pos{File: src.label}}); err != nil {
			return nil, err
		}
	}
	return tree, nil
}

// relative is file as seen from dir, or file itself when there is no way.
func relative(dir, file string) string {
	if r, err := filepath.Rel(dir, file); err == nil {
		return r
	}
	return file
}
