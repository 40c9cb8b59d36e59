package strict

import (
	"strconv"
	"strings"
)

// Lookup returns the value at a dotted key, or nil. An entry of a list is named by its number (phases[0] or phases.0)
// or by its name or id (phases.surge).
func (n *Node) Lookup(path string) *Node {
	for path != "" && n != nil {
		n, path = n.step(path)
	}
	return n
}

// step follows the first word of a path; keys that contain dots themselves are found whole.
func (n *Node) step(path string) (*Node, string) {
	if n.Kind == List && path[0] == '[' { // a number: no name has to be looked for
		if end := strings.IndexByte(path, ']'); end > 0 {
			if i := n.entry(path[:end+1]); i >= 0 {
				return n.Items[i], strings.TrimPrefix(path[end+1:], ".")
			}
			return nil, ""
		}
	}
	for end := len(path); end > 0; end = lastCut(path[:end]) {
		word, rest := path[:end], strings.TrimPrefix(path[end:], ".")
		switch n.Kind {
		case Map:
			if v := n.Field(word); v != nil {
				return v, rest
			}
		case List:
			if i := n.entry(word); i >= 0 {
				return n.Items[i], rest
			}
		}
	}
	return nil, ""
}

// lastCut is where the last word of a path begins, its dot or bracket not counted; 0 when there is but one.
func lastCut(path string) int { return max(0, strings.LastIndexAny(path, ".[")) }

// entry finds an item of a list by number, name or id; -1 when there is none.
func (n *Node) entry(word string) int {
	if i, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(word, "["), "]")); err == nil {
		if i >= 0 && i < len(n.Items) {
			return i
		}
		return -1
	}
	for i, item := range n.Items {
		for _, key := range []string{"name", "id"} {
			if v := item.Field(key); v != nil && v.Kind == Scalar && v.Text == word {
				return i
			}
		}
	}
	return -1
}

// entries lists the names by which the items of a list can be found.
func (n *Node) entries() []string {
	var out []string
	for i, item := range n.Items {
		name := strconv.Itoa(i)
		for _, key := range []string{"id", "name"} {
			if v := item.Field(key); v != nil && v.Kind == Scalar {
				name = v.Text
			}
		}
		out = append(out, name)
	}
	return out
}

// Set puts a value at a dotted key of a tree that is a block of keys, making blocks on the way. A block is merged into
// a block that stands there (see Merge), nothing (null) takes the key away, anything else replaces what was there.
func (n *Node) Set(path string, v *Node) error { return n.set(path, "", v) }

func (n *Node) set(path, done string, v *Node) error {
	switch n.Kind {
	case Null:
		n.Kind = Map
	case Scalar:
		return Errors{v.Error(join(done, path), done+" is one value, not a block of keys", "")}
	case List:
		inner, rest := n.step(path)
		if inner == nil {
			word, _, _ := strings.Cut(path, ".")
			hint := "there is none yet"
			if names := n.entries(); len(names) > 0 {
				hint = "there are " + strings.Join(few(names), ", ")
				if s := Suggest(word, names); s != "" {
					hint = "did you mean " + s + "?"
				}
			}
			return Errors{v.Error(join(done, path), done+" has no entry "+strconv.Quote(word), hint)}
		}
		if rest == "" {
			*inner = *Merge(inner, v)
			return nil
		}
		return inner.set(rest, join(done, strings.TrimSuffix(path, "."+rest)), v)
	}
	inner, rest := n.step(path)
	if inner == nil {
		word, more, nested := strings.Cut(path, ".")
		if word == "" || nested && more == "" {
			return Errors{v.Error(join(done, path), "not a key", "write words with dots between them, such as sender.drafts.rate_limit")}
		}
		if v.Kind == Null {
			return nil
		}
		fresh := &Node{Kind: Map, Pos: v.Pos}
		if !nested {
			fresh = v.Clone()
		}
		n.Fields = append(n.Fields, Field{Key: word, Value: fresh, Pos: v.Pos})
		if nested {
			return fresh.set(more, join(done, word), v)
		}
		return nil
	}
	if rest != "" {
		return inner.set(rest, join(done, strings.TrimSuffix(path, "."+rest)), v)
	}
	if v.Kind == Null {
		n.remove(path)
		return nil
	}
	merged := Merge(inner, v)
	for i := range n.Fields {
		if n.Fields[i].Key == path {
			n.Fields[i].Value, n.Fields[i].Pos = merged, v.Pos
		}
	}
	return nil
}

