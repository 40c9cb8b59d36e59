// Package printable makes text from outside harmless for terminals and for logs that read commands: All cleans every
// string of a value, Lines a text that is about to be printed.
package printable

import (
	"reflect"
	"strings"
	"unicode"
)

// Harmful returns the first character of s that a terminal would obey instead of showing, or that hides what is
// written: controls other than tab and newline, and marks that turn the direction of text.
func Harmful(s string) (rune, bool) {
	for _, c := range s {
		if harmful(c) {
			return c, true
		}
	}
	return 0, false
}

func harmful(c rune) bool {
	switch {
	case c == '\n' || c == '\t':
		return false
	case c < 0x20 || c >= 0x7f && c < 0xa0: // C0, DEL, C1
		return true
	}
	return unicode.Is(unicode.Bidi_Control, c)
}

// Text takes harmful characters out of s.
func Text(s string) string {
	if _, found := Harmful(s); !found {
		return s
	}
	return strings.Map(func(c rune) rune {
		if harmful(c) {
			return -1
		}
		return c
	}, s)
}

// Line is Text on one line.
func Line(s string) string {
	if !strings.ContainsAny(s, "\n\t\r") {
		return Text(s)
	}
	return Text(strings.Join(strings.Fields(s), " "))
}

// Lines is a text of several lines, none of which a CI's log takes for a command ("::error::", "##[error]").
func Lines(s string) string {
	if !strings.Contains(s, "::") && !strings.Contains(s, "##[") {
		return s
	}
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		trimmed := strings.TrimLeft(l, " \t")
		if strings.HasPrefix(trimmed, "::") || strings.HasPrefix(trimmed, "##[") {
			lines[i] = l[:len(l)-len(trimmed)] + "· " + trimmed
		}
	}
	return strings.Join(lines, "\n")
}

// All cleans every string in what p points to: fields, elements, keys and values of maps.
func All(p any) { clean(reflect.ValueOf(p).Elem()) }

func clean(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); v.CanSet() {
			if _, found := Harmful(s); found {
				v.SetString(Text(s))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			clean(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				clean(f)
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			clean(v.Index(i))
		}
	case reflect.Map:
		cleanMap(v)
	}
}

func cleanMap(v reflect.Value) {
	for _, k := range v.MapKeys() {
		key := reflect.New(k.Type()).Elem()
		key.Set(k)
		clean(key)
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(k))
		clean(value)
		if !key.Equal(k) {
			v.SetMapIndex(k, reflect.Value{})
		}
		v.SetMapIndex(key, value)
	}
}
