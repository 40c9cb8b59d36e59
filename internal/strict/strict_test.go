package strict_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
)

type block []byte

type limits struct {
	RateLimit quantity.Rate `yaml:"rate_limit"`
	InFlight  int           `yaml:"in_flight"`
}

type settings struct {
	Name   string                    `yaml:"name,omitempty"`
	Drafts limits                    `yaml:"drafts"`
	Wait   time.Duration             `yaml:"wait,omitempty"`
	Start  time.Time                 `yaml:"start,omitempty"`
	Ratio  float64                   `yaml:"ratio,omitempty"`
	On     bool                      `yaml:"on,omitempty"`
	Mix    map[string]quantity.Share `yaml:"mix,omitempty"`
	Named  map[string]limits         `yaml:"named,omitempty"`
	List   []limits                  `yaml:"list,omitempty"`
	Words  []string                  `yaml:"words,omitempty"`
	Ptr    *limits                   `yaml:"ptr,omitempty"`
	Raw    block                     `yaml:"raw,omitempty"`
	Any    map[string]any            `yaml:"any,omitempty"`
	Delay  quantity.Dist             `yaml:"delay,omitempty"`
	Small  int8                      `yaml:"small,omitempty"`
	Extra  `yaml:",inline"`
	hidden int
}

// Extra is laid into the struct around it.
type Extra struct {
	Deep string `yaml:"deep,omitempty"`
}

func TestDecode(t *testing.T) {
	var s settings
	err := strict.Decode("f.yaml", []byte(`
name: 606
drafts: {rate_limit: 400/min, in_flight: 20_000}
wait: 90m
start: 2025-06-06T13:03:00-04:00
ratio: 1.5
on: true
mix: {text: 70%, image: 0.3}
named:
  a: &a {in_flight: 3}
  b:
    <<: *a
    rate_limit: 5/s
list:
- {in_flight: 1}
- *a
words: [x, "y z"]
ptr: {in_flight: 9}
raw:
  b: [1, {start: "lognormal(p50=2m, p99=6m)"}]
  a: lognormal(p50=2m, p99=6m)
any: {n: 12, f: 1.5, s: 300/min, q: "12", b: true, z: null, l: [1], m: {k: v}}
delay: lognormal(p50=2s, p99=9s)
deep: down
`), &s)
	if err != nil {
		t.Fatal(err)
	}
	min := func(n float64) quantity.Rate { return quantity.Rate{Count: n, Per: time.Minute} }
	if s.Name != "606" || s.Drafts != (limits{min(400), 20000}) || s.Wait != 90*time.Minute || s.Ratio != 1.5 || !s.On || s.Deep != "down" {
		t.Errorf("%+v", s)
	}
	if s.Start.UTC().Hour() != 17 || s.Mix["text"] != 0.7 || s.Named["b"].InFlight != 3 || s.Named["b"].RateLimit.PerSecond() != 5 || s.List[1].InFlight != 3 || s.Ptr.InFlight != 9 {
		t.Errorf("%+v", s)
	}
	want := "b:\n  - 1\n  - start: lognormal(p50=2m, p99=6m)\na: lognormal(p50=2m, p99=6m)\n"
	if string(s.Raw) != want {
		t.Errorf("raw:\n%s", s.Raw)
	}
	wantAny := map[string]any{"n": 12, "f": 1.5, "s": "300/min", "q": "12", "b": true, "z": nil, "l": []any{1}, "m": map[string]any{"k": "v"}}
	if !reflect.DeepEqual(s.Any, wantAny) {
		t.Errorf("any: %#v", s.Any)
	}
	if s.Delay.String() != "lognormal(p50=2s, p99=9s)" {
		t.Error(s.Delay)
	}
}

func TestDecodeInsideBraces(t *testing.T) {
	var v struct {
		Fault map[string]string `yaml:"fault"`
	}
	if err := strict.Decode("f", []byte("fault: {kind: latency, add: lognormal(p50=2s, p99=9s), until: 5m}"), &v); err != nil {
		t.Fatal(err)
	}
	if v.Fault["add"] != "lognormal(p50=2s, p99=9s)" || v.Fault["until"] != "5m" {
		t.Errorf("%v", v)
	}
}

