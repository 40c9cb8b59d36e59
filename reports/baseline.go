package reports

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// FileBaseline is what a run that was compared with a baseline keeps of it, so that its documents can be rebuilt.
const FileBaseline = "baseline.json"

// SchemaBaseline names the format of a baseline.
const SchemaBaseline = "aftershock.baseline/v1"

// Baseline is what a comparison needs of one or more runs of one scenario, a run for each seed: a small file that
// belongs into git.
type Baseline struct {
	Schema     string               `json:"schema"`
	Scenario   string               `json:"scenario"`
	Workload   string               `json:"workload_sha256"` // of what the scenario asks for, whatever the sender's settings
	Clock      string               `json:"clock"`
	Machine    string               `json:"machine"` // compared on the wall clock only
	Tool       string               `json:"tool"`
	Seeds      []int64              `json:"seeds"`                 // ascending; lists below have an entry for each
	Digests    []string             `json:"digests"`               // of the runs
	Metrics    map[string][]float64 `json:"metrics"`               // by name; only those that every run has
	Thresholds map[string][]float64 `json:"thresholds"`            // by threshold id
	Load       string               `json:"load_sha256,omitempty"` // of load and messages alone
	Arrivals   []string             `json:"arrivals,omitempty"`    // SHA-256 of what each run's trace offered; none without a trace
	Asked      Asked                `json:"asked,omitzero"`        // of a comparison with it
	Label      string               `json:"label,omitempty"`       // what the runs were told besides their scenario
	Settings   map[string]string    `json:"settings,omitempty"`    // of the first run, by dotted key
	Judged     map[string]Judged    `json:"judged,omitempty"`      // what each threshold looks at, by its id
	Joint      bool                 `json:"joint,omitempty"`       // the run that keeps it is one of several, and they are compared together
	Seal       string               `json:"seal,omitempty"`        // SHA-256 over all of the above
}

// Judged is what a threshold looks at, beside its limit.
type Judged struct {
	Metric string `json:"metric"`
	When   string `json:"when,omitempty"` // phase and window, in words
}

func judgedOf(t ThresholdResult) Judged { return Judged{t.Metric, t.When()} }

// figures are what a baseline keeps of one run.
type figures struct {
	id, scenario, workload, clock, machine, tool, digest string
	seed                                                 int64
	verdict                                              Verdict
	metrics, thresholds                                  map[string]float64
	judged                                               map[string]Judged
	untrusted                                            []string
	load, arrivals, label                                string
	settings                                             map[string]string
}

func figuresOf(r *Report) figures {
	f := figures{id: r.Info.ID, scenario: r.Info.Scenario.Name, workload: workload(r.Scenario), clock: r.Info.Clock, machine: r.Info.Machine, tool: r.Info.Tool,
		digest: r.Info.Digest, seed: r.Info.Scenario.Seed, verdict: r.Verdict, metrics: map[string]float64{}, thresholds: map[string]float64{}, judged: map[string]Judged{}, untrusted: r.untrusted(),
		load: loadOf(r.Scenario), arrivals: arrivalsOf(r.Scenario, r.data.run.Messages), label: labelOf(r.Info), settings: settingsOf(r.Info, r.Scenario)}
	for _, m := range Metrics() {
		if v, ok := r.Value(m.Name); ok {
			f.metrics[m.Name] = v
		}
	}
	for _, t := range r.Thresholds {
		f.judged[t.ID] = judgedOf(t)
		if v, ok := r.observed(t); ok {
			f.thresholds[t.ID] = v
		}
	}
	return f
}

// observed is what a threshold looked at. One relative to a baseline that the run does not have has a value too: the first
// baseline has to come from somewhere.
func (r *Report) observed(t ThresholdResult) (float64, bool) {
	if t.Reason == "" {
		return t.Value, true
	}
	m, err := Metric(t.Metric)
	w, ok := r.data.window(t.Threshold)
	if err != nil || !ok || !r.awaits(t) {
		return 0, false
	}
	return m.value(r.data, w)
}

