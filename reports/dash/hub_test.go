package dash

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// begin starts the record of the synthetic run.
func begin(t testing.TB, scenario string) (*record.Writer, []Item) {
	t.Helper()
	items := synthetic(testRun)
	w, err := record.Create(filepath.Join(t.TempDir(), "run"), *items[0].Info, []byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	return w, items[1:]
}

func write(w *record.Writer, items []Item) {
	for _, it := range items {
		if it.Event != nil {
			w.Event(*it.Event)
		}
		if it.Gauge != nil {
			w.Gauge(*it.Gauge)
		}
	}
}

func finish(t testing.TB, w *record.Writer, info record.Info) {
	t.Helper()
	info.State = record.Finished
	if err := w.Close(info); err != nil {
		t.Fatal(err)
	}
}

// brief names an item for comparisons.
func brief(it Item) string {
	switch {
	case it.Info != nil:
		return "info " + it.Info.State
	case it.Event != nil:
		return fmt.Sprint("event ", it.Event.Seq)
	case it.Gauge != nil:
		return fmt.Sprint("gauge ", it.Gauge.At)
	case it.Status != nil:
		return "status"
	case it.Lost != "":
		return "lost"
	}
	return "beat"
}

// settled is what a complete viewer has seen, without what depends on the moment.
func settled(items []string) []string {
	return slices.DeleteFunc(items, func(s string) bool { return s == "status" || s == "lost" || s == "beat" })
}

// TestHubHistoryThenFollow: viewers who come at the start, in the middle and late all see the same, and leave nothing
// behind (the bubble would say so).
func TestHubHistoryThenFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, items := begin(t, "name: june6\n")
		hub := NewHub(w.Dir(), w.Subscribe)
		var all [3][]string
		var viewers sync.WaitGroup
		join := func(n int) {
			viewers.Go(func() {
				for it, err := range hub.Items(t.Context(), "") {
					if err != nil {
						t.Error(err)
					}
					all[n] = append(all[n], brief(it))
				}
			})
		}
		join(0)
		write(w, items[:100])
		synctest.Wait()
		join(1)
		write(w, items[100:800])
		synctest.Wait()
		if got := hub.Status().Viewers; got != 2 {
			t.Errorf("%d viewers, want 2", got)
		}
		write(w, items[800:])
		join(2)
		finish(t, w, *synthetic(0)[0].Info)
		viewers.Wait()
		want := []string{"info running"}
		for _, it := range synthetic(testRun)[1:] {
			if it.Info == nil {
				want = append(want, brief(it))
			}
		}
		for n := range all {
			got := settled(all[n])
			if n < 2 {
				got = got[:len(got)-1] // the info at the end
			} else {
				want[0] = got[0] // who comes late finds the run running or finished
				got = slices.DeleteFunc(got, func(s string) bool { return s == "info finished" && want[0] != s })
			}
			slices.Sort(got)
			sorted := slices.Sorted(slices.Values(want))
			if !slices.Equal(got, sorted) {
				t.Errorf("viewer %d saw %d items, want %d", n, len(got), len(sorted))
			}
		}
		if got := hub.Status().Viewers; got != 0 {
			t.Errorf("%d viewers after the end", got)
		}
	})
}

// TestHubBeforeTheFirstMoment: a viewer who comes before the run has said that it runs waits for it.
func TestHubBeforeTheFirstMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		info := *synthetic(0)[0].Info
		info.State = ""
		w, err := record.Create(filepath.Join(t.TempDir(), "run"), info, []byte(judged))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		wait := follower(NewHub(w.Dir(), w.Subscribe), func(it Item) {
			if it.Gauge != nil {
				n++
			}
		})
		synctest.Wait()
		info.State = record.Running
		w.Update(info)
		write(w, synthetic(time.Hour)[1:])
		finish(t, w, info)
		if err := wait(); err != nil || n != 360 {
			t.Errorf("%d readings, %v", n, err)
		}
	})
}

// TestHubResumes: a viewer goes on exactly after the place it names.
func TestHubResumes(t *testing.T) {
	w, items := begin(t, "name: june6\n")
	write(w, items)
	finish(t, w, *synthetic(0)[0].Info)
	hub := NewHub(w.Dir(), nil)
	var whole []Item
	for it, err := range hub.Items(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		whole = append(whole, it)
	}
	for _, cut := range []int{1, 2, 50, len(whole) / 2, len(whole) - 1} {
		var rest []string
		for it := range hub.Items(t.Context(), whole[cut].Next) {
			if it.Event != nil || it.Gauge != nil {
				rest = append(rest, brief(it))
			}
		}
		var want []string
		for _, it := range whole[cut+1:] {
			if it.Event != nil || it.Gauge != nil {
				want = append(want, brief(it))
			}
		}
		if !slices.Equal(rest, want) {
			t.Errorf("after item %d: %d items, want %d", cut, len(rest), len(want))
		}
	}
}

