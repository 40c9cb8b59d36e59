package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	yaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/aftershock-dev/aftershock/internal/printable"
)

// MaxBytes is how large a file may be.
const MaxBytes = 2 << 20

const (
	maxNodes = 500_000 // of a tree, aliases counted each time they are used
	maxDepth = 100
)

const tooDeep = "blocks inside blocks, more than 100 deep"

// Parse reads one YAML or JSON document. An empty one is a Null node. Duplicate keys are errors.
func Parse(name string, data []byte) (*Node, error) {
	if len(data) > MaxBytes {
		return nil, Errors{{File: name, Problem: fmt.Sprintf("%d bytes is more than the %d a file may have", len(data), MaxBytes)}}
	}
	if !utf8.Valid(data) {
		return nil, Errors{{File: name, Problem: "not UTF-8 text"}}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if t := bytes.TrimSpace(data); len(t) > 0 && (t[0] == '{' || t[0] == '[') && json.Valid(t) {
		out, err := parseJSON(name, data)
		if err != nil {
			return nil, err
		}
		c := converter{name: name}
		c.harmless(out, "")
		return out, c.errs.Err()
	}
	file, comma, err := parseAST(name, data)
	if err != nil {
		return nil, err
	}
	c := converter{name: name, comma: comma, anchors: map[string]*Node{}}
	var out *Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if out != nil {
			c.fail(c.pos(doc.Body.GetToken()), "", "a second document; only one is read")
			break
		}
		out = c.node(doc.Body, "", 0)
	}
	if out != nil {
		c.harmless(out, "")
	}
	if err := c.errs.Err(); err != nil {
		return nil, err
	}
	if out == nil {
		out = &Node{Pos: Pos{File: name, Line: 1, Column: 1}}
	}
	return out, nil
}

// parseAST runs the YAML parser. Commas in parentheses, as in lognormal(p50=2s, p99=9s), are hidden from it behind a
// stand-in of one character, because inside {…} they would end the value; converter.text puts them back.
func parseAST(name string, data []byte) (file *ast.File, comma rune, err error) {
	defer func() {
		if p := recover(); p != nil { // the parser panics on some malformed input
			file, err = nil, Errors{{File: name, Problem: "not readable as YAML"}}
		}
	}()
	comma = '\ue000'
	for bytes.ContainsRune(data, comma) {
		comma++
	}
	if line := deepLine(data); line > 0 {
		return nil, comma, Errors{{File: name, Line: line, Problem: tooDeep}}
	}
	tokens := lexer.Tokenize(string(hideCommas(data, comma)))
	if t := deepToken(tokens); t != nil {
		return nil, comma, Errors{{File: name, Line: t.Position.Line, Column: t.Position.Column, Problem: tooDeep}}
	}
	file, perr := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if perr == nil {
		return file, comma, nil
	}
	e := &Error{File: name, Problem: perr.Error()}
	if ye, ok := errors.AsType[yaml.Error](perr); ok {
		e.Problem = ye.GetMessage()
		if t := ye.GetToken(); t != nil && t.Position != nil {
			e.Line, e.Column = t.Position.Line, t.Position.Column
		}
	}
	e.Problem = strings.ReplaceAll(e.Problem, string(comma), ",")
	switch {
	case strings.Contains(e.Problem, "invalid header option"):
		e.Problem, e.Hint = "a value that starts with > or | needs quotes", `as in is: "> 10m"`
	case strings.Contains(e.Problem, "reserved character"):
		e.Hint = "put quotes around the value"
	case strings.Contains(e.Problem, "'\t'"):
		e.Problem, e.Hint = "a tab at the start of a line", "indent with spaces"
	}
	return nil, comma, Errors{e}
}

// hideCommas replaces commas between the parentheses of name(…) on one line.
func hideCommas(data []byte, comma rune) []byte {
	out := make([]byte, 0, len(data)+16)
	for i := 0; i < len(data); i++ {
		out = append(out, data[i])
		if data[i] != '(' || i == 0 || !isWord(data[i-1]) {
			continue
		}
		n := bytes.IndexAny(data[i+1:], "()\n")
		if n < 0 || data[i+1+n] != ')' {
			continue
		}
		out = append(out, bytes.ReplaceAll(data[i+1:i+1+n], []byte(","), []byte(string(comma)))...)
		i += n
	}
	return out
}