func (n *Node) remove(key string) {
	for i, f := range n.Fields {
		if f.Key == key {
			n.Fields = append(n.Fields[:i:i], n.Fields[i+1:]...)
			return
		}
	}
}

// Merge lays one tree over another and returns the result, which shares nothing with them. Blocks are merged key by
// key, at any depth; a key with no value in over is taken away; lists and values are replaced whole. This is JSON's
// merge patch.
func Merge(base, over *Node) *Node {
	switch {
	case over == nil:
		return base.Clone()
	case over.Kind != Map:
		return over.Clone()
	case base == nil || base.Kind != Map:
		base = &Node{Kind: Map, Pos: over.Pos}
	}
	out := base.Clone()
	for _, f := range over.Fields {
		old := out.Field(f.Key)
		switch {
		case f.Value.Kind == Null:
			out.remove(f.Key)
		case old == nil:
			f.Value = Merge(nil, f.Value)
			out.Fields = append(out.Fields, f)
		default:
			for i := range out.Fields {
				if out.Fields[i].Key == f.Key {
					out.Fields[i] = Field{Key: f.Key, Value: Merge(old, f.Value), Pos: f.Pos}
				}
			}
		}
	}
	return out
}

// Nest turns values by dotted key into one tree.
func Nest(values map[string]any) (*Node, error) {
	n, err := Encode(values)
	if err != nil {
		return nil, err
	}
	out := &Node{Kind: Map}
	for _, f := range n.Fields {
		if err := out.Set(f.Key, f.Value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ParseValue reads one value as it is given in a flag: a word, a number, [a, list] or {a: block}.
func ParseValue(name, text string) (*Node, error) {
	n, err := Parse(name, []byte(text))
	if err != nil {
		if t := text; t != "" { // "> 10m" and "@x" are values in a flag, though not in YAML
			return &Node{Kind: Scalar, Text: t, Pos: Pos{File: name}}, nil
		}
		return nil, err
	}
	n.place(name)
	return n, nil
}

// place takes the lines away from a tree that did not come from a file.
func (n *Node) place(name string) {
	n.Pos = Pos{File: name}
	for i := range n.Fields {
		n.Fields[i].Pos = Pos{File: name}
		n.Fields[i].Value.place(name)
	}
	for _, item := range n.Items {
		item.place(name)
	}
}

// Place returns where the value at a dotted key stands in its file: where its key is written, or the nearest block
// around it when the key itself is not written.
func (n *Node) Place(path string) Pos {
	if n == nil {
		return Pos{}
	}
	at := n.Pos
	for path != "" && n != nil {
		inner, rest := n.step(path)
		if inner == nil {
			break
		}
		at = inner.Pos
		if n.Kind == Map {
			for _, f := range n.Fields {
				if f.Value == inner {
					at = f.Pos
				}
			}
		}
		n, path = inner, rest
	}
	return at
}

// KeyOn returns the dotted key of the first value on a line, or "".
func (n *Node) KeyOn(line int) string { return n.keyOn(line, "") }

func (n *Node) keyOn(line int, prefix string) string {
	for _, f := range n.Fields {
		key := join(prefix, f.Key)
		if f.Line == line {
			return key
		}
		if k := f.Value.keyOn(line, key); k != "" {
			return k
		}
	}
	for i, item := range n.Items {
		key := prefix + "[" + strconv.Itoa(i) + "]"
		if k := item.keyOn(line, key); k != "" {
			return k
		}
		if item.Line == line {
			return key
		}
	}
	return ""
}

// On reports whether any part of the tree stands on a line of a file.
func (n *Node) On(file string, line int) bool {
	if n == nil {
		return false
	}
	if n.File == file && n.Line == line {
		return true
	}
	for _, f := range n.Fields {
		if f.File == file && f.Line == line || f.Value.On(file, line) {
			return true
		}
	}
	for _, item := range n.Items {
		if item.On(file, line) {
			return true
		}
	}
	return false
}
