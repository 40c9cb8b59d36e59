package gate

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut"
)

// refused is the exit code of a scenario that is not run at all.
const refused = 2

// answer is what a scenario has to come to: an exit code, and words that say why.
type answer struct {
	exit int
	says []string
	set  map[string]string // as --set
}

func invalid(says ...string) []answer { return []answer{{reports.ExitInvalid, says, nil}} }
func missed(says ...string) []answer  { return []answer{{reports.ExitMissed, says, nil}} }

// struckNothing is the answer to a fault that does nothing, at a minute.
func struckNothing(step string) []answer {
	return invalid("the timeline's step at "+step, "struck nothing", "may: miss")
}

// held is one answer for each time that the sender waits.
func held(timeouts ...string) []answer {
	var out []answer
	for _, t := range timeouts {
		out = append(out, answer{reports.ExitMissed, []string{"120 copies too many: 120 by send_retry"}, map[string]string{"sender.whatsapp.api.timeout": t}})
	}
	return out
}

// answers is the table: one row for each file in testdata.
var answers = map[string][]answer{
	// What became of the messages.
	"shed-makes-it-quick":          missed("ended as shed, and no threshold looks at that", "ended as failed"),
	"pending-at-the-end":           invalid("ended as pending, and no threshold looks at that"),
	"half-refused-beside-a-median": invalid("ended as failed, and no threshold looks at that"),

	// What is judged, and by how much.
	"no-thresholds":                  invalid("no thresholds", "purpose: measure"),
	"limits-that-nothing-breaks":     invalid("every threshold holds whatever happens"),
	"warnings-only":                  invalid("all thresholds only warn"),
	"three-samples":                  invalid("3 values for delivery_time.p999, which needs 1000", "3 values for delivery_time.p99, which needs 100"),
	"for-window-is-existential":      missed("2 of 2"),
	"empty-phase":                    invalid("no messages were due in the window (during night)"),
	"a-ratio-of-nothing":             invalid("no data"),
	"recovered-late":                 invalid("b: no data", "too little load afterwards to tell"),
	"baseline-p999":                  invalid("119 values for delivery_time.p999, which needs 1000"),
	"baseline-other-metric":          invalid("quick: no baseline"),
	"media-thresholds-without-media": invalid("media: no data"),

	// What the ledger knows: 120 messages are accepted twice, however long the sender waits for an answer.
	"reply-held-past-the-end": held("10s", "30s", "60s", "90s", "3m", "10m"),

	// Steps that do nothing.
	"fault-no-such-type":                   struckNothing("1m0s (fault reply-lost, type video, share 100%)"),
	"fault-nobodys-number":                 struckNothing("1m0s (fault reply-lost, to +15559999999)"),
	"fault-no-media":                       struckNothing("1m0s (fault reply-lost, where media)"),
	"fault-no-such-number":                 struckNothing("1m0s (fault error, number 42)"),
	"fault-nobodys-prefix":                 struckNothing("1m0s (fault error, to 4915*)"),
	"fault-share-0":                        struckNothing("1m0s (fault error, share 0%)"),
	"fault-share-tiny":                     struckNothing("1m0s (fault error, share 0.0001%)"),
	"fault-a-millisecond":                  struckNothing("1m0s (fault error)"),
	"fault-throttle-above-the-load":        struckNothing("1m0s (fault throttle)"),
	"fault-of-an-endpoint-nobody-calls":    struckNothing("1m0s (fault error, where templates)"),
	"fault-latency-of-nothing":             struckNothing("1m0s (fault latency)"),
	"fault-webhook-of-nobody":              struckNothing("1m0s (fault webhook, to 4915112345678)"),
	"fault-media-expiry-without-media":     struckNothing("1m0s (fault media-expiry)"),
	"fault-every-10000th":                  struckNothing("1m0s (fault error)"),
	"fault-in-the-drain-after-all-is-sent": struckNothing("5m12s (fault reply-lost)"),
	"fault-after-the-end":                  {{refused, []string{"timeline[0].at: 20m is after the end of the run"}, nil}},
	"set-after-the-end":                    {{refused, []string{"timeline[0].at: 30m is after the end of the run"}, nil}},
	"step-in-the-drain-that-never-comes":   invalid("the timeline's step at 12m0s (kill whatsapp/1) was never carried out"),
	"kill-nobody":                          invalid("the timeline's step at 1m0s (kill whatsapp/99)", "there is no whatsapp/99"),
	"pause-nobody":                         invalid("the timeline's step at 1m0s (pause whatsapp/40)", "there is no whatsapp/40"),
	"set-to-what-it-is":                    invalid("the timeline's step at 1m0s (set whatsapp.limits.throughput = 80/s) did nothing"),
	"set-twice":                            invalid("the timeline's step at 2m0s (set sender.drafts.rate_limit = 300/min) did nothing"),
	"set-other-spelling":                   invalid("the timeline's step at 2m0s (set sender.drafts.rate_limit = 5/s) did nothing"),
	"fault-throttle-to-the-usual":          struckNothing("1m0s (fault throttle)"),
	"scale-to-what-it-is":                  invalid("the timeline's step at 2m0s (scale whatsapp to 6) did nothing"),
	"set-undone-at-once":                   invalid("timeline[0].set", "timeline[1] sets the same at the same instant"),
	"set-media-without-media":              invalid("timeline[0].set", "no message carries media"),
	"may-miss":                             {{reports.ExitMet, nil, nil}},
}

