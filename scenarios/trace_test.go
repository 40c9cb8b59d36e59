package scenarios_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/scenarios"
)

func readTrace(text string, start time.Time) (out []scenarios.Arrival, err error) {
	for a, e := range scenarios.ReadTrace("t.csv", strings.NewReader(text), start) {
		if e != nil {
			return out, e
		}
		out = append(out, a)
	}
	return out, nil
}

func TestReadTrace(t *testing.T) {
	got, err := readTrace("timestamp,to,type,size,key\n0,a,text,,k1\n1.5,b,image,300,\n1m30s,a,,,\n", time.Time{})
	want := []scenarios.Arrival{{0, "a", "text", 0, "k1"}, {1500 * time.Millisecond, "b", "image", 300, ""}, {90 * time.Second, "a", "", 0, ""}}
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v %v", got, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: %+v, want %+v", i, got[i], want[i])
		}
	}
	start := time.Date(2025, 6, 6, 17, 0, 0, 0, time.UTC)
	got, err = readTrace("to,timestamp\na,2025-06-06T13:03:00-04:00\nb,2025-06-06T17:03:01.25Z\n", start)
	if err != nil || got[0].At != 3*time.Minute || got[1].At != 3*time.Minute+1250*time.Millisecond {
		t.Errorf("%v %v", got, err)
	}
	got, err = readTrace("timestamp\n2025-06-06T13:03:00-04:00\n2025-06-06T17:03:01Z\n", time.Time{})
	if err != nil || got[0].At != 0 || got[1].At != time.Second {
		t.Errorf("%v %v", got, err)
	}
}

func TestReadTraceErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "t.csv:1: the trace is empty; its first line is timestamp,to,type,size,key",
		"to,type\n":                   "t.csv:1: no column timestamp; the first line is timestamp,to,type,size,key",
		"timestmp,to\n":               "t.csv:1: timestmp: unknown column; did you mean timestamp?",
		"timestamp,timestamp\n":       "t.csv:1: timestamp: column given twice",
		"timestamp,to\n1,a\n2\n":      "t.csv:3: 1 columns, and the first line names 2",
		"timestamp\nsoon\n":           `t.csv:2: timestamp: "soon" is not a time; write 2025-06-06T13:33:00-04:00, or seconds from the start such as 12.5`,
		"timestamp\n2\n1\n":           "t.csv:3: timestamp: 1 is before the row above; rows are in order of time; aftershock scenario import sorts",
		"timestamp\n-1\n":             "t.csv:2: timestamp: -1 is before the start; move start in the scenario, or leave it out",
		"timestamp,type\n1,picture\n": `t.csv:2: type: "picture" is not a type of message; write text, image, video, audio, document, sticker or template`,
		"timestamp,size\n1,big\n":     `t.csv:2: size: "big" is not a number of bytes up to 16 MiB`,
		"timestamp,to\n1,\"a\n":       `t.csv:2: extraneous or missing " in quoted-field`,
	} {
		if _, err := readTrace(text, time.Time{}); err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestTraceScenario(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	file := write("s.yaml", "load: {trace: t.csv, phases: [{name: first, for: 1m}]}\nthresholds: [{id: a, metric: m, is: '== 0', during: first}]\n")
	if _, err := scenarios.Open(file, scenarios.Options{}); err == nil || !strings.Contains(err.Error(), "t.csv: no such file") {
		t.Errorf("a trace that is not there: %v", err)
	}
	write("t.csv", "timestamp,to\n")
	if _, err := scenarios.Open(file, scenarios.Options{}); err == nil || !strings.Contains(err.Error(), "the trace has no messages") {
		t.Errorf("an empty trace: %v", err)
	}
	write("t.csv", "timestamp,to\n1,a\n7200,b\n")
	s, err := scenarios.Open(file, scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Duration() != 2*time.Hour {
		t.Error(s.Duration())
	}
	n := 0
	for a, err := range s.Trace() {
		if err != nil {
			t.Fatal(err)
		}
		if n++; len(a.Number()) != 14 || !strings.HasPrefix(a.Number(), "1555") {
			t.Error(a.Number())
		}
	}
	if n != 2 {
		t.Error(n)
	}
	// One that extends it from another folder finds the same trace.
	other := write("sub/o.yaml", "extends: ../s.yaml\n")
	if s, err = scenarios.Open(other, scenarios.Options{}); err != nil || s.Duration() != 2*time.Hour {
		t.Errorf("%v", err)
	}
	if _, err := scenarios.Read(file, s.YAML(), scenarios.Options{}); err != nil {
		t.Errorf("Read does not look for the trace: %v", err)
	}
}

func TestSqueezedTrace(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"t.csv":  "timestamp,to\n30,a\n90,b\n",
		"s.yaml": "schema: aftershock/scenario/v1\nname: t\nload: {trace: t.csv}\nthresholds: [{id: a, metric: messages.lost, is: \"== 0\"}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := scenarios.Open(filepath.Join(dir, "s.yaml"), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []time.Duration
	for a, err := range s.Squeeze(10).Squeeze(3).Trace() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a.At)
	}
	if len(got) != 2 || got[0] != time.Second || got[1] != 3*time.Second || s.Duration() != 90*time.Second {
		t.Errorf("arrivals at %v", got)
	}
}
