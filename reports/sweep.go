package reports

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
)

// SweepRecord is what many runs of one scenario under different settings came to.
type SweepRecord struct {
	Scenario string
	Axes     []SweepAxis
	Seeds    []int64
	Points   []SweepPoint // in the order of the axes, the last one changing fastest
}

// SweepAxis is one thing that was varied.
type SweepAxis struct {
	Name   string   `json:"name"`
	Levels []string `json:"levels"` // the first one is what the others are measured against
}

// SweepPoint is one combination of levels and its runs, one for each seed that has finished.
type SweepPoint struct {
	Levels []int // an index into each axis' Levels
	Runs   []SweepRun
}

// SweepRun is what a sweep keeps of one run.
type SweepRun struct {
	Seed     int64              `json:"seed"`
	Verdict  Verdict            `json:"verdict"`
	Purpose  string             `json:"purpose,omitempty"` // of the scenario: replay, measure; a promise without it
	ExitCode int                `json:"exit_code"`
	Metrics  map[string]float64 `json:"metrics"`
	Digest   string             `json:"digest"`
	WallS    float64            `json:"wall_s"`
	Missed   []string           `json:"missed,omitempty"`   // thresholds that were missed, or statements that did not come true, by id
	Unjudged []string           `json:"unjudged,omitempty"` // thresholds that could not be judged, by id
	Doubts   []string           `json:"doubts,omitempty"`   // why the run cannot be believed
}

// RunOf keeps of a report what a sweep needs.
func RunOf(r *Report) SweepRun {
	s := r.Summary()
	run := SweepRun{Seed: s.Scenario.Seed, Verdict: r.Verdict, Purpose: r.Info.Scenario.Purpose, ExitCode: r.ExitCode, Digest: s.Run.Digest, WallS: s.Run.WallS, Metrics: map[string]float64{}}
	for _, m := range Metrics() {
		if v, ok := r.Value(m.Name); ok {
			run.Metrics[m.Name] = v
		}
	}
	run.Doubts = r.untrusted()
	for _, t := range r.Thresholds {
		switch {
		case t.Warn():
		case t.Verdict == Missed:
			run.Missed = append(run.Missed, t.ID)
		case t.Verdict == Invalid:
			run.Unjudged = append(run.Unjudged, t.ID)
		}
	}
	return run
}

// Sweep is a sweep prepared for its documents.
type Sweep struct {
	SweepRecord
	Safe     []SafeRule
	Headline MetricDef // what maps, ranks and tornado show
	Cost     MetricDef // the other side of the Pareto front
}

// NewSweep prepares a sweep; headline and cost are metrics, "" for the usual ones.
func NewSweep(rec SweepRecord, safe []SafeRule, headline, cost string) (*Sweep, error) {
	if headline == "" {
		headline = "messages.harmed.rate"
	}
	if cost == "" {
		cost = "delivery_time.p99"
	}
	s := &Sweep{SweepRecord: rec, Safe: safe}
	if len(safe) == 0 {
		s.Safe = defaultSafe(s.words())
	}
	var err error
	if s.Headline, err = Metric(headline); err != nil {
		return nil, err
	}
	s.Cost, err = Metric(cost)
	return s, err
}

// value is a metric of a point: the median over its seeds, the worst for counts of harm. NaN without data.
func (s *Sweep) value(p SweepPoint, m MetricDef) float64 {
	var v []float64
	for _, r := range p.Runs {
		if x, ok := r.Metrics[m.Name]; ok {
			v = append(v, x)
		}
	}
	if len(v) == 0 {
		return math.NaN()
	}
	if m.Tier == Exact && m.Better == "lower" {
		worst := v[0]
		for _, x := range v {
			worst = max(worst, x)
		}
		return worst
	}
	return median(v)
}

// name says which point it is.
func (s *Sweep) name(p SweepPoint) string { return SettingName(s.Axes, p.Levels) }

// SettingName says in words which level of each axis a setting has.
func SettingName(axes []SweepAxis, levels []int) string {
	if len(levels) == 0 {
		return "as it is"
	}
	parts := make([]string, 0, len(levels))
	if switches(axes) {
		for i, l := range levels {
			if l > 0 {
				parts = append(parts, axes[i].Name)
			}
		}
		if len(parts) == 0 {
			return "nothing changed"
		}
		return strings.Join(parts, " + ")
	}
	for i, l := range levels {
		parts = append(parts, shortKey(axes[i].Name)+" "+axes[i].Levels[l])
	}
	return strings.Join(parts, ", ")
}

