package quantity

import (
	"reflect"
	"strings"
	"time"
)

// Squeeze makes time n times as fast for everything inside v, which is a pointer: every time.Duration and Dist is
// divided by n, every Rate multiplied, at any depth of structs, pointers, maps and slices, and so is every amount that
// stands as text in an any. Maps and slices are copied before they change, so that values shared with others stay as they are.
func Squeeze(v any, n float64) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && !rv.IsNil() {
		squeeze(rv.Elem(), n)
	}
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	rateType     = reflect.TypeFor[Rate]()
	distType     = reflect.TypeFor[Dist]()
)

// squeeze changes rv, which is settable.
func squeeze(rv reflect.Value, n float64) {
	switch rv.Type() {
	case durationType:
		rv.SetInt(int64(float64(rv.Int()) / n))
		return
	case rateType:
		r := rv.Interface().(Rate)
		r.Count *= n
		rv.Set(reflect.ValueOf(r))
		return
	case distType:
		rv.Set(reflect.ValueOf(rv.Interface().(Dist).Divide(n)))
		return
	}
	switch rv.Kind() {
	case reflect.Pointer:
		if !rv.IsNil() {
			fresh := reflect.New(rv.Type().Elem())
			fresh.Elem().Set(rv.Elem())
			squeeze(fresh.Elem(), n)
			rv.Set(fresh)
		}
	case reflect.Struct:
		for i := range rv.NumField() {
			if rv.Type().Field(i).IsExported() {
				squeeze(rv.Field(i), n)
			}
		}
	case reflect.Slice:
		if rv.Len() > 0 {
			fresh := reflect.MakeSlice(rv.Type(), rv.Len(), rv.Len())
			reflect.Copy(fresh, rv)
			for i := range fresh.Len() {
				squeeze(fresh.Index(i), n)
			}
			rv.Set(fresh)
		}
	case reflect.Map:
		if rv.Len() > 0 {
			fresh := reflect.MakeMapWithSize(rv.Type(), rv.Len())
			for _, k := range rv.MapKeys() {
				x := reflect.New(rv.Type().Elem()).Elem()
				x.Set(rv.MapIndex(k))
				squeeze(x, n)
				fresh.SetMapIndex(k, x)
			}
			rv.Set(fresh)
		}
	case reflect.Interface:
		if rv.IsNil() {
			return
		}
		if s, ok := rv.Interface().(string); ok {
			rv.Set(reflect.ValueOf(SqueezeText(s, n)))
			return
		}
		inner := reflect.New(rv.Elem().Type()).Elem()
		inner.Set(rv.Elem())
		squeeze(inner, n)
		rv.Set(inner)
	}
}

// SqueezeText does to one written amount what Squeeze does: a rate is multiplied, a duration or a distribution with a
// unit divided. Any other text comes back as it is.
func SqueezeText(s string, n float64) string {
	if r, err := ParseRate(s); err == nil {
		r.Count *= n
		return r.String()
	}
	if d, err := ParseDist(s); err == nil && strings.ContainsAny(s, "smh") {
		return d.Divide(n).String()
	}
	return s
}