func TestOverlayKeepsWhatIsAbsent(t *testing.T) {
	shared := &limits{InFlight: 7}
	preset := settings{
		Name: "preset", Drafts: limits{quantity.Rate{Count: 400, Per: time.Minute}, 50}, Wait: time.Second,
		Named: map[string]limits{"a": {InFlight: 1}, "b": {InFlight: 2}}, List: []limits{{InFlight: 1}, {InFlight: 2}},
		Ptr: shared, Words: []string{"w"}, hidden: 3,
	}
	s := preset
	err := strict.Decode("f", []byte(`
drafts: {in_flight: 60}
named: {a: {rate_limit: 1/s}, c: {in_flight: 3}}
list: [{in_flight: 9}]
ptr: {rate_limit: 2/s}
wait:
`), &s)
	if err == nil || !strings.Contains(err.Error(), "f:6: wait: no value") {
		t.Fatalf("a key without a value: %v", err)
	}
	if !reflect.DeepEqual(s, preset) {
		t.Error("changed although there was an error")
	}
	err = strict.Decode("f", []byte(`
drafts: {in_flight: 60}
named: {a: {rate_limit: 1/s}, c: {in_flight: 3}}
list: [{in_flight: 9}]
ptr: {rate_limit: 2/s}
mix:
`), &s)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "preset" || s.Drafts.RateLimit.Count != 400 || s.Drafts.InFlight != 60 || s.Wait != time.Second || s.hidden != 3 || len(s.Words) != 1 {
		t.Errorf("%+v", s)
	}
	if s.Named["a"] != (limits{quantity.Rate{Count: 1, Per: time.Second}, 1}) || s.Named["b"].InFlight != 2 || s.Named["c"].InFlight != 3 {
		t.Errorf("maps are laid over by key: %+v", s.Named)
	}
	if len(s.List) != 1 || s.List[0].InFlight != 9 {
		t.Errorf("lists are replaced: %+v", s.List)
	}
	if s.Ptr.InFlight != 7 || s.Ptr.RateLimit.Count != 2 {
		t.Errorf("%+v", s.Ptr)
	}
	if shared.RateLimit.Count != 0 || len(preset.Named) != 2 || preset.Named["a"].RateLimit.Count != 0 {
		t.Error("what the preset shares was written to")
	}
}