// awaits reports whether all that keeps a threshold from being judged is that the run has no baseline.
func (r *Report) awaits(t ThresholdResult) bool {
	c, err := ParseCriterion(t.Unit, t.Is)
	return err == nil && c.Relative && r.base == nil && t.Verdict == Invalid
}

// LacksBaseline reports whether all that keeps a run from being met is that it has no baseline to be compared with: it may
// become one.
func (r *Report) LacksBaseline() bool {
	waits := false
	for _, t := range r.Thresholds {
		if t.Warn() || t.Verdict == Met {
			continue
		}
		if _, ok := r.observed(t); !ok || !r.awaits(t) {
			return false
		}
		waits = true
	}
	return waits && len(r.untrusted()) == 0 && len(r.unjudged()) == 0
}

// NewBaseline gathers runs of one scenario. Runs that missed a threshold or cannot be trusted are refused unless
// anyVerdict is true: what failed must not become what is normal.
func NewBaseline(runs []*Report, anyVerdict bool) (*Baseline, error) {
	fs := make([]figures, len(runs))
	for i, r := range runs {
		if r.Verdict != Met && !anyVerdict && !r.LacksBaseline() {
			return nil, fmt.Errorf("run %s is %s: a baseline is made of runs that were met", r.Info.ID, r.Verdict)
		}
		fs[i] = figuresOf(r)
	}
	return gather(fs)
}

// gather makes a baseline of the figures of its runs.
func gather(runs []figures) (*Baseline, error) {
	if len(runs) == 0 {
		return nil, errors.New("a baseline needs at least one run")
	}
	slices.SortStableFunc(runs, func(a, b figures) int { return cmp.Compare(a.seed, b.seed) })
	first := runs[0]
	b := &Baseline{Schema: SchemaBaseline, Scenario: first.scenario, Workload: first.workload, Clock: first.clock, Machine: first.machine, Tool: first.tool,
		Metrics: map[string][]float64{}, Thresholds: map[string][]float64{}, Judged: first.judged, Load: first.load, Label: first.label, Settings: first.settings}
	for _, r := range runs {
		if r.workload != b.Workload || r.clock != b.Clock {
			return nil, fmt.Errorf("runs %s and %s do not belong together: they asked for different loads, or ran on different clocks", first.id, r.id)
		}
		b.Seeds, b.Digests = append(b.Seeds, r.seed), append(b.Digests, r.digest)
		if r.arrivals != "" {
			b.Arrivals = append(b.Arrivals, r.arrivals)
		}
		for name, v := range r.metrics {
			b.Metrics[name] = append(b.Metrics[name], v)
		}
		for name, v := range r.thresholds {
			b.Thresholds[name] = append(b.Thresholds[name], v)
		}
	}
	for _, lists := range []map[string][]float64{b.Metrics, b.Thresholds} {
		for name, v := range lists {
			if len(v) != len(runs) {
				delete(lists, name)
			}
		}
	}
	return b, nil
}

// workload identifies what a scenario asks for, apart from the sender's settings, which are what comparisons are
// about, and from words and thresholds.
func workload(s *scenarios.Scenario) string {
	c := *s
	c.Title, c.Notes, c.Seed, c.Assume, c.Sender, c.Target, c.Variants, c.Thresholds = "", "", 0, nil, nil, nil, nil, nil
	c.Purpose, c.Overlook = "", nil
	sum := sha256.Sum256(c.YAML())
	return hex.EncodeToString(sum[:])
}

// threshold returns the baseline's value for a threshold, which has to look at what it looked at then.
func (b *Baseline) threshold(t scenarios.Threshold) (float64, error) {
	if b == nil {
		return 0, errors.New("no baseline to compare with: give --baseline")
	}
	if was, ok := b.Judged[t.ID]; ok {
		if is := judgedOf(ThresholdResult{Threshold: t}); is != was {
			return 0, fmt.Errorf("the baseline's %s looks at %s: save a new baseline, or give the threshold another id", t.ID, strings.TrimSpace(was.Metric+" "+was.When))
		}
	}
	if len(b.Thresholds[t.ID]) == 0 {
		return 0, fmt.Errorf("the baseline has no value for %s", t.ID)
	}
	return median(b.Thresholds[t.ID]), nil
}

