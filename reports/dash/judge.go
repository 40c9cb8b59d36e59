package dash

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// judge says where the thresholds of a run stand while it goes on. It knows the gauges and the events; what needs
// the messages stays open until the run has ended and its summary is written. A record that tells of its thresholds
// itself is left to do so.
type judge struct {
	scenario *scenarios.Scenario
	run      record.Run
	told     map[string]record.Event // the last that was said of each threshold
	silent   bool                    // the record speaks for itself
}

// newJudge reads the thresholds of the run in a folder; nil when there is nothing to judge by.
func newJudge(dir string) *judge {
	text, err := record.LoadScenario(dir)
	if err != nil {
		return nil
	}
	sc, err := scenarios.Read(filepath.Join(dir, record.FileScenario), text, scenarios.Options{})
	if err != nil || len(sc.Thresholds) == 0 {
		return nil
	}
	info, err := record.LoadInfo(dir)
	if err != nil {
		return nil
	}
	return &judge{scenario: sc, run: record.Run{Info: info}, told: map[string]record.Event{}}
}

// feed takes what happened.
func (j *judge) feed(it record.Item) {
	switch {
	case it.Event != nil:
		j.silent = j.silent || it.Event.Kind == "threshold"
		j.run.Events = append(j.run.Events, *it.Event)
	case it.Gauge != nil:
		j.run.Gauges = append(j.run.Gauges, *it.Gauge)
	}
}

// now is the newest instant.
func (j *judge) now() time.Duration {
	if n := len(j.run.Gauges); n > 0 {
		return j.run.Gauges[n-1].At
	}
	return 0
}

// changes returns an event for each threshold whose state is another than before. Ended says that no more is coming.
func (j *judge) changes(ended bool) []record.Event {
	if j.silent {
		return nil
	}
	if ended {
		j.run.Info.State = record.Finished
	}
	results, err := reports.Evaluate(&j.run, j.scenario)
	if err != nil {
		return nil
	}
	var out []record.Event
	for _, r := range results {
		state, text := j.state(r, ended)
		before, known := j.told[r.ID]
		if known && before.State == state {
			continue
		}
		at := j.now()
		if r.First > 0 && r.First < at && state != "pending" {
			at = r.First
		}
		if !known && state == "pending" {
			at = 0
		}
		e := record.Event{At: at, Kind: "threshold", Source: "threshold", ID: r.ID, State: state, Text: text}
		j.told[r.ID] = e
		out = append(out, e)
	}
	sortByInstant(out)
	return out
}

// last returns what the summary says otherwise than was told before, not earlier than that.
func (j *judge) last(summary []record.Event) []record.Event {
	if j.silent {
		return nil
	}
	var out []record.Event
	for _, e := range summary {
		before, known := j.told[e.ID]
		if known && before.State == e.State && before.Text == e.Text {
			continue
		}
		if known && before.State != "pending" {
			e.At = max(e.At, before.At)
		}
		out = append(out, e)
	}
	sortByInstant(out)
	return out
}

func sortByInstant(es []record.Event) {
	slices.SortStableFunc(es, func(a, b record.Event) int { return cmp.Compare(a.At, b.At) })
}

// state says what can be said of a threshold now. While its window is open, a promise (<=) can only be broken and a
// sentence to reproduce (>=) only come true; the other way is open until the window has closed.
func (j *judge) state(r reports.ThresholdResult, ended bool) (state, text string) {
	text = strings.TrimSpace(r.Metric + " " + r.Is + " " + r.When())
	if r.Verdict == reports.Invalid {
		if v, broken := j.counted(r); broken {
			return "missed", fmt.Sprintf("%s: %s so far", text, number(v))
		}
		return "pending", text
	}
	text += ": " + r.Observed
	holds := r.Verdict == reports.Met
	if ended || j.closed(r.Threshold) {
		return string(r.Verdict), text
	}
	switch {
	case knownAtTheEnd(r.Metric):
	case r.For > 0: // one window can break it, none can prove it
		if !holds {
			return "missed", text
		}
	case r.Some > 0 || strings.HasPrefix(r.Criterion.Op, ">"):
		if holds {
			return "met", text
		}
	case strings.HasPrefix(r.Criterion.Op, "<") || r.Criterion.Op == "==":
		if !holds {
			return "missed", text
		}
	}
	return "pending", text
}

// knownAtTheEnd reports whether a metric says nothing before its window is over.
func knownAtTheEnd(metric string) bool {
	return strings.HasSuffix(metric, ".end") || strings.HasPrefix(metric, "recovery.")
}

