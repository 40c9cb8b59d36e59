// Package jsonpath finds values in JSON by a path such as $.queue.waiting, $.items[0].id, $["a b"] or $.jobs[*].age.
package jsonpath

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Path is a parsed path.
type Path struct {
	text  string
	steps []step
}

// step goes into a member by its key, into an element by its number, or into all of either.
type step struct {
	key   string
	index int
	kind  kind
}

type kind uint8

const (
	member kind = iota
	element
	every
)

// Parse reads a path. It begins with $, the whole document.
func Parse(text string) (Path, error) {
	bad := func(why string) (Path, error) {
		return Path{}, fmt.Errorf("%q is not a path in JSON: %s, such as $.queue.waiting or $.items[0].id", text, why)
	}
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return bad("it has to begin with $")
	}
	p := Path{text: text}
	for rest != "" {
		var s step
		switch {
		case strings.HasPrefix(rest, "."):
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			s.key, rest = rest[1:1+end], rest[1+end:]
			if s.key == "" {
				return bad("a key is missing after a dot")
			}
			if s.key == "*" {
				s = step{kind: every}
			}
		case strings.HasPrefix(rest, `["`):
			end := strings.Index(rest, `"]`)
			if end < 2 {
				return bad(`a "] is missing`)
			}
			key, err := strconv.Unquote(rest[1 : end+1])
			if err != nil {
				return bad("a key in quotes cannot be read")
			}
			s.key, rest = key, rest[end+2:]
		case strings.HasPrefix(rest, "["):
			inside, after, ok := strings.Cut(rest[1:], "]")
			if !ok {
				return bad("a ] is missing")
			}
			rest = after
			if inside == "*" {
				s.kind = every
				break
			}
			n, err := strconv.Atoi(inside)
			if err != nil {
				return bad(inside + " is not the number of an element")
			}
			s.kind, s.index = element, n
		default:
			return bad("a dot is missing before " + rest)
		}
		p.steps = append(p.steps, s)
	}
	return p, nil
}

func (p Path) String() string { return p.text }

// Find returns the values at the path, in the order of the document's lists and of sorted keys; a negative element counts from the end.
func (p Path) Find(document any) []any {
	found := []any{document}
	for _, s := range p.steps {
		var next []any
		for _, v := range found {
			next = append(next, s.into(v)...)
		}
		found = next
	}
	return found
}

func (s step) into(v any) []any {
	switch v := v.(type) {
	case map[string]any:
		if s.kind == every {
			out := make([]any, 0, len(v))
			for _, key := range slices.Sorted(maps.Keys(v)) {
				out = append(out, v[key])
			}
			return out
		}
		if x, ok := v[s.key]; ok && s.kind == member {
			return []any{x}
		}
	case []any:
		if s.kind == every {
			return v
		}
		i := s.index
		if i < 0 {
			i += len(v)
		}
		if s.kind == element && i >= 0 && i < len(v) {
			return []any{v[i]}
		}
	}
	return nil
}

// Read parses a document for Find. Numbers keep their digits.
func Read(document []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return v, nil
}

// Text is a value as it would stand in a URL or a header: texts without their quotes, the rest as JSON.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	b, err := json.Marshal(v)
	if err != nil { // what was read can be written
		return ""
	}
	return string(b)
}

// Number is a value as a number: also a text that holds one, true as 1 and false as 0.
func Number(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Float64()
		return n, err == nil
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return n, err == nil
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}
