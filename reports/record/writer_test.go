package record

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var rowsOfEveryKind = []Message{
	{ID: "m000001", To: "r1", Type: "text", Outcome: Delivered, Scheduled: 5, Sent: 6, Answered: 7, Accepted: 8, Delivered: 9, Tries: 1, Status: 202, API: 1, Copies: 1},
	{ID: "m000002", To: "r2", Type: "image", Phase: 3, Scheduled: time.Hour, Sent: Never, Answered: Never, Accepted: Never, Delivered: Never, Outcome: Unsent},
	{ID: "m000003", To: "r1", Type: "image", Outcome: Delivered, Copies: 3, Causes: []string{"create_retry", "send_retry"}, Slack: -5 * time.Second, HasSlack: true, APIMedia: 2},
	{ID: `m"\<é`, To: "r1", Type: "text", Outcome: Failed, Reason: "a \"quoted\"\nline & <tag>", Sender: "dead"},
}

var attemptsOfEveryKind = []Attempt{
	{Message: "m000001", Hop: "front_door", Number: 1, At: 5, Done: 7, Status: 202},
	{Message: "m000001", Hop: "api", Number: 2, Draft: "d1", At: 5, Done: 7, Status: 400, Error: "timeout", Code: 131053, Taken: true, WAMID: "wamid.1", Fault: "f1", Replica: "whatsapp/1"},
}

func testInfo() Info {
	return Info{ID: "t-1", State: Running, Scenario: ScenarioInfo{Name: "t", Seed: 3}, Phases: []Phase{{Name: "calm", To: time.Minute}}}
}

func create(t testing.TB, dir string) *Writer {
	t.Helper()
	w, err := Create(dir, testInfo(), []byte("name: t\n"))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestBegunIsRunning: a viewer may look before the run has said anything of itself.
func TestBegunIsRunning(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, Info{ID: "t-1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	info, err := LoadInfo(dir)
	if err != nil || info.State != Running {
		t.Errorf("state %q, %v; want %s", info.State, err, Running)
	}
	if err := w.Close(Info{ID: "t-1", State: Finished}); err != nil {
		t.Fatal(err)
	}
}

func TestWrittenThenLoaded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "run")
	w := create(t, dir)
	e1 := w.Event(Event{At: 1, Kind: "start", Text: "started"})
	e2 := w.Event(Event{At: 2, Kind: "mark", Text: "<hello>"})
	if e1.Seq != 1 || e2.Seq != 2 {
		t.Fatalf("events are numbered %d and %d, want 1 and 2", e1.Seq, e2.Seq)
	}
	w.Gauge(Gauge{At: 3, Values: map[string]float64{GBacklog: 7}})
	for _, i := range []int{2, 0, 1, 3} {
		w.Message(rowsOfEveryKind[i])
	}
	for _, a := range attemptsOfEveryKind {
		w.Attempt(a)
	}
	info := testInfo()
	info.State = Finished
	if err := w.Close(info); err != nil {
		t.Fatal(err)
	}
	run, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if run.Info.State != Finished || run.Info.Schema != SchemaRun {
		t.Errorf("info came back as %+v", run.Info)
	}
	if !reflect.DeepEqual(run.Events, []Event{e1, e2}) {
		t.Errorf("events came back as %+v", run.Events)
	}
	if len(run.Gauges) != 1 || run.Gauges[0].Values[GBacklog] != 7 {
		t.Errorf("gauges came back as %+v", run.Gauges)
	}
	want := append([]Message(nil), rowsOfEveryKind...)
	sortByID(want)
	if !reflect.DeepEqual(run.Messages, want) {
		t.Errorf("messages came back as\n%+v\nwant\n%+v", run.Messages, want)
	}
	var got []Attempt
	for a, err := range Attempts(dir) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a)
	}
	if !reflect.DeepEqual(got, attemptsOfEveryKind) {
		t.Errorf("attempts came back as %+v", got)
	}
}

func TestCreateRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := create(t, dir).Close(testInfo()); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, testInfo(), nil); err == nil || !strings.Contains(err.Error(), "already holds a run") {
		t.Errorf("second run in one folder: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(filepath.Join(file, "run"), testInfo(), nil); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a folder below a file: %v", err)
	}
}

// asRunning gives a folder the run.json of a run that goes on.
func asRunning(t *testing.T, dir string) {
	t.Helper()
	info := testInfo()
	info.Schema, info.State = SchemaRun, Running
	b, err := json.Marshal(info)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, FileInfo), b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A killed run is one whose files end anywhere.
func TestLoadsWhateverAKilledRunLeft(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir)
	for i := range 20000 {
		m := rowsOfEveryKind[0]
		m.ID = fmt.Sprintf("m%06d", i)
		w.Message(m)
		w.Attempt(attemptsOfEveryKind[i%2])
	}
	w.Event(Event{Kind: "start"})
	w.Event(Event{Kind: "mark"})
	if err := w.Close(testInfo()); err != nil {
		t.Fatal(err)
	}
	asRunning(t, dir)
	whole := map[string][]byte{}
	for _, name := range []string{FileEvents, FileMessages, FileAttempts} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		whole[name] = b
	}
	last := -1
	for _, share := range []float64{0, 0.3, 0.7, 0.99, 1} {
		for name, b := range whole {
			if err := os.WriteFile(filepath.Join(dir, name), b[:int(share*float64(len(b)))], 0o644); err != nil {
				t.Fatal(err)
			}
		}
		run, err := Load(dir)
		if err != nil {
			t.Fatalf("cut at %v: %v", share, err)
		}
		n := 0
		for _, err := range Attempts(dir) {
			if err != nil {
				t.Fatalf("cut at %v: %v", share, err)
			}
			n++
		}
		if len(run.Messages) < last || (share == 1 && (len(run.Messages) != 20000 || n != 20000 || len(run.Events) != 2)) {
			t.Errorf("cut at %v: %d messages, %d attempts, %d events", share, len(run.Messages), n, len(run.Events))
		}
		last = len(run.Messages)
	}
}

// The writer is made outside of the bubble and used inside, by many goroutines at once.
func TestWritesFromInsideABubble(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir)
	const each = 3 * batchRows
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range each {
					w.Attempt(Attempt{Message: fmt.Sprintf("m%d", g), Hop: "api", Number: i})
					if i%100 == 0 {
						w.Event(Event{Kind: "mark"})
						time.Sleep(time.Second)
					}
				}
			})
		}
		wg.Wait()
	})
	if err := w.Close(testInfo()); err != nil {
		t.Fatal(err)
	}
	next := map[string]int{}
	for a, err := range Attempts(dir) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Number != next[a.Message] {
			t.Fatalf("%s: attempt %d came where %d was due", a.Message, a.Number, next[a.Message])
		}
		next[a.Message]++
	}
	if len(next) != 4 || next["m3"] != each {
		t.Errorf("rows by goroutine: %v", next)
	}
}