// closed reports whether the window of a threshold is over.
func (j *judge) closed(t scenarios.Threshold) bool {
	now := j.now()
	if t.During != "" {
		for _, p := range j.run.Info.Phases {
			if p.Name == t.During {
				return now >= p.To
			}
		}
	}
	return t.To > 0 && now >= t.To
}

// counted looks at the counters behind metrics that are otherwise known only from the messages: a copy too many is
// worth saying at once.
func (j *judge) counted(r reports.ThresholdResult) (v float64, broken bool) {
	counter, ok := map[string]string{
		"duplicates.copies": record.GDuplicates, "duplicates.messages": record.GDuplicated, "messages.lost": record.GLost,
		"messages.expired": record.GExpired, "media.expired": record.GExpired, "messages.failed": record.GFailed,
	}[r.Metric]
	n := len(j.run.Gauges)
	if !ok || n == 0 || r.During != "" || r.From > 0 || r.To > 0 || r.For > 0 || r.Some > 0 || r.Within > 0 {
		return 0, false
	}
	if op := r.Criterion.Op; op != "==" && !strings.HasPrefix(op, "<") {
		return 0, false
	}
	v, ok = j.run.Gauges[n-1].Values[counter]
	return v, ok && !r.Criterion.Holds(v)
}

// judgeEvery bounds how often the thresholds are looked at, and judgeShare how much of a core that may cost; on a busy
// machine they are looked at every judgeLeast all the same.
const (
	judgeEvery = time.Second
	judgeLeast = 10 * time.Second
	judgeShare = 30
)

// watch judges the run in a folder until it has ended or ctx is done, and tells of every change. The last word is the
// summary's, once documented is closed; without that channel it is the judge's own.
func watch(ctx context.Context, dir string, documented <-chan struct{}, tell func([]record.Event)) {
	j := newJudge(dir)
	if j == nil {
		return
	}
	if !j.follow(ctx, dir, tell) {
		return
	}
	if documented != nil {
		select {
		case <-documented:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return
	}
	if documented != nil {
		if summary := summed(dir, j.now()); summary != nil {
			tell(j.last(summary))
			return
		}
	}
	tell(j.changes(true))
}

// follow judges while the run goes on, seldom enough; while it is paused too, so that what was read last is judged.
// It reports whether the record was read to its end.
func (j *judge) follow(ctx context.Context, dir string, tell func([]record.Event)) (ended bool) {
	ctx, cancel := context.WithCancel(ctx)
	items := make(chan record.Item)
	failed := false // whoever shows the run meets the same error and says it
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(items)
		for it, err := range record.Follow(ctx, dir, record.Cursor{}, nil) {
			failed = failed || err != nil
			select {
			case items <- it:
			case <-ctx.Done():
				return
			}
		}
	})
	defer reading.Wait()
	defer cancel()
	look := time.NewTicker(judgeEvery / 4)
	defer look.Stop()
	var next time.Time
	for news := false; ; {
		select {
		case it, ok := <-items:
			if !ok {
				return !failed && ctx.Err() == nil
			}
			if len(j.run.Info.Phases) == 0 { // it had not begun yet
				if info, err := record.LoadInfo(dir); err == nil {
					j.run.Info = info
				}
			}
			j.feed(it)
			news = news || it.Gauge != nil
		case began := <-look.C:
			if news && began.After(next) {
				news = false
				tell(j.changes(false))
				next = began.Add(min(max(judgeEvery, judgeShare*time.Since(began)), judgeLeast))
			}
		}
	}
}

// summed returns what the summary of a finished run says of its thresholds, as events at the instants at which they
// came true or were broken; nil when there is no summary.
func summed(dir string, end time.Duration) []record.Event {
	b, err := files.Read(filepath.Join(dir, "summary.json"), 64<<20)
	if err != nil {
		return nil
	}
	var s struct {
		Thresholds []reports.SummaryThreshold `json:"thresholds"`
	}
	if json.Unmarshal(b, &s) != nil {
		return nil
	}
	var out []record.Event
	for _, t := range s.Thresholds {
		at := end
		if t.FirstS != nil {
			at = time.Duration(*t.FirstS * float64(time.Second))
		}
		text := strings.Join(strings.Fields(t.Metric+" "+t.Op+" "+t.Limit+" "+t.During), " ") + ": " + t.Observed
		out = append(out, record.Event{At: at, Kind: "threshold", Source: "threshold", ID: t.ID, State: string(t.Verdict), Text: text})
	}
	sortByInstant(out)
	return out
}
