package scenarios

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const minimal = "schema: aftershock/scenario/v1\nname: bounds\n"

// TestBounds: what no machine could carry is refused by check, with the reason.
func TestBounds(t *testing.T) {
	for text, want := range map[string]string{
		"load: {phases: [{name: a, for: 300h, rate: 1000/s}]}":                                 "asks for 1.08e+09 messages",
		"start: 2262-04-12T00:00:00Z\nload: {phases: [{name: a, for: 1h, rate: 1/s}]}":         "year 2262",
		"start: 1600-01-01T00:00:00Z\nload: {phases: [{name: a, for: 1h, rate: 1/s}]}":         "year 1600",
		"drain: 8760h\nload: {phases: [{name: a, for: 1h, rate: 1/s}]}":                        "31 days",
		"load: {phases: [{name: a, for: 1h, rate: NaN/s}]}":                                    "rate",
		"load: {phases: [{name: a, for: 1h, rate: 1e300/s}]}":                                  "rate",
		"load: {phases: [{name: a, for: 2540400h, rate: 1/h}]}":                                "a year is the most",
		"messages: {recipients: 99999999999}\nload: {phases: [{name: a, for: 1h, rate: 1/s}]}": "recipients",
	} {
		if _, err := Read("bounds.yaml", []byte(minimal+text), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestOnlyFiles: a device or a pipe in place of a file is told, not read for ever; and nothing of a file that is no
// trace is repeated.
func TestOnlyFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("passwords", "root:$6$hash:1:0:99999:7:::\n")
	for text, want := range map[string]string{
		"extends: /dev/zero\n":                                  "a device",
		minimal + "load: {arrivals: trace, trace: /dev/zero}\n": "a device",
		minimal + "load: {arrivals: trace, trace: passwords}\n": "column 1 has no name that is known here",
	} {
		_, err := Open(write("s.yaml", text), Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hash") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := Open(dir+"/", Options{}); err == nil {
		t.Error("a folder is not a scenario")
	}
}

// BenchmarkManySteps reads a timeline of ten thousand steps.
func BenchmarkManySteps(b *testing.B) {
	var s strings.Builder
	s.WriteString(minimal + "load: {phases: [{name: a, for: 10h, rate: 60/min}]}\ntimeline:\n")
	for i := range 10_000 {
		fmt.Fprintf(&s, "  - {at: %ds, note: x}\n", i+1)
	}
	for b.Loop() {
		if _, err := Read("many.yaml", []byte(s.String()), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
