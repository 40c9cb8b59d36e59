package strict_test

import (
	"testing"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

func parse(t *testing.T, text string) *strict.Node {
	t.Helper()
	n, err := strict.Parse("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const tree = `
sender: {preset: incident, drafts: {rate_limit: 400/min}}
assume: {sender.drafts.rate_limit: because}
load:
  phases:
  - {name: calm, rate: 1/s}
  - {name: surge, rate: 2/s}
`

func TestLookup(t *testing.T) {
	n := parse(t, tree)
	for path, want := range map[string]string{
		"sender.drafts.rate_limit": "400/min", "assume.sender.drafts.rate_limit": "because",
		"load.phases.surge.rate": "2/s", "load.phases[0].rate": "1/s", "load.phases.1.name": "surge",
		"load.phases.9.name": "", "sender.nothing": "", "sender.preset.deeper": "",
	} {
		got := ""
		if v := n.Lookup(path); v != nil {
			got = v.Text
		}
		if got != want {
			t.Errorf("%s = %q, want %q", path, got, want)
		}
	}
}

func TestSet(t *testing.T) {
	for _, c := range []struct{ path, value, look, want string }{
		{"sender.drafts.rate_limit", "300/min", "sender.drafts.rate_limit", "300/min"},
		{"sender.whatsapp.replicas.max", "12", "sender.whatsapp.replicas.max", "12"},
		{"sender", "{drafts: {in_flight: 3}}", "sender.drafts.rate_limit", "400/min"},
		{"sender", "{drafts: {in_flight: 3}}", "sender.drafts.in_flight", "3"},
		{"load.phases.surge.rate", "9/s", "load.phases[1].rate", "9/s"},
		{"load.phases[0].rate", "9/s", "load.phases.calm.rate", "9/s"},
		{"load.phases", "[{name: only}]", "load.phases.0.name", "only"},
		{"sender.drafts", "", "sender.drafts.rate_limit", ""},
		{"load.phases.surge", "{for: 1m}", "load.phases.surge.rate", "2/s"},
	} {
		n := parse(t, tree)
		v, err := strict.ParseValue("--set", c.value)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Set(c.path, v); err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		got := ""
		if v := n.Lookup(c.look); v != nil {
			got = v.Text
		}
		if got != c.want {
			t.Errorf("set %s = %s: %s = %q, want %q", c.path, c.value, c.look, got, c.want)
		}
	}
	for path, want := range map[string]string{
		"load.phases.serge.rate": `--set: load.phases.serge.rate: load.phases has no entry "serge"; did you mean surge?`,
		"load.phases.7.rate":     `--set: load.phases.7.rate: load.phases has no entry "7"; there are calm, surge`,
		"sender.preset.x":        "--set: sender.preset.x: sender.preset is one value, not a block of keys",
		"a..b":                   "--set: a..b: not a key; write words with dots between them, such as sender.drafts.rate_limit",
	} {
		v, _ := strict.ParseValue("--set", "1")
		if err := parse(t, tree).Set(path, v); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", path, err, want)
		}
	}
}

// Merge is a deep overlay: it is idempotent, the empty block changes nothing, and neither side is written to.
func TestMergeLaws(t *testing.T) {
	texts := []string{"{}", "a: 1", "a: {b: 1, c: [1, 2]}", "a: {b: {d: 2}}", "a: null", "e: {}", "a: {b: null}\nz: x", tree}
	for _, x := range texts {
		for _, y := range texts {
			a, b := parse(t, x), parse(t, y)
			once := strict.Merge(a, b)
			if string(a.YAML()) != string(parse(t, x).YAML()) || string(b.YAML()) != string(parse(t, y).YAML()) {
				t.Errorf("%q + %q: written to", x, y)
			}
			if twice := strict.Merge(once, b); string(twice.YAML()) != string(once.YAML()) {
				t.Errorf("%q + %q:\n%s\nagain:\n%s", x, y, once.YAML(), twice.YAML())
			}
		}
		a := strict.Merge(parse(t, "{}"), parse(t, x)) // without its nulls
		if got := strict.Merge(a, parse(t, "{}")); string(got.YAML()) != string(a.YAML()) {
			t.Errorf("%q + {} = %s", x, got.YAML())
		}
	}
	if got := string(strict.Merge(parse(t, "a: {b: 1, c: 2}"), parse(t, "a: {b: null, d: {e: 3}}")).YAML()); got != "a:\n  c: 2\n  d:\n    e: 3\n" {
		t.Errorf("%s", got)
	}
}

func TestNest(t *testing.T) {
	n, err := strict.Nest(map[string]any{"drafts.rate_limit": "300/min", "whatsapp.replicas.max": 12, "whatsapp": map[string]any{"api": map[string]any{"timeout": "5s"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(n.YAML()); got != "drafts:\n  rate_limit: 300/min\nwhatsapp:\n  api:\n    timeout: 5s\n  replicas:\n    max: 12\n" {
		t.Errorf("%s", got)
	}
}
