package reports

import (
	"bytes"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/internal/golden"
)

// grid is a sweep of two axes in which more rate harms and more replicas help.
func grid(seeds ...int64) SweepRecord {
	rec := SweepRecord{Scenario: "grid", Seeds: seeds, Axes: []SweepAxis{{"sender.drafts.rate_limit", []string{"200/min", "300/min", "400/min", "500/min"}}, {"sender.whatsapp.replicas.max", []string{"4", "8", "12"}}}}
	for i := range 4 {
		for j := range 3 {
			p := SweepPoint{Levels: []int{i, j}}
			for _, seed := range seeds {
				copies := math.Max(0, float64(200+100*i)-float64(250+100*j)) + float64(seed%2)*math.Max(0, float64(i-j-1))
				verdict, missed := Met, []string(nil)
				if copies > 100 {
					verdict, missed = Missed, []string{"once"}
				}
				p.Runs = append(p.Runs, SweepRun{Seed: seed, Verdict: verdict, Missed: missed, Metrics: map[string]float64{
					"duplicates.copies": copies, "messages.expired": 0, "messages.ended_badly": 0, "messages.pending": 0, "messages.misdelivered": 0, "messages.harmed": copies, "messages.harmed.rate": copies / 1000,
					"delivery_time.p50": 60, "delivery_time.p99": 3600 / float64(200+100*i) * float64(20-j), "replicas.hours": float64(30 + 10*j), "recovery.drained": 1, "recovery.drain": 1800,
				}})
			}
			rec.Points = append(rec.Points, p)
		}
	}
	return rec
}

// switchboard is a sweep of two switches that do more together than alone.
func switchboard() SweepRecord {
	rec := SweepRecord{Scenario: "switches", Seeds: []int64{1}, Axes: []SweepAxis{{"idempotent-drafts", []string{Off, On}}, {"faster-scaling", []string{Off, On}}}}
	for _, p := range []struct {
		levels []int
		harmed float64
	}{{[]int{0, 0}, 0.4}, {[]int{0, 1}, 0.1}, {[]int{1, 0}, 0.35}, {[]int{1, 1}, 0}} {
		rec.Points = append(rec.Points, SweepPoint{Levels: p.levels, Runs: []SweepRun{{Seed: 1, Verdict: Missed, Purpose: "replay", Missed: []string{"delayed"}, Metrics: map[string]float64{"messages.pending": 0, "messages.misdelivered": 0, "messages.harmed": p.harmed * 1000, "messages.harmed.rate": p.harmed, "duplicates.copies": p.harmed * 1000, "messages.expired": 0, "messages.ended_badly": 0, "delivery_time.p99": 100 + p.harmed}}}})
	}
	return rec
}

