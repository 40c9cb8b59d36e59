package jsonpath

import (
	"fmt"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	doc, err := Read([]byte(`{"a": {"b c": [10, 20, {"d": "x"}], "n": 12345678901234567890}, "l": [{"n": 1}, {"n": 2}, {}], "t": true, "s": " 7 "}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"$.a.n": "12345678901234567890", `$.a["b c"][0]`: "10", `$["a"]["b c"][-1].d`: "x", "$.l[*].n": "1 2", "$.t": "true",
		"$.nothing": "", "$.a.n.deeper": "", "$.l[7]": "", `$.a["b c"][2]`: `{"d":"x"}`, "$.l.*.n": "1 2",
		`$.a["b c"][*]`: `10 20 {"d":"x"}`, "$[*]": `{"b c":[10,20,{"d":"x"}],"n":12345678901234567890} [{"n":1},{"n":2},{}]  7  true`,
	} {
		p, err := Parse(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		var got []string
		for _, v := range p.Find(doc) {
			got = append(got, Text(v))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"", "a.b", "$a", "$.", "$..a", "$[", "$[x]", `$["a]`, "$.a[0"} {
		if _, err := Parse(path); err == nil {
			t.Errorf("%q was taken for a path", path)
		}
	}
	for path, want := range map[string]string{"$.t": "1 true", "$.s": "7 true", "$.a": "0 false"} {
		p, _ := Parse(path)
		n, ok := Number(p.Find(doc)[0])
		if got := fmt.Sprint(n, " ", ok); got != want {
			t.Errorf("%s as a number: %s", path, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("$.a[0][\"b\"]")
	f.Fuzz(func(_ *testing.T, text string) {
		if p, err := Parse(text); err == nil {
			p.Find(map[string]any{"a": []any{map[string]any{"b": 1}}})
		}
	})
}