// switches reports whether every axis is something that is on or off.
func switches(axes []SweepAxis) bool {
	for _, a := range axes {
		if len(a.Levels) != 2 || a.Levels[0] != Off || a.Levels[1] != On {
			return false
		}
	}
	return len(axes) > 0
}

func (s *Sweep) switches() bool { return switches(s.Axes) }

// The levels of an axis that switches something.
const (
	Off = "off"
	On  = "on"
)

// shortKey is the end of a dotted key that still says what it is.
func shortKey(key string) string {
	parts := strings.Split(key, ".")
	last := parts[len(parts)-1]
	if len(parts) > 1 && (last == "max" || last == "min" || last == "rate" || last == "start") {
		return parts[len(parts)-2] + "." + last
	}
	return last
}

// ranked returns the finished points, the least harm first.
func (s *Sweep) ranked() []SweepPoint {
	var out []SweepPoint
	for _, p := range s.Points {
		if len(p.Runs) > 0 {
			out = append(out, p)
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := s.value(out[i], s.Headline), s.value(out[j], s.Headline)
		if a != b {
			return s.better(a, b)
		}
		return s.cheaper(out[i], out[j])
	})
	return out
}

func (s *Sweep) better(a, b float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return !math.IsNaN(a)
	}
	if s.Headline.Better == "higher" {
		return a > b
	}
	return a < b
}

// cheaper compares two points by cost.
func (s *Sweep) cheaper(a, b SweepPoint) bool { return s.value(a, s.Cost) < s.value(b, s.Cost) }

// sweepColumn is one metric in the table of a sweep.
type sweepColumn struct {
	metric, head, meaning string
	brief                 bool // shown on a terminal too, where room is short
}

var sweepColumns = []sweepColumn{
	{"messages.harmed.rate", "harmed", "share of messages not delivered exactly once", true},
	{"duplicates.copies", "copies", "sent too many", true},
	{"messages.expired", "expired", "", true},
	{"messages.ended_badly", "lost", "lost, failed or refused", true},
	{"messages.pending", "waiting", "left waiting at the end", true},
	{"delivery_time.p50", "p50", "", false},
	{"delivery_time.p99", "p99", "of the delivery time", true},
	{"attempts.amplification", "amplification", "", false},
	{"recovery.drain", "drained in", "", false},
	{"replicas.hours", "replica h", "", false},
}

// legend says what the columns of a table mean.
func (s *Sweep) legend(t table) string {
	var parts []string
	for _, c := range sweepColumns {
		if c.meaning != "" && slices.Contains(t.Head, c.head) {
			parts = append(parts, c.head+": "+c.meaning)
		}
	}
	parts = append(parts, s.words().Of(Met)+": runs, of all seeds")
	text := strings.Join(append(parts, "safe: "+s.safeName()), "; ")
	if len(s.Seeds) > 1 {
		text += "; counts are the worst of the seeds, times their median"
	}
	return text + "."
}

// table lists the points, best first; brief is with the columns there is room for on a terminal.
func (s *Sweep) table(brief bool) table {
	var columns []sweepColumn
	for _, c := range sweepColumns {
		if c.brief || !brief {
			columns = append(columns, c)
		}
	}
	t := s.tableOf(columns, brief)
	for brief && t.width() > textWidth-2 {
		i := s.dispensable(columns)
		if i < 0 {
			break
		}
		columns = slices.Delete(columns, i, i+1)
		t = s.tableOf(columns, brief)
	}
	return t
}

// dispensable is the column that says least, where there is no room for all: one that is zero in every row, else the last
// that is neither the first nor on its own.
func (s *Sweep) dispensable(columns []sweepColumn) int {
	for i := len(columns) - 1; i > 0; i-- {
		m, err := Metric(columns[i].metric)
		if err == nil && !slices.ContainsFunc(s.Points, func(p SweepPoint) bool { return s.value(p, m) != 0 }) {
			return i
		}
	}
	if len(columns) < 2 {
		return -1
	}
	return len(columns) - 1
}