// checked are those that `aftershock scenario check` refuses already, and what it says.
var checked = map[string]string{
	"no-thresholds":                     "thresholds: are none",
	"warnings-only":                     "thresholds: only warn",
	"fault-no-such-type":                "timeline[0].fault.type",
	"fault-no-media":                    "timeline[0].fault.where",
	"fault-of-an-endpoint-nobody-calls": "timeline[0].fault.where",
	"fault-no-such-number":              "timeline[0].fault.number",
	"fault-share-0":                     "timeline[0].fault.share",
	"fault-a-millisecond":               "timeline[0].fault",
	"kill-nobody":                       "timeline[0].kill",
	"pause-nobody":                      "timeline[0].pause",
	"set-undone-at-once":                "timeline[0].set",
	"set-media-without-media":           "timeline[0].set",
	"set-to-what-it-is":                 "timeline[0].set",
	"set-twice":                         "timeline[1].set",
	"set-other-spelling":                "timeline[1].set",
	"scale-to-what-it-is":               "timeline[1].scale.whatsapp",
}

func TestGateCheck(t *testing.T) {
	for name := range answers {
		s, err := open(filepath.Join("testdata", name+".yaml"), nil)
		if err != nil {
			continue // not run at all: the table says so
		}
		want, said := checked[name], fmt.Sprint(s.Idle.Err())
		if (want != "") != (len(s.Idle) > 0) || !strings.Contains(said, want) {
			t.Errorf("%s: want %q, check says %s", name, want, said)
		}
	}
	for _, name := range scenarios.Names() {
		if s, err := open(name, nil); err != nil || len(s.Idle) > 0 {
			t.Errorf("%s: %v %v", name, err, s.Idle)
		}
	}
}

// open reads a scenario as `aftershock run` does.
func open(path string, set map[string]string) (*scenarios.Scenario, error) {
	b := local.Blocks()
	b.Metric, b.Threshold, b.Presets = reports.CheckMetric, reports.CheckThreshold, sut.Presets()
	return scenarios.Open(path, scenarios.Options{Set: set, Blocks: b})
}

// replay runs a scenario in virtual time and judges it.
func replay(t *testing.T, s *scenarios.Scenario) *reports.Report {
	t.Helper()
	r, err := reports.Open(kept(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// kept runs a scenario in virtual time and returns the folder of its record.
func kept(t *testing.T, s *scenarios.Scenario) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	o := local.Options{Scenario: s, Dir: dir}
	o.Info.Scenario = record.ScenarioInfo{Name: s.Name, Purpose: s.Purpose, SHA256: s.SHA256(), Seed: s.Seed, Preset: s.Preset()}
	if _, err := local.Replay(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	return dir
}

// text is what a report says, on one line.
func text(t *testing.T, r *reports.Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.Text(&b, false); err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func TestGate(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		want, ok := answers[name]
		if !ok {
			t.Errorf("%s has no answer in the table", file)
		}
		for _, a := range want {
			t.Run(name+words(a.set), func(t *testing.T) { try(t, file, a) })
		}
	}
	for name := range answers {
		if _, err := os.Stat(filepath.Join("testdata", name+".yaml")); err != nil {
			t.Errorf("the table answers for a file that there is not: %v", err)
		}
	}
}

func words(set map[string]string) string {
	out := ""
	for _, k := range slices.Sorted(maps.Keys(set)) {
		out += "," + k + "=" + set[k]
	}
	return out
}

func try(t *testing.T, file string, a answer) {
	s, err := open(file, a.set)
	exit, said := refused, ""
	if err != nil {
		said = err.Error()
	} else {
		r := replay(t, s)
		exit, said = r.ExitCode, text(t, r)
	}
	if exit != a.exit {
		t.Errorf("exit %d, want %d: %s", exit, a.exit, said)
	}
	for _, part := range a.says {
		if !strings.Contains(said, part) {
			t.Errorf("it does not say %q: %s", part, said)
		}
	}
}

// A run that cannot be judged is no baseline: the p99.9 of too few messages judges nothing that is called the same.
func TestGateBaseline(t *testing.T) {
	base, err := open("testdata/baseline-p999.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := open("testdata/baseline-other-metric.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	run := replay(t, base)
	if _, err := reports.NewBaseline([]*reports.Report{run}, false); err == nil {
		t.Error("a run that is invalid became a baseline")
	}
	b, err := reports.NewBaseline([]*reports.Report{run}, true)
	if err != nil {
		t.Fatal(err)
	}
	r := replay(t, other)
	if err := r.Against(b); err == nil && r.ExitCode != reports.ExitInvalid {
		t.Errorf("judged: exit %d: %s", r.ExitCode, text(t, r))
	}
}