func TestAddEncodesItselfWhenTheWriterFallsBehind(t *testing.T) {
	r, err := newRows(filepath.Join(t.TempDir(), "x.zst"), make(chan struct{}, 1), appendAttempt)
	if err != nil {
		t.Fatal(err)
	}
	for range (maxBatches + 50) * batchRows {
		r.add(attemptsOfEveryKind[0])
	}
	if len(r.queue) > maxBatches {
		t.Errorf("%d batches wait, at most %d may", len(r.queue), maxBatches)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
}

func TestEncodingIsThatOfTheStandardLibrary(t *testing.T) {
	for _, m := range rowsOfEveryKind {
		want, _ := json.Marshal(m)
		if got := appendMessage(nil, &m); !bytes.Equal(got, want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for _, a := range attemptsOfEveryKind {
		want, _ := json.Marshal(a)
		if got := appendAttempt(nil, &a); !bytes.Equal(got, want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range rowsOfEveryKind {
		f.Add(appendMessage(nil, &m))
	}
	f.Add([]byte(`{"id":"x","phase":01}`))
	f.Add([]byte(`{"id":"x","causes":[]}`))
	f.Add([]byte(`{"id":null, "copies":1.5}`))
	f.Add([]byte(`{"ID":"x","copies":99999999999999999999}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var want Message
		wantErr := json.Unmarshal(line, &want)
		got, err := newDecoder().message(line)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error %v, want %v", err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestFollowSeesEverythingOnce(t *testing.T) {
	dir := t.TempDir()
	w := create(t, dir)
	changed, cancel := w.Subscribe()
	defer cancel()
	w.Event(Event{At: 1, Kind: "start"})
	w.Gauge(Gauge{At: 2})
	var writer sync.WaitGroup
	writer.Go(func() {
		w.Event(Event{At: 3, Kind: "mark"})
		w.Gauge(Gauge{At: 4})
		w.Event(Event{At: 4, Kind: "end"})
		info := testInfo()
		info.State = Finished
		if err := w.Close(info); err != nil {
			t.Error(err)
		}
	})
	var kinds []string
	var cursors []Cursor
	for item, err := range Follow(t.Context(), dir, Cursor{}, changed) {
		if err != nil {
			t.Fatal(err)
		}
		cursors = append(cursors, item.Next)
		if item.Event != nil {
			kinds = append(kinds, item.Event.Kind)
		} else {
			kinds = append(kinds, "gauge")
		}
	}
	writer.Wait()
	if len(kinds) != 5 || kinds[0] != "start" {
		t.Fatalf("followed %v", kinds)
	}
	for i, c := range cursors {
		parsed, err := ParseCursor(c.String())
		if err != nil || parsed != c {
			t.Fatalf("cursor %v: %v, %v", c, parsed, err)
		}
		rest := 0
		for _, err := range Follow(context.Background(), dir, parsed, nil) {
			if err != nil {
				t.Fatal(err)
			}
			rest++
		}
		if rest != 5-i-1 {
			t.Errorf("after item %d come %d, want %d", i, rest, 5-i-1)
		}
	}
}

func TestDigestDependsOnWhatHappenedOnly(t *testing.T) {
	ms := append([]Message(nil), rowsOfEveryKind...)
	a := Digest(ms)
	ms[0], ms[2] = ms[2], ms[0]
	if Digest(ms) != a {
		t.Error("the digest depends on the order in which rows were written")
	}
	ms[0].Causes = nil
	if Digest(ms) == a {
		t.Error("the digest does not see causes")
	}
	for name, change := range map[string]func(m *Message){
		"outcome": func(m *Message) { m.Outcome += "x" }, "copies": func(m *Message) { m.Copies++ }, "API": func(m *Message) { m.API++ },
		"tries": func(m *Message) { m.Tries++ }, "accepted": func(m *Message) { m.Accepted++ }, "delivered": func(m *Message) { m.Delivered++ },
		"ID": func(m *Message) { m.ID += "x" },
	} {
		other := append([]Message(nil), rowsOfEveryKind...)
		if change(&other[1]); Digest(other) == a {
			t.Errorf("the digest does not see %s", name)
		}
	}
}

func BenchmarkAttempt(b *testing.B) {
	w := create(b, b.TempDir())
	a := attemptsOfEveryKind[1]
	b.ReportAllocs()
	for b.Loop() {
		w.Attempt(a)
	}
	b.StopTimer()
	if err := w.Close(testInfo()); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkMessages(b *testing.B) {
	for b.Loop() {
		w := create(b, filepath.Join(b.TempDir(), "x"))
		for i := range 170_000 {
			m := rowsOfEveryKind[i%3]
			w.Message(m)
		}
		if err := w.Close(testInfo()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	w := create(b, dir)
	for i := range 170_000 {
		m := rowsOfEveryKind[i%3]
		m.ID = fmt.Sprintf("m%06d", i)
		w.Message(m)
	}
	if err := w.Close(testInfo()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(dir); err != nil {
			b.Fatal(err)
		}
	}
}
