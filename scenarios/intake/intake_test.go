package intake_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/scenarios/intake"
)

func read(t *testing.T, text string, o intake.Options) (intake.Result, string, error) {
	t.Helper()
	if o.Key == nil {
		o.Key = []byte("key")
	}
	o.Temp = t.TempDir()
	var out bytes.Buffer
	r, err := intake.Import(t.Context(), strings.NewReader(text), &out, o)
	if left, _ := os.ReadDir(o.Temp); len(left) > 0 {
		t.Errorf("%d files left behind", len(left))
	}
	return r, out.String(), err
}

// arrivals reads what was written as a scenario does.
func arrivals(t *testing.T, trace string) (out []scenarios.Arrival) {
	t.Helper()
	for a, err := range scenarios.ReadTrace("t.csv", strings.NewReader(trace), time.Time{}) {
		if err != nil {
			t.Fatalf("%v\n%s", err, trace)
		}
		out = append(out, a)
	}
	return out
}

func TestFormats(t *testing.T) {
	for name, c := range map[string]struct {
		text, format string
		o            intake.Options
		offsets      []time.Duration // of the messages, from the minute of the first
		other, bad   int64
	}{
		"a csv with a header": {"to,created_at,type,size,id\n+491701234567,2025-06-06 13:33:10,image,300,a\n+491701234567,2025-06-06 13:33:12.5,text,,b\n",
			"csv", intake.Options{}, []time.Duration{10 * time.Second, 12500 * time.Millisecond}, 1, 0},
		"a csv of timestamps": {"2025-06-06T13:33:10Z\n2025-06-06T13:33:11Z\n", "csv", intake.Options{}, []time.Duration{10 * time.Second, 11 * time.Second}, 0, 0},
		"a csv of numbers":    {"1749216790\n1749216791.25\n", "csv", intake.Options{}, []time.Duration{10 * time.Second, 11250 * time.Millisecond}, 0, 0},
		"a csv with semicolons, own names, a time zone": {"wann;an\n\"2025-06-06 15:33:10\";\"x;y\"\n", "csv",
			intake.Options{Fields: map[string]string{"time": "wann", "to": "an"}, Zone: time.FixedZone("", 7200)}, []time.Duration{10 * time.Second}, 1, 0},
		"lines that are bad": {"timestamp,to\n2025-06-06T13:33:10Z,a\nsoon,b\n\"2025-06-06T13:33:11Z,c\n2025-06-06T13:33:12Z,d\n\n", "csv", intake.Options{},
			[]time.Duration{10 * time.Second, 12 * time.Second}, 2, 2},
		"jsonl": {`{"ts": 1749216790123, "recipient": "49170", "kind": "text"}` + "\n" + `{"ts": "2025-06-06T13:33:11Z"}` + "\n{\"ts\": \n[1]\n{}\n", "jsonl", intake.Options{},
			[]time.Duration{10123 * time.Millisecond, 11 * time.Second}, 0, 3},
		"jsonl of bare times": {`"2025-06-06T13:33:11Z"` + "\n1749216792\n", "jsonl", intake.Options{Format: "jsonl"}, []time.Duration{11 * time.Second, 12 * time.Second}, 0, 0},
		"jsonl with fields inside": {`{"message": {"sent": {"at": "2025-06-06T13:33:11Z"}}}` + "\n", "jsonl", intake.Options{Fields: map[string]string{"time": "message.sent.at"}},
			[]time.Duration{11 * time.Second}, 0, 0},
		"an access log": {`203.0.113.7 - - [06/Jun/2025:13:33:10 -0400] "POST /v1/messages HTTP/1.1" 202 17` + "\n" +
			`203.0.113.7 - bob [06/Jun/2025:13:33:11 -0400] "GET /healthz HTTP/1.1" 200 2 "-" "curl/8.0"` + "\n" +
			`203.0.113.7 - - [06/Jun/2025:13:33:12 -0400] "POST /v1/messages HTTP/1.1" 202 17 "-" "an \"agent\""` + "\nnonsense\n",
			"combined", intake.Options{}, []time.Duration{10 * time.Second, 12 * time.Second}, 1, 1},
		"a json access log": {`{"time_local":"06/Jun/2025:13:33:10 -0400","request":"POST /v1/messages HTTP/1.1","status":202}` + "\n" +
			`{"time":"2025-06-06T17:33:11Z","method":"POST","uri":"/v1/other"}` + "\n" + `{"time":"2025-06-06T17:33:11Z","method":"GET","uri":"/v1/messages"}` + "\n",
			"json", intake.Options{Match: regexp.MustCompile("^POST /v1/messages")}, []time.Duration{10 * time.Second}, 2, 0},
		"out of order": {"1749216795\n1749216791\n1749216793\n", "csv", intake.Options{}, []time.Duration{11 * time.Second, 13 * time.Second, 15 * time.Second}, 0, 0},
		"a window":     {"1749216790\n1749216791\n1749216792\n", "csv", intake.Options{From: time.Unix(1749216791, 0), To: time.Unix(1749216792, 0)}, []time.Duration{11 * time.Second}, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r, out, err := read(t, c.text, c.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []time.Duration
			for _, a := range arrivals(t, out) {
				got = append(got, a.At)
			}
			if !slices.Equal(got, c.offsets) || r.Format != c.format || r.Other != c.other || r.Bad != c.bad || int(r.Bad) != len(r.First) {
				t.Errorf("%v %+v\n%s", got, r, out)
			}
			if r.Lines != r.Messages+r.Other+r.Bad+r.Repeated {
				t.Errorf("%d lines, and %d accounted for", r.Lines, r.Messages+r.Other+r.Bad+r.Repeated)
			}
			if r.Start.Second() != 0 || r.Span != c.offsets[len(c.offsets)-1] {
				t.Errorf("start %v, span %v", r.Start, r.Span)
			}
		})
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	r, _, err := read(t, "timestamp\n2025-06-06T13:33:10Z\nsoon\nlater\n"+strings.Repeat("x\n", 10), intake.Options{})
	if err != nil || r.Bad != 12 || len(r.First) != 5 || r.First[0] != (intake.BadLine{3, `"soon" is not a time`}) {
		t.Errorf("%+v %v", r, err)
	}
	long := strings.Repeat("y", 3<<20)
	r, _, err = read(t, "timestamp,to\n2025-06-06T13:33:10Z,a\n"+long+"\n2025-06-06T13:33:11Z,b\n", intake.Options{})
	if err != nil || r.Messages != 2 || r.Bad != 1 || r.First[0].Line != 3 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "the log is empty",
		"\n\n":              "the log is empty",
		"a,b\n1,2\n":        "which column is the time? the log has a, b",
		"hello\nworld\n":    "which column is the time? the log has hello",
		"timestamp\nsoon\n": `no line could be read as csv (line 2: "soon" is not a time)`,
		`x - - [06/Jun/2025:13:33:11 -0400] "GET / HTTP/1.1" 200 2`:                                   "none of the 1 requests was wanted",
		`{"status":"success","data":{"resultType":"vector","result":[]}}`:                             `the answer is a "vector", not a matrix: ask query_range`,
		`{"status":"error","error":"timeout","data":{"resultType":"matrix"}}`:                         "the answer is an error: timeout",
		`{"status":"success","data":{"resultType":"matrix","result":[]}}`:                             "the answer has less than two values: a load needs a beginning and an end",
		`{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1,"0"],[2,"0"]]}]}}`: "the rates of the answer are 0, or too low for one message",
		"1749216790\n1849216790\n": "the log spans 27778h; a year is the most (use from and to)",
	} {
		if _, _, err := read(t, text, intake.Options{}); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	_, _, err := read(t, "timestamp,recipient\n", intake.Options{Fields: map[string]string{"to": "recipent"}})
	if err == nil || err.Error() != "to=recipent: the log has no such column; did you mean recipient?" {
		t.Error(err)
	}
	if _, _, err = read(t, "x", intake.Options{Format: "xml"}); err == nil || !strings.Contains(err.Error(), "is not a format") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = intake.Import(ctx, strings.NewReader(strings.Repeat("1749216790\n", 5000)), &bytes.Buffer{}, intake.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAnonymous(t *testing.T) {
	log := "timestamp,to,key\n1749216790,+491701234567,order-1\n1749216791,+491701234567,order-2\n1749216792,order-1,\n"
	_, out, err := read(t, log, intake.Options{})
	if err != nil || strings.Contains(out, "49170") || strings.Contains(out, "order") {
		t.Fatalf("%v\n%s", err, out)
	}
	a := arrivals(t, out)
	if a[0].To != a[1].To || a[0].To == a[2].To || a[0].Key == a[1].Key || a[0].Key[1:] == a[2].To[1:] || a[2].Key != "" {
		t.Errorf("%+v", a)
	}
	if a[0].Number() != a[1].Number() || a[0].Number() == a[2].Number() {
		t.Errorf("%s %s %s", a[0].Number(), a[1].Number(), a[2].Number())
	}
	_, again, _ := read(t, log, intake.Options{})
	_, other, _ := read(t, log, intake.Options{Key: []byte("another")})
	if out != again || out == other {
		t.Error("the hash depends on the key and on nothing else")
	}
}

func TestUniqueAndTypes(t *testing.T) {
	r, out, err := read(t, "timestamp,key,type\n1749216790,a,image\n1749216791,b,picture\n1749216792,a,image\n1749216793,,picture\n", intake.Options{Unique: true})
	if err != nil || r.Messages != 3 || r.Repeated != 1 || r.Unknown["picture"] != 2 {
		t.Errorf("%+v %v", r, err)
	}
	if a := arrivals(t, out); a[0].Type != "image" || a[1].Type != "" {
		t.Errorf("%+v", a)
	}
}

// A log of whole seconds does not make a burst of every second.
func TestSpread(t *testing.T) {
	log := "1749216790\n1749216791\n1749216790\n1749216790\n1749216790\n"
	r, out, err := read(t, log, intake.Options{})
	if want := "timestamp,to,type,size,key\n10,,,,\n10.25,,,,\n10.5,,,,\n10.75,,,,\n11,,,,\n"; err != nil || !r.Spread || out != want {
		t.Errorf("%v\n%s", err, out)
	}
	if r, out, _ = read(t, log, intake.Options{Exact: true}); r.Spread || strings.Count(out, "\n10,") != 4 {
		t.Errorf("%s", out)
	}
	if r, _, _ = read(t, log+"1749216790.5\n", intake.Options{}); r.Spread {
		t.Error("the log knows parts of a second")
	}
}

func TestGzip(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	fmt.Fprintln(z, "1749216790")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if r, _, err := read(t, b.String(), intake.Options{}); err != nil || r.Messages != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

// More than fits into memory is sorted over files.
func TestSortsOverFiles(t *testing.T) {
	const n = 30_000
	r := rand.New(rand.NewPCG(1, 2))
	var log bytes.Buffer
	for range n {
		fmt.Fprintf(&log, "%d.%03d\n", 1749216780+r.IntN(36000), r.IntN(1000))
	}
	res, out, err := read(t, log.String(), intake.Options{Hold: 1000})
	if err != nil || res.Messages != n {
		t.Fatalf("%+v %v", res, err)
	}
	if got := len(arrivals(t, out)); got != n { // which also checks the order
		t.Errorf("%d rows", got)
	}
}

func TestPrometheus(t *testing.T) {
	var values, nan []string
	for i := range 481 {
		rate := 2.5
		switch {
		case i >= 120 && i < 140:
			rate = 2.5 + float64(i-120)/20*15.83
		case i >= 140 && i < 360:
			rate = 18.33
		}
		values = append(values, fmt.Sprintf(`[%d,"%g"]`, 1749214980+i*15, rate/2))
	}
	nan = append(nan, `[1749214980,"NaN"]`)
	text := `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[` + strings.Join(values, ",") + `]},{"metric":{},"values":[` +
		strings.Join(values, ",") + `]},{"values":[` + strings.Join(nan, ",") + `]}]}}`
	r, out, err := read(t, text, intake.Options{})
	if err != nil || out != "" || r.Format != "prometheus" || r.Bad != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	if len(r.Phases) < 4 || len(r.Phases) > 8 || r.Phases[0].Rate.String() != "150/min" || r.Span != 2*time.Hour {
		t.Errorf("%+v", r.Phases)
	}
	if want := int64(72613); r.Messages < want*98/100 || r.Messages > want*102/100 {
		t.Errorf("%d messages, want about %d", r.Messages, want)
	}
	check(t, &r)
}

// What is written is a scenario.
func check(t *testing.T, r *intake.Result) *scenarios.Scenario {
	t.Helper()
	text, err := r.Scenario("mine", "a log: \"x\"", "mine.csv")
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Read("mine.yaml", text, scenarios.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return s
}

func TestScenario(t *testing.T) {
	var log strings.Builder
	for m := range 180 {
		n := 3
		if m >= 60 && m < 120 {
			n = 30
		}
		for i := range n {
			fmt.Fprintf(&log, "%d\n", 1749216780+m*60+i)
		}
	}
	r, _, err := read(t, log.String(), intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := check(t, &r)
	var names []string
	for _, p := range s.Load.Phases {
		names = append(names, p.Name)
	}
	if !slices.Equal(names, []string{"calm", "surge", "calm-2"}) || s.Load.Duration() != 3*time.Hour || s.Load.Trace != "mine.csv" || s.Load.Phases[1].For < 55*time.Minute {
		t.Errorf("%+v", s.Load)
	}
	if peak, at := r.Shape.Peak(); peak != 30 || at != 60 || r.Shape.Median() != 3 {
		t.Errorf("%d at %d", peak, at)
	}
}

func FuzzImport(f *testing.F) {
	for _, s := range []string{"timestamp,to\n1749216790,a\n", "1749216790\n", `{"ts":1749216790}`, `{"data":{"resultType":"matrix","result":[{"values":[[1,"1"],[2,"2"]]}]}}`,
		`x - - [06/Jun/2025:13:33:11 -0400] "POST / HTTP/1.1" 200 2`, "a;\"b\"\"c\";1749216790"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		r, err := intake.Import(t.Context(), strings.NewReader(text), &out, intake.Options{Key: []byte("k")})
		if err != nil {
			return
		}
		if r.Format != "prometheus" && r.Lines != r.Messages+r.Other+r.Bad+r.Repeated {
			t.Fatalf("%q: %+v", text, r)
		}
		n := int64(0)
		if r.Format == "prometheus" {
			out.WriteString("timestamp\n")
		}
		for _, err := range scenarios.ReadTrace("t", &out, time.Time{}) {
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			n++
		}
		if r.Format != "prometheus" && n != r.Messages {
			t.Fatalf("%q: %d rows for %d messages", text, n, r.Messages)
		}
		scn, err := r.Scenario("x", text, "x.csv")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := scenarios.Read("x.yaml", scn, scenarios.Options{}); err != nil {
			t.Fatalf("%q: %v\n%s", text, err, scn)
		}
	})
}