// tableOf lists the points with these columns.
func (s *Sweep) tableOf(columns []sweepColumn, brief bool) table {
	t := table{Head: append([]string{"#"}, s.settingHeads()...)}
	for _, c := range columns {
		t.Head = append(t.Head, c.head)
	}
	t.Head = append(t.Head, s.words().Of(Met), "safe")
	if !brief {
		t.Head = append(t.Head, s.brokeTitle())
	}
	for i, p := range s.ranked() {
		row := append([]string{fmt.Sprint(i + 1)}, s.settingCells(p)...)
		for _, c := range columns {
			row = append(row, s.cell(p, c))
		}
		row = append(row, fmt.Sprintf("%d/%d", met(p), len(p.Runs)), s.safeMark(p))
		if !brief {
			row = append(row, s.brokeWords(p))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// cell writes a metric of a point.
func (s *Sweep) cell(p SweepPoint, c sweepColumn) string {
	m, err := Metric(c.metric)
	if err != nil {
		return ""
	}
	v := s.value(p, m)
	if math.IsNaN(v) && c.metric == "recovery.drain" && neverDrained(p) {
		return "never"
	}
	return m.Unit.Format(v)
}

// met counts the runs of a point that were met, or reproduced.
func met(p SweepPoint) int {
	n := 0
	for _, r := range p.Runs {
		if r.Verdict == Met {
			n++
		}
	}
	return n
}

func (s *Sweep) safeMark(p SweepPoint) string {
	if s.keeps(p, s.Safe...) {
		return "ok"
	}
	return "x"
}

// words are what the sweep calls its runs' verdicts.
func (s *Sweep) words() Words {
	for _, p := range s.Points {
		for _, r := range p.Runs {
			return Words(r.Purpose)
		}
	}
	return ""
}

// settingHeads and settingCells are the columns that say which point it is: one for each axis, or a single one for
// switches.
func (s *Sweep) settingHeads() []string {
	if s.switches() || len(s.Axes) == 0 {
		return []string{"setting"}
	}
	var heads []string
	for _, a := range s.Axes {
		heads = append(heads, shortKey(a.Name))
	}
	return heads
}

func (s *Sweep) settingCells(p SweepPoint) []string {
	if s.switches() || len(s.Axes) == 0 {
		return []string{s.name(p)}
	}
	return s.levelNames(p)
}

// neverDrained reports whether some run of a point had trouble and kept its backlog.
func neverDrained(p SweepPoint) bool {
	for _, r := range p.Runs {
		if v, ok := r.Metrics["recovery.drained"]; ok && v == 0 {
			return true
		}
	}
	return false
}

// front returns the points that no other beats on both headline and cost, in the order of cost.
func (s *Sweep) front() []SweepPoint {
	var out []SweepPoint
	for _, p := range s.ranked() {
		dominated := false
		a, c := s.value(p, s.Headline), s.value(p, s.Cost)
		for _, q := range s.ranked() {
			b, d := s.value(q, s.Headline), s.value(q, s.Cost)
			notWorse := !s.better(a, b) && d <= c
			if notWorse && (s.better(b, a) || d < c) {
				dominated = true
				break
			}
		}
		if !dominated && !math.IsNaN(a) && !math.IsNaN(c) {
			out = append(out, p)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return s.cheaper(out[i], out[j]) })
	return out
}

// Effect is what one level of one axis changes, everything else being equal.
type Effect struct {
	Axis, Level string
	Mean        float64 // of the headline, over all combinations of the other axes, against the axis' first level
	Alone       float64 // the same with every other axis at its first level; NaN when that was not run
}

// effects measures every level of every axis, the strongest first.
func (s *Sweep) effects() []Effect {
	at := map[string]SweepPoint{}
	for _, p := range s.Points {
		at[fmt.Sprint(p.Levels)] = p
	}
	var out []Effect
	for i, a := range s.Axes {
		for l := 1; l < len(a.Levels); l++ {
			e := Effect{Axis: a.Name, Level: a.Levels[l], Alone: math.NaN()}
			var diffs []float64
			for _, p := range s.Points {
				if p.Levels[i] != l {
					continue
				}
				other := append([]int(nil), p.Levels...)
				other[i] = 0
				base := at[fmt.Sprint(other)]
				d := s.value(p, s.Headline) - s.value(base, s.Headline)
				if math.IsNaN(d) {
					continue
				}
				diffs = append(diffs, d)
				if alone(p.Levels, i) {
					e.Alone = d
				}
			}
			if len(diffs) > 0 {
				e.Mean = mean(diffs)
				out = append(out, e)
			}
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return math.Abs(out[i].Mean) > math.Abs(out[j].Mean) })
	return out
}

// alone reports whether only the axis i is away from its first level.
func alone(levels []int, i int) bool {
	for j, l := range levels {
		if j != i && l != 0 {
			return false
		}
	}
	return true
}
