package strict

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Unmarshaler is a type that reads its own part of the tree.
type Unmarshaler interface {
	UnmarshalNode(n *Node, key string) error
}

// Decode reads YAML or JSON into what v points to, laying it over the values that are there: absent keys keep what v
// had, at any depth. Maps gain and replace keys, lists are replaced whole. Unknown keys, duplicate keys and bad values
// are errors, all of them told at once (Errors); v is changed only when there are none.
//
// Keys are the yaml tags (`yaml:"name,inline"` is understood), or the field's name in lower case. Types that
// implement encoding.TextUnmarshaler read their text; []byte types take their part of the file as YAML; any takes
// map[string]any, []any, string, int, float64, bool and nil.
func Decode(name string, data []byte, v any) error {
	n, err := Parse(name, data)
	if err != nil {
		return err
	}
	return n.Decode(v)
}

// Decode reads the tree into what v points to, as the function Decode does.
func (n *Node) Decode(v any) error { return n.DecodeAt("", v) }

// DecodeAt is Decode for a tree that is itself found under key, which errors then name.
func (n *Node) DecodeAt(key string, v any) error {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return fmt.Errorf("strict: cannot decode into %T", v)
	}
	d := &decoder{root: rv.Elem().Type(), rootKey: key}
	into := reflect.New(rv.Elem().Type()).Elem()
	into.Set(rv.Elem())
	d.value(n, into, key)
	if err := d.errs.Err(); err != nil {
		return err
	}
	rv.Elem().Set(into)
	return nil
}

type decoder struct {
	root    reflect.Type
	rootKey string
	errs    Errors
}

func (d *decoder) fail(n *Node, key, problem, hint string) {
	d.errs = append(d.errs, n.Error(key, problem, hint))
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	timeType     = reflect.TypeFor[time.Time]()
	bytesType    = reflect.TypeFor[[]byte]()
)

// value reads n into rv, which is settable and holds the value to lay over. Nothing that rv shares with others
// (pointers, maps, slices) is written to; it is copied first.
func (d *decoder) value(n *Node, rv reflect.Value, key string) {
	t := rv.Type()
	if t.Kind() == reflect.Pointer {
		if n.Kind == Null {
			rv.SetZero()
			return
		}
		fresh := reflect.New(t.Elem())
		if !rv.IsNil() {
			fresh.Elem().Set(rv.Elem())
		}
		d.value(n, fresh.Elem(), key)
		rv.Set(fresh)
		return
	}
	if u, ok := rv.Addr().Interface().(Unmarshaler); ok {
		d.adopt(n, key, u.UnmarshalNode(n, key))
		return
	}
	switch {
	case t == durationType:
		d.duration(n, rv, key)
		return
	case t == timeType:
		d.time(n, rv, key)
		return
	case t.ConvertibleTo(bytesType) && t.Kind() == reflect.Slice:
		rv.SetBytes(n.YAML())
		return
	}
	if u, ok := rv.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if d.scalar(n, key, "a value") {
			if err := u.UnmarshalText([]byte(n.Text)); err != nil {
				d.fail(n, key, err.Error(), "")
			}
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		d.structure(n, rv, key)
	case reflect.Map:
		d.mapping(n, rv, key)
	case reflect.Slice:
		d.list(n, rv, key)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			if v := n.Any(); v != nil {
				rv.Set(reflect.ValueOf(v))
			} else {
				rv.SetZero()
			}
			return
		}
		d.fail(n, key, "cannot be set from a file", "")
	default:
		d.basic(n, rv, key)
	}
}

// adopt takes over the error of a type that read itself.
func (d *decoder) adopt(n *Node, key string, err error) {
	if err == nil {
		return
	}
	for _, e := range All(err) {
		c := *e
		if c.File == "" && c.Line == 0 {
			c.File, c.Line, c.Column = n.File, n.Line, n.Column
		}
		if c.Key == "" {
			c.Key = key
		}
		d.errs = append(d.errs, &c)
	}
}

// scalar reports whether n is one value, and says so when it is not.
func (d *decoder) scalar(n *Node, key, want string) bool {
	switch n.Kind {
	case Scalar:
		return true
	case Null:
		d.fail(n, key, "no value", "give "+want+", or leave the key out")
	default:
		d.fail(n, key, "has to be "+want+", not "+n.what(), "")
	}
	return false
}

func (d *decoder) duration(n *Node, rv reflect.Value, key string) {
	if !d.scalar(n, key, "a duration such as 90s") {
		return
	}
	v, err := time.ParseDuration(n.Text)
	if err == nil {
		rv.SetInt(int64(v))
		return
	}
	hint := "write 250ms, 90s, 5m or 1h30m"
	if _, err := strconv.ParseFloat(n.Text, 64); err == nil {
		hint = "a unit is missing: " + n.Text + "s, " + n.Text + "m or " + n.Text + "h?"
	} else if days, ok := strings.CutSuffix(n.Text, "d"); ok {
		if f, err := strconv.ParseFloat(days, 64); err == nil {
			hint = "days are written in hours: " + strconv.FormatFloat(f*24, 'f', -1, 64) + "h"
		}
	}
	d.fail(n, key, quote(n.Text)+" is not a duration", hint)
}