// only returns the part of the baseline that belongs to some seeds, all of which it must have.
func (b *Baseline) only(seeds []int64) (*Baseline, error) {
	for _, s := range seeds {
		if !slices.Contains(b.Seeds, s) {
			return nil, fmt.Errorf("the baseline has no run of seed %d, only %s", s, joinSeeds(b.Seeds))
		}
	}
	return b.cut(seeds), nil
}

// cut returns the part of the baseline that belongs to some seeds: on the wall's clock a seed may have many runs, and all
// count; in virtual time they are the same, and the first one stands for them.
func (b *Baseline) cut(seeds []int64) *Baseline {
	c := *b
	c.Seeds, c.Digests, c.Arrivals = nil, nil, nil
	c.Metrics, c.Thresholds = map[string][]float64{}, map[string][]float64{}
	for i, s := range b.Seeds {
		if !slices.Contains(seeds, s) || b.Clock != "wall" && slices.Contains(c.Seeds, s) {
			continue
		}
		c.Seeds, c.Digests = append(c.Seeds, s), append(c.Digests, b.Digests[i])
		if len(b.Arrivals) > 0 {
			c.Arrivals = append(c.Arrivals, b.Arrivals[i])
		}
		for name, v := range b.Metrics {
			c.Metrics[name] = append(c.Metrics[name], v[i])
		}
		for name, v := range b.Thresholds {
			c.Thresholds[name] = append(c.Thresholds[name], v[i])
		}
	}
	return &c
}

func joinSeeds(seeds []int64) string {
	words := make([]string, len(seeds))
	for i, s := range seeds {
		words[i] = fmt.Sprint(s)
	}
	return strings.Join(words, ", ")
}

// Save writes the baseline into a file.
func (b *Baseline) Save(path string) error {
	sealed := *b
	sealed.Seal = b.sum()
	text, err := json.MarshalIndent(sealed, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// sum is what Seal has to be.
func (b *Baseline) sum() string {
	plain := *b
	plain.Seal = ""
	text, err := json.Marshal(plain)
	if err != nil { // a NaN: Save tells
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// LoadBaseline reads a baseline file, a run's folder, or a folder of runs. Several folders may be given, separated by
// commas.
func LoadBaseline(paths string) (*Baseline, error) {
	var runs []figures
	for _, path := range strings.Split(paths, ",") {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("no baseline: %w", err)
		}
		if !info.IsDir() {
			if strings.Contains(paths, ",") {
				return nil, fmt.Errorf("%s is a baseline file: it stands alone, not in a list", path)
			}
			return readBaseline(path)
		}
		dirs, err := runsIn(path)
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs { // one after the other: a run takes a hundred megabytes while it is open
			r, err := Open(dir)
			if err != nil {
				return nil, err
			}
			f := figuresOf(r)
			if len(f.untrusted) > 0 {
				return nil, &IncomparableError{fmt.Errorf("run %s is invalid: %s", f.id, strings.Join(f.untrusted, "; "))}
			}
			runs = append(runs, f)
		}
	}
	return gather(runs)
}

// runsIn returns a run's folder itself, or the folders of the runs in it.
func runsIn(dir string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(dir, record.FileInfo)); err == nil {
		return []string{dir}, nil
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", record.FileInfo))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s holds no run", dir)
	}
	for i, f := range found {
		found[i] = filepath.Dir(f)
	}
	return found, nil
}

func readBaseline(path string) (*Baseline, error) {
	text, err := files.Read(path, 64<<20)
	if err != nil {
		return nil, fmt.Errorf("baseline %s: %w", path, err)
	}
	var b Baseline
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf("%s is not a baseline: %w", path, err)
	}
	if b.Schema != SchemaBaseline {
		return nil, fmt.Errorf("%s is not a baseline: its schema is %q, want %q", path, b.Schema, SchemaBaseline)
	}
	if b.Seal != "" && b.Seal != b.sum() || b.Seal == "" && b.Load != "" { // a version that knew of loads sealed
		return nil, fmt.Errorf("%w: %s is not as it was saved", record.ErrDamaged, path)
	}
	b.Seal = ""
	for name, v := range b.Metrics {
		if len(v) != len(b.Seeds) {
			return nil, fmt.Errorf("%s is damaged: %s has %d values for %d seeds", path, name, len(v), len(b.Seeds))
		}
	}
	for name, v := range b.Thresholds {
		if len(v) != len(b.Seeds) {
			return nil, fmt.Errorf("%s is damaged: threshold %s has %d values for %d seeds", path, name, len(v), len(b.Seeds))
		}
	}
	if err := b.Asked.check(); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", path, err)
	}
	if n := len(b.Arrivals); n > 0 && n != len(b.Seeds) {
		return nil, fmt.Errorf("%s is damaged: %d arrivals for %d seeds", path, n, len(b.Seeds))
	}
	if len(b.Digests) != len(b.Seeds) || len(b.Seeds) == 0 {
		return nil, fmt.Errorf("%s is damaged: %d digests for %d seeds", path, len(b.Digests), len(b.Seeds))
	}
	return &b, nil
}

