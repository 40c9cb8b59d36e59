package strict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
)

// parseJSON reads a document that is known to be valid JSON.
func parseJSON(name string, data []byte) (*Node, error) {
	r := &jsonReader{name: name, dec: json.NewDecoder(bytes.NewReader(data)), data: data}
	for i, c := range data {
		if c == '\n' {
			r.lines = append(r.lines, i)
		}
	}
	r.dec.UseNumber()
	n := r.value("", 0)
	if err := r.errs.Err(); err != nil {
		return nil, err
	}
	return n, nil
}

type jsonReader struct {
	name  string
	dec   *json.Decoder
	data  []byte
	lines []int // offsets of the line feeds
	nodes int
	errs  Errors
}

// pos is the place of the token that ends where the decoder stands.
func (r *jsonReader) pos() Pos {
	at := int(r.dec.InputOffset())
	line := sort.SearchInts(r.lines, at)
	col := at
	if line > 0 {
		col = at - r.lines[line-1] - 1
	}
	return Pos{File: r.name, Line: line + 1, Column: max(1, col)}
}

func (r *jsonReader) value(key string, depth int) *Node {
	t, err := r.dec.Token()
	out := &Node{Pos: r.pos()}
	r.nodes++
	switch {
	case err != nil:
		r.errs = append(r.errs, out.Error(key, err.Error(), ""))
		return out
	case depth > maxDepth:
		r.errs = append(r.errs, out.Error(key, tooDeep, ""))
		return out
	case r.nodes > maxNodes:
		r.errs = append(r.errs, out.Error(key, "too many values", ""))
		return out
	}
	switch x := t.(type) {
	case string:
		out.Kind, out.Text = Scalar, x
	case json.Number:
		out.Kind, out.Text, out.Plain = Scalar, x.String(), true
	case bool:
		out.Kind, out.Text, out.Plain = Scalar, strconv.FormatBool(x), true
	case json.Delim:
		if x == '[' {
			out.Kind = List
			for i := 0; r.dec.More() && len(r.errs) == 0; i++ {
				out.Items = append(out.Items, r.value(fmt.Sprintf("%s[%d]", key, i), depth+1))
			}
		} else {
			out.Kind = Map
			r.fields(out, key, depth)
		}
		if len(r.errs) == 0 {
			_, _ = r.dec.Token() // the closing delimiter: the document is known to be valid
		}
	}
	return out
}

func (r *jsonReader) fields(out *Node, prefix string, depth int) {
	var twice Errors
	for r.dec.More() && len(r.errs) == 0 {
		t, err := r.dec.Token()
		p := r.pos()
		k, _ := t.(string)
		if err != nil {
			r.errs = append(r.errs, p.Error(prefix, err.Error(), ""))
			return
		}
		v := r.value(join(prefix, k), depth+1)
		if out.Field(k) != nil {
			twice = append(twice, p.Error(join(prefix, k), "given twice", ""))
			continue
		}
		out.Fields = append(out.Fields, Field{Key: k, Value: v, Pos: p})
	}
	r.errs = append(r.errs, twice...)
}
