package strict

import (
	"encoding"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Marshaler is a type that writes its own part of the tree.
type Marshaler interface {
	MarshalNode() (*Node, error)
}

// Encode turns a value into a tree, the opposite of Decode: fields in the order of the struct, maps by key,
// durations as people write them. Empty fields tagged omitempty are left out.
func Encode(v any) (*Node, error) { return encoder{}.node(reflect.ValueOf(v)) }

// encoder with full set writes empty fields, too.
type encoder struct{ full bool }

func scalar(text string, plain bool) *Node { return &Node{Kind: Scalar, Text: text, Plain: plain} }

func (e encoder) node(rv reflect.Value) (*Node, error) {
	if !rv.IsValid() {
		return &Node{}, nil
	}
	t := rv.Type()
	if k := t.Kind(); (k == reflect.Pointer || k == reflect.Interface) && rv.IsNil() {
		return &Node{}, nil
	}
	if rv.CanInterface() {
		switch x := rv.Interface().(type) {
		case Marshaler:
			return x.MarshalNode()
		case time.Duration:
			return scalar(Duration(x), false), nil
		case time.Time:
			return scalar(x.Format(time.RFC3339Nano), false), nil
		case encoding.TextMarshaler:
			b, err := x.MarshalText()
			return scalar(string(b), false), err
		}
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface:
		return e.node(rv.Elem())
	case reflect.Struct:
		return e.structure(rv)
	case reflect.Map:
		return e.mapping(rv)
	case reflect.Slice, reflect.Array:
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
			n, err := Parse("", rv.Bytes())
			if err != nil {
				return nil, err
			}
			return n.Sort(), nil
		}
		out := &Node{Kind: List}
		for i := range rv.Len() {
			item, err := e.node(rv.Index(i))
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, item)
		}
		return out, nil
	case reflect.String:
		return scalar(rv.String(), false), nil
	case reflect.Bool:
		return scalar(strconv.FormatBool(rv.Bool()), true), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return scalar(strconv.FormatInt(rv.Int(), 10), true), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return scalar(strconv.FormatUint(rv.Uint(), 10), true), nil
	case reflect.Float32, reflect.Float64:
		s := strconv.FormatFloat(rv.Float(), 'g', -1, t.Bits())
		return scalar(s, true), nil
	}
	return nil, fmt.Errorf("strict: cannot encode %s", t)
}

func (e encoder) structure(rv reflect.Value) (*Node, error) {
	out := &Node{Kind: Map}
	for _, f := range fields(rv.Type()) {
		v := rv.FieldByIndex(f.index)
		if f.omit && !e.full && empty(v) {
			continue
		}
		n, err := e.node(v)
		if err != nil {
			return nil, err
		}
		out.Fields = append(out.Fields, Field{Key: f.key, Value: n})
	}
	return out, nil
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0
	}
	return v.IsZero()
}

func (e encoder) mapping(rv reflect.Value) (*Node, error) {
	out := &Node{Kind: Map}
	for _, k := range rv.MapKeys() {
		key := fmt.Sprint(k.Interface())
		if m, ok := k.Interface().(encoding.TextMarshaler); ok {
			b, err := m.MarshalText()
			if err != nil {
				return nil, err
			}
			key = string(b)
		}
		v, err := e.node(rv.MapIndex(k))
		if err != nil {
			return nil, err
		}
		out.Fields = append(out.Fields, Field{Key: key, Value: v})
	}
	sort.Slice(out.Fields, func(i, j int) bool { return out.Fields[i].Key < out.Fields[j].Key })
	return out, nil
}

// Duration prints a duration as people write it: 90m is 1h30m, not 1h30m0s.
func Duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