func (d *decoder) time(n *Node, rv reflect.Value, key string) {
	if !d.scalar(n, key, "a time such as 2025-06-06T13:33:00-04:00") {
		return
	}
	v, err := time.Parse(time.RFC3339Nano, n.Text)
	if err != nil {
		d.fail(n, key, quote(n.Text)+" is not a time", "write it with its offset, as in 2025-06-06T13:33:00-04:00")
		return
	}
	rv.Set(reflect.ValueOf(v))
}

func (d *decoder) structure(n *Node, rv reflect.Value, key string) {
	switch n.Kind {
	case Null: // an empty block changes nothing
		return
	case Map:
	default:
		d.fail(n, key, "has to be a block of keys, not "+n.what(), "it takes "+strings.Join(few(fieldNames(rv.Type())), ", "))
		return
	}
	for _, f := range n.Fields {
		field, ok := fieldByKey(rv, f.Key)
		if !ok {
			d.errs = append(d.errs, f.Pos.Error(join(key, f.Key), "unknown key", d.suggest(f.Key, rv.Type())))
			continue
		}
		d.value(f.Value, field, join(key, f.Key))
	}
}

// suggest finds what an unknown key may have meant: a key beside it, or the same word somewhere else in the file.
func (d *decoder) suggest(word string, t reflect.Type) string {
	names := fieldNames(t)
	if s := Suggest(word, names); s != "" {
		return "did you mean " + s + "?"
	}
	for _, k := range keysOf(d.root, d.rootKey, map[reflect.Type]bool{}) {
		if strings.HasSuffix(k, "."+word) {
			return "did you mean " + k + "?"
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "known here: " + strings.Join(few(names), ", ")
}

func few(names []string) []string {
	if len(names) > 14 {
		return append(append([]string{}, names[:13]...), "…")
	}
	return names
}

func (d *decoder) mapping(n *Node, rv reflect.Value, key string) {
	switch n.Kind {
	case Null:
		return
	case Map:
	default:
		d.fail(n, key, "has to be a block of keys, not "+n.what(), "")
		return
	}
	t := rv.Type()
	out := reflect.MakeMapWithSize(t, rv.Len()+len(n.Fields))
	for _, k := range rv.MapKeys() {
		out.SetMapIndex(k, rv.MapIndex(k))
	}
	for _, f := range n.Fields {
		k := reflect.New(t.Key()).Elem()
		if err := setKey(k, f.Key); err != nil {
			d.errs = append(d.errs, f.Pos.Error(join(key, f.Key), err.Error(), ""))
			continue
		}
		v := reflect.New(t.Elem()).Elem()
		if old := out.MapIndex(k); old.IsValid() {
			v.Set(old)
		}
		d.value(f.Value, v, join(key, f.Key))
		out.SetMapIndex(k, v)
	}
	rv.Set(out)
}

func setKey(k reflect.Value, text string) error {
	if u, ok := k.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch k.Kind() {
	case reflect.String:
		k.SetString(text)
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v, err := strconv.ParseInt(text, 10, k.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		k.SetInt(v)
		return nil
	}
	return errors.New("cannot be a key")
}

func (d *decoder) list(n *Node, rv reflect.Value, key string) {
	switch n.Kind {
	case Null:
		return
	case List:
	default:
		d.fail(n, key, "has to be a list, not "+n.what(), "write [a, b], or one line each starting with -")
		return
	}
	out := reflect.MakeSlice(rv.Type(), len(n.Items), len(n.Items))
	for i, item := range n.Items {
		d.value(item, out.Index(i), key+"["+strconv.Itoa(i)+"]")
	}
	rv.Set(out)
}

func (d *decoder) basic(n *Node, rv reflect.Value, key string) {
	t := rv.Type()
	switch t.Kind() {
	case reflect.String:
		if d.scalar(n, key, "a text") {
			rv.SetString(n.Text)
		}
	case reflect.Bool:
		if !d.scalar(n, key, "true or false") {
			return
		}
		v, ok := n.bool()
		if !ok {
			d.fail(n, key, quote(n.Text)+" is not true or false", "")
			return
		}
		rv.SetBool(v)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if !d.scalar(n, key, "a whole number") {
			return
		}
		v, err := strconv.ParseInt(strings.ReplaceAll(n.Text, "_", ""), 10, t.Bits())
		if err != nil {
			d.fail(n, key, numberProblem(n.Text, "a whole number", err), "")
			return
		}
		rv.SetInt(v)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if !d.scalar(n, key, "a whole number") {
			return
		}
		v, err := strconv.ParseUint(strings.ReplaceAll(n.Text, "_", ""), 10, t.Bits())
		if err != nil {
			d.fail(n, key, numberProblem(n.Text, "a whole number from 0", err), "")
			return
		}
		rv.SetUint(v)
	case reflect.Float32, reflect.Float64:
		if !d.scalar(n, key, "a number") {
			return
		}
		v, err := strconv.ParseFloat(strings.ReplaceAll(n.Text, "_", ""), t.Bits())
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			d.fail(n, key, numberProblem(n.Text, "a number", err), "")
			return
		}
		rv.SetFloat(v)
	default:
		d.fail(n, key, "cannot be set from a file", "")
	}
}

func numberProblem(text, want string, err error) string {
	if errors.Is(err, strconv.ErrRange) {
		return quote(text) + " is too large"
	}
	return quote(text) + " is not " + want
}