func TestDecodeEmptyChangesNothing(t *testing.T) {
	for _, text := range []string{"", "# only a comment\n", "{}", "drafts:\n", "drafts: {}\n"} {
		s := settings{Name: "n", Drafts: limits{InFlight: 5}}
		if err := strict.Decode("f", []byte(text), &s); err != nil || s.Name != "n" || s.Drafts.InFlight != 5 {
			t.Errorf("%q: %v %+v", text, err, s)
		}
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"name: x\ndrafts:\n  rate_limitt: 3/s\n": "f.yaml:3: drafts.rate_limitt: unknown key; did you mean rate_limit?",
		"Drafts: {}":                             "f.yaml:1: Drafts: unknown key; did you mean drafts?",
		"in_flight: 3":                           "f.yaml:1: in_flight: unknown key; did you mean drafts.in_flight?",
		"drafts: {zzz: 3}":                       "f.yaml:1: drafts.zzz: unknown key; known here: rate_limit, in_flight",
		"drafts: {rate_limit: 400}":              `f.yaml:1: drafts.rate_limit: "400" is not a rate: write an amount per time, such as 400/min or 80/s`,
		"drafts: 5":                              `f.yaml:1: drafts: has to be a block of keys, not "5"; it takes rate_limit, in_flight`,
		"drafts: [5]":                            "f.yaml:1: drafts: has to be a block of keys, not a list; it takes rate_limit, in_flight",
		"name: x\nname: y\n":                     "f.yaml:2: name: given twice (first on line 1)",
		"drafts: {in_flight: 1, in_flight: 2}":   "f.yaml:1: drafts.in_flight: given twice (first on line 1)",
		"wait: 30":                               `f.yaml:1: wait: "30" is not a duration; a unit is missing: 30s, 30m or 30h?`,
		"wait: 2d":                               `f.yaml:1: wait: "2d" is not a duration; days are written in hours: 48h`,
		"wait: soon":                             `f.yaml:1: wait: "soon" is not a duration; write 250ms, 90s, 5m or 1h30m`,
		"start: monday":                          `f.yaml:1: start: "monday" is not a time; write it with its offset, as in 2025-06-06T13:33:00-04:00`,
		"on: maybe":                              `f.yaml:1: on: "maybe" is not true or false`,
		"small: 300":                             `f.yaml:1: small: "300" is too large`,
		"small: 1.5":                             `f.yaml:1: small: "1.5" is not a whole number`,
		"ratio: .inf":                            `f.yaml:1: ratio: ".inf" is not a number`,
		"words: x":                               `f.yaml:1: words: has to be a list, not "x"; write [a, b], or one line each starting with -`,
		"list:\n- in_flight: 1\n- in_flite: 1":   "f.yaml:3: list[1].in_flite: unknown key; did you mean in_flight?",
		"named:\n  a:\n    in_flight: x":         `f.yaml:3: named.a.in_flight: "x" is not a whole number`,
		"mix: {text: 70%, image: 130%}":          `f.yaml:1: mix.image: "130%" is not a share: write a percentage such as 30%, or a number from 0 to 1`,
		"name: {a: 1}":                           "f.yaml:1: name: has to be a text, not a block of keys",
		"name: > 10m":                            `f.yaml:1: a value that starts with > or | needs quotes; as in is: "> 10m"`,
		"drafts:\n\tin_flight: 1":                "f.yaml:2: a tab at the start of a line; indent with spaces",
		"name: a\n---\nname: b":                  "f.yaml:3: a second document; only one is read",
		"name: *nowhere":                         "f.yaml:1: name: no anchor &nowhere before this",
		"{\"name\": \"x\",\n \"drafts\": {\"in_flite\": 1}}": "f.yaml:2: drafts.in_flite: unknown key; did you mean in_flight?",
		"{\"name\": \"x\",\n \"name\": \"y\"}":               "f.yaml:2: name: given twice",
		"- a":                                                "f.yaml:1: has to be a block of keys, not a list; it takes name, drafts, wait, start, ratio, on, mix, named, list, words, ptr, raw, any, …",
		"\xff":                                               "f.yaml: not UTF-8 text",
		"delay: gauss(1s, 2s)":                               `f.yaml:1: delay: "gauss(1s, 2s)": unknown distribution "gauss": use uniform, normal, lognormal, pareto or exponential`,
	} {
		var s settings
		err := strict.Decode("f.yaml", []byte(text), &s)
		if err == nil {
			t.Errorf("%q: no error", text)
			continue
		}
		if got := err.Error(); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
		if _, ok := errors.AsType[*strict.Error](err); !ok {
			t.Errorf("%q: %T is not a *strict.Error", text, err)
		}
		if !reflect.DeepEqual(s, settings{}) {
			t.Errorf("%q: changed %+v", text, s)
		}
	}
}

func TestErrorsAreToldTogether(t *testing.T) {
	var s settings
	err := strict.Decode("f", []byte("wait: x\ndrafts: {in_flite: 1, rate_limit: y}\nnam: z\n"), &s)
	if list := strict.All(err); len(list) != 4 || list[0].Key != "wait" || list[3].Key != "nam" || list[3].Line != 3 {
		t.Errorf("%v", err)
	}
}

func TestBombIsRefused(t *testing.T) {
	text := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		a, b := string(rune('0'+i)), string(rune('1'+i))
		text += "a" + b + ": &a" + b + " [" + strings.TrimSuffix(strings.Repeat("*a"+a+",", 10), ",") + "]\n"
	}
	if _, err := strict.Parse("f", []byte(text)); err == nil || !strings.Contains(err.Error(), "too many values") {
		t.Errorf("%v", err)
	}
	if _, err := strict.Parse("f", []byte(strings.Repeat("[", 5000)+strings.Repeat("]", 5000))); err == nil {
		t.Error("too deep, and no error")
	}
}

