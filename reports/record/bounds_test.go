package record

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFarInstantsAreRefused: a report walks over a run's time, so a record may not claim one that has no end.
func TestFarInstantsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Info, *Gauge, *Event, *Message){
		"virtual":  func(i *Info, _ *Gauge, _ *Event, _ *Message) { i.Virtual = math.MaxInt64 },
		"phase":    func(i *Info, _ *Gauge, _ *Event, _ *Message) { i.Phases[0].To = math.MaxInt64 },
		"plan":     func(i *Info, _ *Gauge, _ *Event, _ *Message) { i.Plan = []Event{{At: math.MinInt64}} },
		"compress": func(i *Info, _ *Gauge, _ *Event, _ *Message) { i.Compress = 1e9 },
		"gauge":    func(_ *Info, g *Gauge, _ *Event, _ *Message) { g.At = 1e18 },
		"event":    func(_ *Info, _ *Gauge, e *Event, _ *Message) { e.Until = math.MaxInt64 },
		"message":  func(_ *Info, _ *Gauge, _ *Event, m *Message) { m.Delivered = math.MaxInt64 },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			info, gauge, event := testInfo(), Gauge{At: time.Second, Values: map[string]float64{"x": 1}}, Event{Kind: "start"}
			message := Message{ID: "m000001", Outcome: Delivered}
			info.Phases = []Phase{{Name: "calm", To: time.Minute}}
			change(&info, &gauge, &event, &message)
			w, err := Create(dir, info, []byte("name: x\n"))
			if err != nil {
				t.Fatal(err)
			}
			w.Event(event)
			w.Gauge(gauge)
			w.Message(message)
			info.State = Finished
			if err := w.Close(info); err != nil {
				t.Fatal(err)
			}
			_, err = Load(dir)
			if err == nil || !strings.Contains(err.Error(), dir+string(os.PathSeparator)) {
				t.Errorf("%v", err)
			}
		})
	}
}
