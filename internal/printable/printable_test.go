package printable

import (
	"reflect"
	"testing"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                   "plain",
		"two\nlines\tand a tab":   "two\nlines\tand a tab",
		"\x1b[31mred":             "[31mred",
		"\x1b]0;title\a":          "]0;title",
		"c1 \u009b31m":            "c1 31m",
		"back\bspace\rreturn\x7f": "backspacereturn",
		"turned \u202e txt":       "turned  txt",
		"münchen → 日本":            "münchen → 日本",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	if got := Line("a\n::error::b\tc "); got != "a ::error::b c" {
		t.Errorf("%q", got)
	}
	if got := Lines("ok\n::error::x\n  ##[error]y\na :: b"); got != "ok\n· ::error::x\n  · ##[error]y\na :: b" {
		t.Errorf("%q", got)
	}
}

func TestAll(t *testing.T) {
	type inner struct {
		S    []string
		M    map[string]string
		P    *string
		Raw  []byte
		Deep map[string][]string
	}
	bad, p := "a\x1bb", "c\x1bd"
	v := inner{[]string{bad}, map[string]string{bad: bad}, &p, []byte(bad), map[string][]string{"k": {bad}}}
	All(&v)
	good, q := "ab", "cd"
	if want := (inner{[]string{good}, map[string]string{good: good}, &q, []byte(bad), map[string][]string{"k": {good}}}); !reflect.DeepEqual(v, want) {
		t.Errorf("%+v", v)
	}
}