func TestKeysAndFlatten(t *testing.T) {
	want := []string{"name", "drafts.rate_limit", "drafts.in_flight", "wait", "start", "ratio", "on", "mix.*", "named.*.rate_limit",
		"named.*.in_flight", "list[].rate_limit", "list[].in_flight", "words", "ptr.rate_limit", "ptr.in_flight", "raw", "any.*", "delay", "small", "deep"}
	if got := strict.Keys(settings{}); !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	got := strict.Flatten(settings{Wait: 90 * time.Minute, Drafts: limits{RateLimit: quantity.Rate{Count: 400, Per: time.Minute}},
		Words: []string{"a", "b"}, List: []limits{{InFlight: 2}}, Raw: block("x: {y: 1}"), Mix: map[string]quantity.Share{"text": 0.7}})
	for k, v := range map[string]string{"wait": "1h30m", "drafts.rate_limit": "400/min", "drafts.in_flight": "0", "words": "a, b", "list[0].in_flight": "2", "raw.x.y": "1", "mix.text": "70%", "on": "false"} {
		if got[k] != v {
			t.Errorf("%s = %q, want %q", k, got[k], v)
		}
	}
}

func TestSuggest(t *testing.T) {
	among := []string{"rate_limit", "replicas", "idempotent-drafts", "lower-rate-limit", "p50", "p99"}
	for word, want := range map[string]string{
		"rate_limitt": "rate_limit", "RateLimit": "rate_limit", "replcias": "replicas", "idempotent": "idempotent-drafts",
		"lower-rate-limits": "lower-rate-limit", "p5": "p50", "p98": "p99", "qqqqqq": "", "": "",
	} {
		if got := strict.Suggest(word, among); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

func FuzzParsePrintParse(f *testing.F) {
	for _, s := range []string{"a: 1", "a: [x, {b: c}]", "a: |\n  x\n  y\n", "a: \"q\\n\"", "- - a\n  - b\n- {}", "{\"a\": [1, \"2\", null]}",
		"x: lognormal(p50=1s, p99=2s)", "'': ''", "a: ~", "? a\n: b", "k: 'yes'", "n: 1e3", "t: 2025-06-06T13:03:00-04:00", "é: ü"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := strict.Parse("a", []byte(text))
		if err != nil {
			return
		}
		printed := n.YAML()
		again, err := strict.Parse("b", printed)
		if err != nil {
			t.Fatalf("%q printed as\n%s\n%v", text, printed, err)
		}
		if !reflect.DeepEqual(n.Any(), again.Any()) {
			t.Fatalf("%q printed as\n%s\n%#v\n%#v", text, printed, n.Any(), again.Any())
		}
		if second := again.YAML(); string(second) != string(printed) {
			t.Fatalf("%q: not stable:\n%s\n%s", text, printed, second)
		}
	})
}

// TestDepthIsBoundedBeforeParsing: what nests deep is refused at once and in little memory, however it nests.
func TestDepthIsBoundedBeforeParsing(t *testing.T) {
	indented := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.Repeat(" ", i) + "a:\n")
		}
		return b.String()
	}
	stairs := func(lines, each int) string { // each line goes deeper from where the last one ended
		var b strings.Builder
		for i := range lines {
			b.WriteString(strings.Repeat("  ", i*each) + strings.Repeat("- ", each-1) + "-\n")
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"a list in a list in …":  strings.Repeat("- ", 60_000),
		"keys":                   strings.Repeat("? ", 60_000),
		"brackets":               "a: " + strings.Repeat("[", 100_000),
		"brackets on lines":      "a: [\n" + strings.Repeat("[\n", 50_000),
		"braces":                 strings.Repeat("{a: ", 50_000),
		"brackets after strings": "a: " + strings.Repeat(`["]", `, 20_000),
		"indentation":            indented(1_500),
		"stairs":                 stairs(40, 90),
		"between":                strings.Repeat("- [", 30_000),
		"JSON":                   strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000),
	} {
		t.Run(name, func(t *testing.T) {
			allocations := testing.AllocsPerRun(1, func() {
				if _, err := strict.Parse("x", []byte(text)); err == nil || !strings.Contains(err.Error(), "deep") {
					t.Errorf("%.200v", err)
				}
			})
			if allocations > 1_000_000 {
				t.Errorf("%v allocations", allocations)
			}
		})
	}
	ok := strings.Repeat("- {a: [1, 2], b: \"[[[[\"} # [[[[\n", 2_000)
	if _, err := strict.Parse("x", []byte(ok)); err != nil {
		t.Errorf("what is merely long: %v", err)
	}
}