func newSweep(t *testing.T, rec SweepRecord) *Sweep {
	t.Helper()
	s, err := NewSweep(rec, nil, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSafeRegionInWords(t *testing.T) {
	s := newSweep(t, grid(1, 2))
	want := "No duplicates on 2 seeds: rate_limit up to 200/min with replicas.max 4; rate_limit up to 300/min with replicas.max 8; rate_limit up to 400/min with replicas.max 12."
	words := s.SafeWords()
	if words[0] != want {
		t.Errorf("got  %s\nwant %s", words[0], want)
	}
	if words[1] != "Nothing expired on 2 seeds: with every setting." || !strings.HasPrefix(words[7], "All of these on 2 seeds: rate_limit up to 200/min") {
		t.Errorf("got %q", words)
	}
	rec := grid(1, 2)
	rec.Points[0].Runs = rec.Points[0].Runs[:1] // a seed that has not run yet keeps nothing
	if w := newSweep(t, rec).SafeWords()[0]; strings.Contains(w, "replicas.max 4") {
		t.Errorf("a setting that has not run on every seed is called safe: %s", w)
	}
	if w := newSweep(t, switchboard()).SafeWords()[0]; w != "No duplicates on 1 seed: idempotent-drafts + faster-scaling." {
		t.Errorf("got %s", w)
	}
}

// A setting is safe only when nobody was harmed in any way and every promise was kept, on every seed; a statement of a
// replay that does not come true is no harm.
func TestSafeIsNobodyHarmedAndEveryPromiseKept(t *testing.T) {
	whole := func() SweepRun {
		return SweepRun{Seed: 1, Verdict: Met, Metrics: map[string]float64{"duplicates.copies": 0, "messages.expired": 0, "messages.ended_badly": 0, "messages.pending": 0, "messages.misdelivered": 0, "messages.harmed": 0, "messages.harmed.rate": 0, "delivery_time.p99": 1}}
	}
	for _, c := range []struct {
		name   string
		change func(*SweepRun)
		safe   bool
		broke  string
	}{
		{"nothing", func(*SweepRun) {}, true, ""},
		{"messages held at the end", func(r *SweepRun) { r.Metrics["messages.pending"], r.Metrics["messages.harmed"] = 3, 3 }, false, "left waiting"},
		{"messages that went to somebody else", func(r *SweepRun) { r.Metrics["messages.misdelivered"], r.Metrics["messages.harmed"] = 1, 1 }, false, "sent astray"},
		{"messages that the harness could not send", func(r *SweepRun) { r.Metrics["messages.harmed"] = 1 }, false, "harmed"},
		{"a promise that was missed", func(r *SweepRun) { r.Verdict, r.Missed = Missed, []string{"quick"} }, false, "quick"},
		{"a promise without data", func(r *SweepRun) { r.Verdict, r.Unjudged = Invalid, []string{"quick"} }, false, "quick (no data)"},
		{"a statement that did not come true", func(r *SweepRun) { r.Purpose, r.Verdict, r.Missed = "replay", Missed, []string{"delayed"} }, true, "delayed"},
		{"a statement without data", func(r *SweepRun) { r.Purpose, r.Verdict, r.Unjudged = "replay", Invalid, []string{"settled"} }, true, "settled (no data)"},
		{"a run that cannot be believed", func(r *SweepRun) {
			r.Purpose, r.Verdict, r.Doubts = "replay", Invalid, []string{"a step struck nothing: 2001 requests"}
		}, false, "invalid, for a step struck nothing"},
		{"a metric that is not there", func(r *SweepRun) { delete(r.Metrics, "messages.pending") }, false, "left waiting"},
	} {
		r := whole()
		c.change(&r)
		s := newSweep(t, SweepRecord{Scenario: "x", Seeds: []int64{1}, Points: []SweepPoint{{Runs: []SweepRun{r}}}})
		if got := s.keeps(s.Points[0], s.Safe...); got != c.safe {
			t.Errorf("%s: safe is %v", c.name, got)
		}
		if got := s.brokeWords(s.Points[0]); got != c.broke {
			t.Errorf("%s: broke %q, want %q", c.name, got, c.broke)
		}
	}
}

// A setting that keeps its figures on one seed and breaks a promise on another is not safe, and its cell says what broke.
func TestOneSeedIsEnoughToBreak(t *testing.T) {
	s := newSweep(t, grid(1, 2))
	p, _ := s.at(3, 0)
	if got := s.cellWhy(3, 0); got != "25.2% x once +1" {
		t.Errorf("the cell says %q", got)
	}
	if got := s.brokeWords(p); got != "once (2 of 2 seeds), duplicates (2 of 2 seeds)" {
		t.Errorf("broke %q", got)
	}
	for _, l := range strings.Split(textOf(t, s), "\n") {
		if runes(l) > textWidth {
			t.Errorf("%d columns: %s", runes(l), l)
		}
	}
}

func textOf(t *testing.T, s *Sweep) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Text(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEffectsOfSwitches(t *testing.T) {
	es := newSweep(t, switchboard()).effects()
	if len(es) != 2 || es[0].Axis != "faster-scaling" {
		t.Fatalf("%+v", es)
	}
	for i, want := range []Effect{{Mean: -0.325, Alone: -0.3}, {Mean: -0.075, Alone: -0.05}} {
		if math.Abs(es[i].Mean-want.Mean) > 1e-9 || math.Abs(es[i].Alone-want.Alone) > 1e-9 {
			t.Errorf("%+v, want %+v", es[i], want)
		}
	}
}

func TestFrontHoldsWhatNothingBeats(t *testing.T) {
	s := newSweep(t, grid(2))
	front := s.front()
	if len(front) == 0 {
		t.Fatal("no front")
	}
	for _, f := range front {
		for _, p := range s.Points {
			if s.value(p, s.Headline) < s.value(f, s.Headline) && s.value(p, s.Cost) < s.value(f, s.Cost) {
				t.Errorf("%s is beaten by %s", s.name(f), s.name(p))
			}
		}
	}
}

func TestSweepDocumentsAreGolden(t *testing.T) {
	for name, rec := range map[string]SweepRecord{"grid": grid(1, 2), "switches": switchboard(), "nothing": {Scenario: "nothing", Seeds: []int64{1}, Points: []SweepPoint{{}}}} {
		s := newSweep(t, rec)
		var text, md bytes.Buffer
		if err := s.Text(&text); err != nil {
			t.Fatal(err)
		}
		if err := s.Markdown(&md); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, filepath.Join("testdata", "sweep", name+".txt"), text.Bytes())
		golden.Check(t, filepath.Join("testdata", "sweep", name+".md"), md.Bytes())
		if err := s.Write(t.TempDir()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		page, err := s.html()
		if err != nil {
			t.Fatal(err)
		}
		if name == "grid" {
			golden.Check(t, filepath.Join("testdata", "sweep", "map.svg"), s.figures()[0].SVG())
			if !bytes.Contains(page, []byte("default-src 'none'")) {
				t.Error("the page has no content security policy")
			}
		}
	}
}

func TestParseSafe(t *testing.T) {
	r, err := ParseSafe("delivery_time.p99 <= 10m")
	if err != nil || !r.Holds(SweepRun{Verdict: Met, Metrics: map[string]float64{"delivery_time.p99": 599}}) || r.Holds(SweepRun{Verdict: Met, Metrics: map[string]float64{"delivery_time.p99": 601}}) {
		t.Errorf("%+v, %v", r, err)
	}
	if r.Holds(SweepRun{Verdict: Met, Metrics: map[string]float64{}}) || r.Holds(SweepRun{Verdict: Invalid, Metrics: map[string]float64{"delivery_time.p99": 1}}) {
		t.Error("a rule without data, or of a run that cannot be trusted, holds")
	}
	for _, bad := range []string{"", "duplicates.copies", "duplicates == 0", "duplicates.copies = 0", "delivery_time.p99 <= +10%"} {
		if r, err := ParseSafe(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, r)
		}
	}
}
