// Package strict reads YAML and JSON without forgiving anything: unknown keys, duplicate keys and bad values are
// errors with file, line, key and a suggestion, and all of them are told at once.
//
// Decode is all that most callers need. Parse gives the tree behind it, for those who merge and override first.
package strict

// Kind is the kind of a Node.
type Kind int

// The kinds.
const (
	Null Kind = iota
	Scalar
	Map
	List
)

// Node is one value of a parsed file, with the place where it stands.
type Node struct {
	Kind   Kind
	Text   string // of a scalar
	Plain  bool   // a scalar written without quotes, which may mean a number or a boolean
	Fields []Field
	Items  []*Node
	Pos
}

// Field is one entry of a map, in the order of the file.
type Field struct {
	Key    string
	Value  *Node
	Pos         // of the key
	merged bool // came with <<, so that a key of the block itself wins
}

// Pos is a place in a file.
type Pos struct {
	File         string
	Line, Column int
}

// Error makes an error at this place.
func (p Pos) Error(key, problem, hint string) *Error {
	return &Error{File: p.File, Line: p.Line, Column: p.Column, Key: key, Problem: problem, Hint: hint}
}

// Error makes an error about the value.
func (n *Node) Error(key, problem, hint string) *Error {
	if n == nil {
		return &Error{Key: key, Problem: problem, Hint: hint}
	}
	return n.Pos.Error(key, problem, hint)
}

// Field returns the value under key, or nil.
func (n *Node) Field(key string) *Node {
	if n == nil {
		return nil
	}
	for _, f := range n.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return nil
}

// Clone returns a copy that shares nothing.
func (n *Node) Clone() *Node {
	if n == nil {
		return nil
	}
	out := *n
	out.Fields, out.Items = nil, nil
	for _, f := range n.Fields {
		f.Value = f.Value.Clone()
		out.Fields = append(out.Fields, f)
	}
	for _, i := range n.Items {
		out.Items = append(out.Items, i.Clone())
	}
	return &out
}

// what says what a node is, for people.
func (n *Node) what() string {
	switch n.Kind {
	case Map:
		return "a block of keys"
	case List:
		return "a list"
	case Null:
		return "nothing"
	}
	return quote(n.Text)
}