func isWord(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// converter turns the parser's tree into ours.
type converter struct {
	name    string
	comma   rune
	anchors map[string]*Node
	nodes   int
	errs    Errors
}

func (c *converter) pos(t *token.Token) Pos {
	if t == nil || t.Position == nil {
		return Pos{File: c.name}
	}
	return Pos{File: c.name, Line: t.Position.Line, Column: t.Position.Column}
}

func (c *converter) fail(p Pos, key, problem string) {
	c.errs = append(c.errs, p.Error(key, problem, ""))
}

func (c *converter) text(s string) string { return strings.ReplaceAll(s, string(c.comma), ",") }

// spend counts a node; false means that the tree has grown too large.
func (c *converter) spend(p Pos, key string, n int) bool {
	before := c.nodes
	c.nodes += n
	if c.nodes > maxNodes {
		if before <= maxNodes {
			c.fail(p, key, "too many values")
		}
		return false
	}
	return true
}

func (c *converter) node(n ast.Node, key string, depth int) *Node {
	p := c.pos(n.GetToken())
	out := &Node{Pos: p}
	if depth > maxDepth {
		c.fail(p, key, tooDeep)
		return out
	}
	if !c.spend(p, key, 1) {
		return out
	}
	switch x := n.(type) {
	case *ast.NullNode:
	case *ast.MappingNode:
		out.Kind = Map
		for _, v := range x.Values {
			c.field(out, v, key, depth)
		}
	case *ast.MappingValueNode:
		out.Kind = Map
		c.field(out, x, key, depth)
	case *ast.SequenceNode:
		out.Kind = List
		for i, v := range x.Values {
			out.Items = append(out.Items, c.node(v, key+"["+strconv.Itoa(i)+"]", depth+1))
		}
	case *ast.AnchorNode:
		out = c.node(x.Value, key, depth+1)
		c.anchors[x.Name.GetToken().Value] = out
	case *ast.AliasNode:
		name := x.Value.GetToken().Value
		a := c.anchors[name]
		if a == nil {
			c.fail(p, key, "no anchor &"+name+" before this")
			return out
		}
		if c.spend(p, key, a.size()) {
			out = a.Clone()
		}
	case *ast.TagNode:
		c.fail(p, key, "tags such as "+x.Start.Value+" are not read")
	case *ast.LiteralNode:
		out.Kind, out.Text = Scalar, c.text(x.Value.Value)
	case *ast.StringNode:
		out.Kind, out.Text, out.Plain = Scalar, c.text(x.Value), x.Token.Type == token.StringType
	default: // integers, floats, booleans, infinities
		out.Kind, out.Text, out.Plain = Scalar, c.text(n.GetToken().Value), true
	}
	if out.Line == 0 {
		out.Pos = p
	}
	return out
}

// harmless refuses characters that a terminal would obey: names and sentences of a file are printed.
func (c *converter) harmless(n *Node, key string) {
	if r, found := printable.Harmful(strings.ReplaceAll(n.Text, "\r", "")); found { // bodies of requests have them
		c.fail(n.Pos, key, fmt.Sprintf("holds the control character %U", r))
	}
	for _, f := range n.Fields {
		if r, found := printable.Harmful(f.Key); found {
			c.fail(f.Pos, key, fmt.Sprintf("a key holds the control character %U", r))
			continue
		}
		c.harmless(f.Value, join(key, f.Key))
	}
	for i, item := range n.Items {
		c.harmless(item, key+"["+strconv.Itoa(i)+"]")
	}
}

func (c *converter) field(m *Node, v *ast.MappingValueNode, prefix string, depth int) {
	p := c.pos(v.Key.GetToken())
	if v.Key.IsMergeKey() {
		c.mergeKey(m, v, prefix, depth)
		return
	}
	if _, ok := v.Key.(*ast.MappingKeyNode); ok {
		c.fail(p, prefix, "keys written with ? are not read")
		return
	}
	k := c.node(v.Key, prefix, depth+1)
	if k.Kind == Null { // null as a key is the word
		k.Kind, k.Text = Scalar, v.Key.GetToken().Value
	}
	if k.Kind != Scalar {
		c.fail(p, prefix, "a key has to be a word")
		return
	}
	if old := m.Field(k.Text); old != nil {
		for i, f := range m.Fields {
			if f.Key == k.Text && f.merged { // came with <<: the key itself wins
				m.Fields[i] = Field{Key: k.Text, Pos: p, Value: c.node(v.Value, join(prefix, k.Text), depth+1)}
				return
			}
			if f.Key == k.Text {
				c.fail(p, join(prefix, k.Text), fmt.Sprintf("given twice (first on line %d)", f.Line))
			}
		}
		return
	}
	m.Fields = append(m.Fields, Field{Key: k.Text, Pos: p, Value: c.node(v.Value, join(prefix, k.Text), depth+1)})
}

// mergeKey handles <<: *anchor.
func (c *converter) mergeKey(m *Node, v *ast.MappingValueNode, prefix string, depth int) {
	from := c.node(v.Value, prefix, depth+1)
	parts := []*Node{from}
	if from.Kind == List {
		parts = from.Items
	}
	for _, part := range parts {
		if part.Kind != Map {
			c.fail(part.Pos, prefix, "<< needs an alias of a block of keys")
			return
		}
		for _, f := range part.Fields {
			if m.Field(f.Key) == nil {
				m.Fields = append(m.Fields, Field{Key: f.Key, Value: f.Value, Pos: f.Pos, merged: true})
			}
		}
	}
}

func (n *Node) size() int {
	t := 1
	for _, f := range n.Fields {
		t += f.Value.size()
	}
	for _, i := range n.Items {
		t += i.size()
	}
	return t
}

func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

func quote(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return strconv.Quote(s)
}
