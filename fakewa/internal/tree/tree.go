// Package tree reads a JSON document once into a flat, reusable tree: no allocation per value, so that a fake can
// look at every field of every request and still be cheap.
package tree

import (
	"errors"
	"strconv"
)

// Kind is what a value is.
type Kind uint8

// The kinds. Missing is what Get returns for a key that is not there.
const (
	Missing Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String names the kind as an error message would.
func (k Kind) String() string {
	return [...]string{"nothing", "null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// maxDepth bounds nesting, so that a body of brackets cannot exhaust the stack.
const maxDepth = 64

// ErrSyntax is returned for a body that is not one JSON value (white space around it is fine).
var ErrSyntax = errors.New("not valid JSON")

type value struct {
	kind       Kind
	key, text  []byte // decoded; text is the string, or the number as written, or "true"
	raw        []byte // the value as written
	child      int32  // first child + 1
	next       int32  // next sibling + 1
	childCount int32
}

// Tree is one parsed document. The zero Tree is ready; Parse may be called again and again.
type Tree struct {
	values []value
	text   []byte // decoded strings that had escapes
	src    []byte
	pos    int
}

// Node is one value of a tree, valid until the tree parses again.
type Node struct {
	t *Tree
	i int32 // index + 1; 0 is a missing value
}

// Parse reads src, which must stay unchanged while the tree is used.
func (t *Tree) Parse(src []byte) (Node, error) {
	t.values, t.text, t.src, t.pos = t.values[:0], t.text[:0], src, 0
	if cap(t.text) < len(src) {
		t.text = make([]byte, 0, len(src)+64) // never grows while parsing: decoded text is shorter than its source
	}
	t.space()
	i, ok := t.value(0)
	if !ok {
		return Node{}, ErrSyntax
	}
	t.space()
	if t.pos != len(src) {
		return Node{}, ErrSyntax
	}
	return Node{t, i}, nil
}

// Forget drops references to the parsed body.
func (t *Tree) Forget() {
	clear(t.values)
	t.values, t.src = t.values[:0], nil
}

func (t *Tree) space() {
	for t.pos < len(t.src) {
		switch t.src[t.pos] {
		case ' ', '\t', '\n', '\r':
			t.pos++
		default:
			return
		}
	}
}

func (t *Tree) value(depth int) (int32, bool) {
	if t.pos >= len(t.src) || depth > maxDepth {
		return 0, false
	}
	at := len(t.values)
	t.values = append(t.values, value{})
	start := t.pos
	ok := false
	switch c := t.src[t.pos]; c {
	case '{':
		ok = t.members(at, depth, Object, '}')
	case '[':
		ok = t.members(at, depth, Array, ']')
	case '"':
		var s []byte
		if s, ok = t.str(); ok {
			t.values[at].kind, t.values[at].text = String, s
		}
	case 't':
		ok = t.word(at, "true", Bool)
	case 'f':
		ok = t.word(at, "false", Bool)
	case 'n':
		ok = t.word(at, "null", Null)
	default:
		ok = t.number(at)
	}
	if !ok {
		return 0, false
	}
	t.values[at].raw = t.src[start:t.pos]
	return int32(at + 1), true
}

func (t *Tree) word(at int, w string, k Kind) bool {
	if len(t.src)-t.pos < len(w) || string(t.src[t.pos:t.pos+len(w)]) != w {
		return false
	}
	t.values[at].kind, t.values[at].text = k, t.src[t.pos:t.pos+len(w)]
	t.pos += len(w)
	return true
}

// members reads the inside of an object or an array, its opening bracket not yet consumed.
func (t *Tree) members(at, depth int, k Kind, end byte) bool {
	t.values[at].kind = k
	t.pos++
	t.space()
	if t.pos < len(t.src) && t.src[t.pos] == end {
		t.pos++
		return true
	}
	last := int32(0)
	for {
		var key []byte
		if k == Object {
			var ok bool
			if t.pos >= len(t.src) || t.src[t.pos] != '"' {
				return false
			}
			if key, ok = t.str(); !ok {
				return false
			}
			t.space()
			if t.pos >= len(t.src) || t.src[t.pos] != ':' {
				return false
			}
			t.pos++
			t.space()
		}
		i, ok := t.value(depth + 1)
		if !ok {
			return false
		}
		t.values[i-1].key = key
		if last == 0 {
			t.values[at].child = i
		} else {
			t.values[last-1].next = i
		}
		last = i
		t.values[at].childCount++
		t.space()
		if t.pos >= len(t.src) {
			return false
		}
		c := t.src[t.pos]
		t.pos++
		if c == end {
			return true
		}
		if c != ',' {
			return false
		}
		t.space()
	}
}

func (t *Tree) number(at int) bool {
	start := t.pos
	digits := func() bool {
		n := t.pos
		for t.pos < len(t.src) && t.src[t.pos] >= '0' && t.src[t.pos] <= '9' {
			t.pos++
		}
		return t.pos > n
	}
	if t.src[t.pos] == '-' {
		t.pos++
	}
	if t.pos < len(t.src) && t.src[t.pos] == '0' {
		t.pos++
	} else if !digits() {
		return false
	}
	if t.pos < len(t.src) && t.src[t.pos] == '.' {
		t.pos++
		if !digits() {
			return false
		}
	}
	if t.pos < len(t.src) && (t.src[t.pos] == 'e' || t.src[t.pos] == 'E') {
		t.pos++
		if t.pos < len(t.src) && (t.src[t.pos] == '+' || t.src[t.pos] == '-') {
			t.pos++
		}
		if !digits() {
			return false
		}
	}
	t.values[at].kind, t.values[at].text = Number, t.src[start:t.pos]
	return true
}

// Kind returns what the value is.
func (n Node) Kind() Kind {
	if n.i == 0 {
		return Missing
	}
	return n.t.values[n.i-1].kind
}

// Exists reports whether there is a value other than null.
func (n Node) Exists() bool { return n.Kind() > Null }

// Get returns the member of an object; of members with the same name, the last.
func (n Node) Get(key string) Node {
	var found Node
	for c := n.First(); c.i != 0; c = c.Next() {
		if string(n.t.values[c.i-1].key) == key {
			found = c
		}
	}
	return found
}

// First returns the first element or member, to be followed by Next.
func (n Node) First() Node {
	if n.i == 0 {
		return Node{}
	}
	return Node{n.t, n.t.values[n.i-1].child}
}

// Next returns the element or member after this one.
func (n Node) Next() Node {
	if n.i == 0 {
		return Node{}
	}
	return Node{n.t, n.t.values[n.i-1].next}
}

// Len returns how many elements or members there are.
func (n Node) Len() int {
	if n.i == 0 {
		return 0
	}
	return int(n.t.values[n.i-1].childCount)
}

// Key returns the name under which a member stands in its object.
func (n Node) Key() []byte {
	if n.i == 0 {
		return nil
	}
	return n.t.values[n.i-1].key
}

// Text returns a string's value, or a number or boolean as written; nil for anything else.
func (n Node) Text() []byte {
	if n.i == 0 {
		return nil
	}
	return n.t.values[n.i-1].text
}

// Raw returns the value as it was written.
func (n Node) Raw() []byte {
	if n.i == 0 {
		return nil
	}
	return n.t.values[n.i-1].raw
}

// True reports whether the value is true, as a boolean or as the string "true".
func (n Node) True() bool { return string(n.Text()) == "true" }

// Float returns a number, or a string that holds one.
func (n Node) Float() (float64, bool) {
	if k := n.Kind(); k != Number && k != String {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(n.Text()), 64)
	return v, err == nil
}
