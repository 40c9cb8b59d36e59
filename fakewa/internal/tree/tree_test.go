package tree

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// asAny turns a node into what encoding/json would give for it.
func asAny(n Node) any {
	switch n.Kind() {
	case Bool:
		return n.True()
	case Number:
		f, _ := strconv.ParseFloat(string(n.Text()), 64)
		return f
	case String:
		return strings.ToValidUTF8(string(n.Text()), "\ufffd")
	case Array:
		out := []any{}
		for c := n.First(); c.Kind() != Missing; c = c.Next() {
			out = append(out, asAny(c))
		}
		return out
	case Object:
		out := map[string]any{}
		for c := n.First(); c.Kind() != Missing; c = c.Next() {
			out[string(c.Key())] = asAny(c)
		}
		return out
	}
	return nil
}

func TestGet(t *testing.T) {
	var tr Tree
	n, err := tr.Parse([]byte(` {"a":{"b":"x\u00e4\n"},"n":1,"n":2,"l":[1,"two",null],"t":true} ` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(n.Get("a").Get("b").Text()); got != "xä\n" {
		t.Errorf("a.b = %q", got)
	}
	if got := string(n.Get("n").Text()); got != "2" {
		t.Errorf("of two members with one name the last counts, got %s", got)
	}
	if n.Get("l").Len() != 3 || n.Get("l").First().Next().Kind() != String {
		t.Error("array lost its elements")
	}
	if n.Get("no").Get("where").Exists() || n.Get("l").First().Next().Next().Exists() {
		t.Error("missing and null values exist")
	}
	if got := string(n.Get("a").Raw()); got != `{"b":"x\u00e4\n"}` {
		t.Errorf("raw = %s", got)
	}
}

func TestDepth(t *testing.T) {
	var tr Tree
	deep := strings.Repeat("[", 1<<20)
	if _, err := tr.Parse([]byte(deep)); err == nil {
		t.Error("a million brackets were read")
	}
}

// FuzzParse holds the tree against encoding/json: both read a document or neither does, and they read the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{}`, `[1,2.5e-3,-0,"a\ud83d\ude00b",null,true,false]`, `{"a":{"b":[{}]}}`, `"\ud800"`, `01`, `{"a":1,}`, "\"\x01\"", `{"a" 1}`, ` 1 2`, `-`, `"\x"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var tr Tree
		n, err := tr.Parse(data)
		var want any
		jerr := json.Unmarshal(data, &want)
		if (err == nil) != (jerr == nil) {
			if jerr == nil && depth(data) > maxDepth {
				return
			}
			if _, ok := jerr.(*json.UnmarshalTypeError); ok {
				return // a number beyond float64 is valid JSON all the same
			}
			t.Fatalf("tree: %v, encoding/json: %v", err, jerr)
		}
		if err != nil || !utf8.Valid(data) {
			return
		}
		got, _ := json.Marshal(asAny(n))
		exp, _ := json.Marshal(want)
		if !bytes.Equal(got, exp) {
			t.Fatalf("got %s, want %s", got, exp)
		}
	})
}

func depth(data []byte) int {
	n, most := 0, 0
	for _, c := range data {
		switch c {
		case '[', '{':
			n++
		case ']', '}':
			n--
		}
		most = max(most, n)
	}
	return most
}