// storedBaseline reads the baseline a run keeps; nil when it has none.
func storedBaseline(dir string) (*Baseline, error) {
	if dir == "" {
		return nil, nil
	}
	b, err := readBaseline(filepath.Join(dir, FileBaseline))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// Fits reports why a run of this scenario on this machine could not be compared with the baseline: what can be known
// before anything runs.
func (b *Baseline) Fits(s *scenarios.Scenario, clock string) error {
	own, err := b.only([]int64{s.Seed})
	if err == nil {
		err = mayCompare(own, &Baseline{Scenario: s.Name, Workload: workload(s), Clock: clock, Machine: record.Machine(), Seeds: own.Seeds})
	}
	if err != nil {
		return &IncomparableError{err}
	}
	return nil
}

// Against compares the run with a baseline, judges it anew, and keeps the baseline's part in the run's folder, so that
// its documents can be rebuilt. It refuses a baseline of another scenario, other seeds or, on the wall clock, another
// class of machine.
func (r *Report) Against(b *Baseline) error {
	mine, err := NewBaseline([]*Report{r}, true)
	if err != nil {
		return err
	}
	if b, err = b.only(mine.Seeds); err != nil {
		return &IncomparableError{err}
	}
	if _, err := Compare(b, mine); err != nil {
		return err
	}
	if err := r.keep(b); err != nil {
		return err
	}
	r.base = b
	r.conclude()
	return nil
}

// keep leaves the baseline in the run's folder, and says in its record which it is.
func (r *Report) keep(b *Baseline) error {
	dir := r.data.run.Dir
	if dir == "" {
		return nil
	}
	err := b.Save(filepath.Join(dir, FileBaseline))
	if err == nil {
		err = record.Bind(dir, b.sum())
	}
	if err != nil {
		return fmt.Errorf("keep the baseline: %w", err)
	}
	r.Info.Baseline = b.sum()
	return nil
}

// unbound says how the baseline in a run's folder is not the one that the run was judged by; "" when it is.
func (r *Report) unbound() string {
	switch {
	case r.Info.Baseline == "":
	case r.base == nil:
		return "the record was damaged: " + FileBaseline + ", by which the run was judged, is gone; give --baseline again"
	case r.base.sum() != r.Info.Baseline:
		return "the record was damaged: " + FileBaseline + " is not the one that the run was judged by; give --baseline again"
	}
	return ""
}