// TestHubTellsStatus: pause and speed reach every viewer although nothing comes from a paused run.
func TestHubTellsStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, items := begin(t, "name: june6\n")
		write(w, items[:10])
		hub := NewHub(w.Dir(), w.Subscribe)
		c := hub.Control(&recorder{})
		ctx, cancel := context.WithCancel(t.Context())
		var last Status
		var viewer sync.WaitGroup
		viewer.Go(func() {
			for it := range hub.Items(ctx, "") {
				if it.Status != nil {
					last = *it.Status
				}
			}
		})
		synctest.Wait()
		if err := c.Pause(true); err != nil {
			t.Fatal(err)
		}
		if err := c.Speed(600); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if hub.Now() == 0 {
			t.Error("the run's newest instant is not known")
		}
		if want := (Status{Paused: true, Speed: 600, Viewers: 1, At: hub.Now()}); last != want {
			t.Errorf("told %+v, want %+v", last, want)
		}
		cancel()
		viewer.Wait()
		finish(t, w, *synthetic(0)[0].Info)
	})
}

func TestLatest(t *testing.T) {
	w, items := begin(t, "name: june6\n")
	hub := NewHub(w.Dir(), nil)
	if got := hub.Latest(); got != nil {
		t.Errorf("before the first reading: %v", got)
	}
	for n := range 200 {
		write(w, items[n:n+1])
		if items[n].Gauge == nil {
			continue
		}
		got := hub.Latest()
		want := items[n].Gauge.Values
		if len(got) != len(want) || got[record.GBacklog] != want[record.GBacklog] || got[record.GOffered] != want[record.GOffered] {
			t.Fatalf("after reading %d: %v, want %v", n, got, want)
		}
	}
	finish(t, w, *synthetic(0)[0].Info)
}

const judged = `schema: aftershock/scenario/v1
name: june6
seed: 606
load:
  phases:
    - {name: calm, for: 30m, rate: 150/min}
    - {name: surge, for: 90m, rate: 1100/min}
    - {name: evening, for: 6h, rate: 150/min}
thresholds:
  - {id: calm-before, metric: attempts.amplification, during: calm, is: "<= 1.05"}
  - {id: retries, metric: attempts.amplification, during: surge, is: ">= 1.5"}
  - {id: no-copies, metric: duplicates.copies, is: "== 0"}
  - {id: backlog, metric: backlog.max, is: "< 10000"}
  - {id: drained, metric: backlog.end, is: "< 2"}
  - {id: delayed, metric: delivery_time.p50, during: surge, is: "> 10m"}
  - {id: later, metric: attempts.amplification, from: 7h, is: "<= 1.05"}
`

// TestJudge follows the thresholds of the run as it goes on: what is broken is said at once, what needs the messages
// stays open.
func TestJudge(t *testing.T) {
	w, _ := begin(t, judged)
	items := synthetic(8 * time.Hour)[1:]
	j := newJudge(w.Dir())
	if j == nil {
		t.Fatal("the scenario has thresholds")
	}
	var b strings.Builder
	say := func(es []record.Event) {
		for _, e := range es {
			fmt.Fprintf(&b, "%s %s %s: %s\n", hms(e.At), e.State, e.ID, e.Text)
		}
	}
	for i, it := range items {
		if it.Info != nil || (it.Event != nil && it.Event.Kind == "threshold") {
			continue
		}
		j.feed(record.Item{Event: it.Event, Gauge: it.Gauge})
		if i%60 == 0 {
			say(j.changes(false))
		}
	}
	say(j.changes(true))
	golden(t, "judge.txt", b.String())
	finish(t, w, *synthetic(0)[0].Info)
}

