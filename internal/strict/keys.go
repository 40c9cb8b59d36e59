package strict

import (
	"encoding"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// field is one key of a struct.
type field struct {
	key   string
	index []int
	typ   reflect.Type
	omit  bool
}

// known keeps the fields of each struct that was met: a long timeline asks for the same ones thousands of times.
var known sync.Map // reflect.Type to []field

// fields lists the keys of a struct in order, inlined structs included. The list is not the caller's to change.
func fields(t reflect.Type) []field {
	if list, ok := known.Load(t); ok {
		return list.([]field)
	}
	list := readFields(t)
	known.Store(t, list)
	return list
}

func readFields(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		tag, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() && !f.Anonymous || tag == "-" {
			continue
		}
		if strings.Contains(opts, "inline") || f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct {
			for _, in := range fields(f.Type) {
				in.index = append([]int{i}, in.index...)
				out = append(out, in)
			}
			continue
		}
		if tag == "" {
			tag = strings.ToLower(f.Name)
		}
		out = append(out, field{key: tag, index: []int{i}, typ: f.Type, omit: strings.Contains(opts, "omitempty")})
	}
	return out
}

func fieldNames(t reflect.Type) []string {
	var out []string
	for _, f := range fields(t) {
		out = append(out, f.key)
	}
	return out
}

func fieldByKey(rv reflect.Value, key string) (reflect.Value, bool) {
	for _, f := range fields(rv.Type()) {
		if f.key == key {
			return rv.FieldByIndex(f.index), true
		}
	}
	return reflect.Value{}, false
}

// Keys lists the dotted keys that a value of v's type takes in a file, in the order of its fields. Under a map the
// key is *, in a list of blocks it is [].
func Keys(v any) []string {
	if v == nil {
		return nil
	}
	return keysOf(reflect.TypeOf(v), "", map[reflect.Type]bool{})
}

var (
	textType        = reflect.TypeFor[encoding.TextUnmarshaler]()
	unmarshalerType = reflect.TypeFor[Unmarshaler]()
)

// leaf reports whether a type is one value in a file.
func leaf(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t == timeType || p.Implements(textType) || p.Implements(unmarshalerType)
}

func keysOf(t reflect.Type, prefix string, open map[reflect.Type]bool) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var inner []string
	switch {
	case leaf(t) || open[t]:
	case t.Kind() == reflect.Struct:
		open[t] = true
		for _, f := range fields(t) {
			inner = append(inner, keysOf(f.typ, join(prefix, f.key), open)...)
		}
		delete(open, t)
		return inner
	case t.Kind() == reflect.Map:
		inner = keysOf(t.Elem(), join(prefix, "*"), open)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && !leaf(t.Elem()):
		inner = keysOf(t.Elem(), prefix+"[]", open)
	}
	if len(inner) > 0 {
		return inner
	}
	if prefix == "" {
		return nil
	}
	return []string{prefix}
}

// Flatten returns every value of v by its dotted key, printed as it would be written; empty ones, too. Lists of
// single values are joined by commas.
func Flatten(v any) map[string]string {
	out := map[string]string{}
	n, err := encoder{full: true}.node(reflect.ValueOf(v))
	if err != nil { // a type that cannot be in a file has no keys
		return out
	}
	n.Flatten("", out)
	return out
}

// Flatten adds every value of the tree to out, by its dotted key under prefix.
func (n *Node) Flatten(prefix string, out map[string]string) {
	switch n.Kind {
	case Map:
		for _, f := range n.Fields {
			f.Value.Flatten(join(prefix, f.Key), out)
		}
	case List:
		var words []string
		for i, x := range n.Items {
			if x.Kind == Map || x.Kind == List {
				x.Flatten(prefix+"["+strconv.Itoa(i)+"]", out)
				continue
			}
			words = append(words, x.Text)
		}
		if len(words) > 0 || len(n.Items) == 0 {
			out[prefix] = strings.Join(words, ", ")
		}
	default:
		out[prefix] = n.Text
	}
}