// summarise writes a summary that knows what the gauges do not.
func summarise(t testing.TB, dir string) {
	t.Helper()
	first := 2160.0
	b, err := json.Marshal(map[string]any{"thresholds": []map[string]any{
		{"id": "delayed", "metric": "delivery_time.p50", "op": ">", "limit": "10m", "observed": "41m", "verdict": "met", "first_s": first},
		{"id": "no-loss", "metric": "messages.lost", "op": "==", "limit": "0", "observed": "2", "verdict": "missed", "first_s": nil},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "summary.json"), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestLastWordIsTheSummarys: viewers of a run that has ended stay until its documents are written, and are told what
// those say of the thresholds that stayed open.
func TestLastWordIsTheSummarys(t *testing.T) {
	w, items := begin(t, judged)
	documented := make(chan struct{})
	hub := NewHub(w.Dir(), w.Subscribe)
	hub.Await(documented)
	write(w, slices.DeleteFunc(items, func(it Item) bool { return it.Event != nil && it.Event.Kind == "threshold" }))
	h, ended := NewHistory(), make(chan struct{})
	wait := follower(hub, func(it Item) {
		h.Feed(it)
		if it.Info != nil && it.Info.State == record.Finished {
			close(ended)
		}
	})
	finish(t, w, *synthetic(0)[0].Info)
	<-ended
	summarise(t, w.Dir())
	close(documented)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	for _, s := range thresholds(h.eventsUntil(8 * time.Hour)) {
		want := map[string]string{"delayed": "met", "no-loss": "missed"}[s.ID]
		if want != "" && s.State != want {
			t.Errorf("%s is %s at the end, want %s", s.ID, s.State, want)
		}
		if s.ID == "delayed" && !strings.HasSuffix(s.Text, ": 41m") {
			t.Errorf("the last word on %s is %q", s.ID, s.Text)
		}
	}
}

// TestPlanComesWithTheBeginning: who watches before the run has begun is told its plan as soon as there is one.
func TestPlanComesWithTheBeginning(t *testing.T) {
	items := synthetic(testRun)
	info := *items[0].Info
	w, err := record.Create(filepath.Join(t.TempDir(), "run"), record.Info{ID: info.ID}, []byte(judged))
	if err != nil {
		t.Fatal(err)
	}
	hub := NewHub(w.Dir(), w.Subscribe)
	h, first := NewHistory(), make(chan struct{}, 1)
	wait := follower(hub, func(it Item) {
		h.Feed(it)
		if it.Gauge != nil && h.end() < 8*time.Hour {
			t.Errorf("at %v the run is known to last %v", it.Gauge.At, h.end())
		}
		select {
		case first <- struct{}{}:
		default:
		}
	})
	<-first
	w.Update(info)
	write(w, items[1:])
	finish(t, w, info)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
}

// TestPausedRunIsJudged: who comes to a run that is held learns where its thresholds stand.
func TestPausedRunIsJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, items := begin(t, judged)
		write(w, slices.DeleteFunc(items, func(it Item) bool { return it.Event != nil && it.Event.Kind == "threshold" }))
		hub := NewHub(w.Dir(), w.Subscribe)
		ctx, cancel := context.WithCancel(t.Context())
		h := NewHistory()
		var viewer sync.WaitGroup
		viewer.Go(func() {
			for it := range hub.Items(ctx, "") {
				h.Feed(it)
			}
		})
		time.Sleep(3 * judgeEvery)
		cancel()
		viewer.Wait()
		if got := score(thresholds(h.eventsUntil(h.newest))); got.met == 0 {
			t.Errorf("nothing is met of %+v after %v of the run", got, h.newest)
		}
		finish(t, w, *synthetic(0)[0].Info)
	})
}

// TestFinishedRunShowsItsSummary: a finished record tells its thresholds at the instants the summary names.
func TestFinishedRunShowsItsSummary(t *testing.T) {
	w, items := begin(t, judged)
	items = slices.DeleteFunc(items, func(it Item) bool { return it.Event != nil && it.Event.Kind == "threshold" })
	write(w, items)
	finish(t, w, *synthetic(0)[0].Info)
	summarise(t, w.Dir())
	h := NewHistory()
	for it, err := range Folder(w.Dir()).Items(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		h.Feed(it)
	}
	before := h.Snapshot(35*time.Minute, 35*time.Minute, 0, time.Hour, nil).Thresholds
	if len(before) != 1 || before[0].ID != "no-loss" {
		t.Errorf("after 35 minutes: %+v", before)
	}
	after := thresholds(h.eventsUntil(8 * time.Hour))
	if got := score(after); got != (scored{met: 1, missed: 1}) {
		t.Errorf("at the end: %+v", after)
	}
}
