package dash_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aftershock-dev/aftershock/reports/dash"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// A run writes its record; whoever wants to watch follows it.
func ExampleRun() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	info := record.Info{ID: "demo-s1", Scenario: record.ScenarioInfo{Name: "demo", Seed: 1}, Clock: "virtual", Environment: "embedded",
		Queue: "memory", State: record.Running}
	w, err := record.Create(filepath.Join(dir, "demo-s1"), info, []byte("name: demo\n"))
	if err != nil {
		panic(err)
	}
	w.Event(record.Event{Kind: "intervention", Source: "operator", Number: 1, Text: "scaling changes deployed"})
	info.State = record.Finished
	if err := w.Close(info); err != nil {
		panic(err)
	}

	hub := dash.NewHub(w.Dir(), w.Subscribe)
	if err := dash.Run(context.Background(), dash.Options{Source: hub, UI: dash.Plain, Err: os.Stdout}); err != nil {
		panic(err)
	}
	// Output:
	// run id=demo-s1 scenario=demo seed=1 clock=virtual env=embedded queue=memory
	// event n=1 t=00:00:00 kind=intervention source=operator text="scaling changes deployed"
	// end state=finished t=00:00:00 slo_met=0 slo_missed=0 slo_invalid=0 slo_open=0
}

// Render is a pure function: a snapshot and a size in, text out.
func ExampleRender() {
	h := dash.NewHistory()
	h.Feed(dash.Item{Info: &record.Info{ID: "demo", State: record.Finished, Scenario: record.ScenarioInfo{Name: "demo"}}})
	const end = 5 * time.Minute
	for at := 10 * time.Second; at <= end; at += 10 * time.Second {
		h.Feed(dash.Item{Gauge: &record.Gauge{At: at, Values: map[string]float64{record.GBacklog: 10 * at.Seconds()}}})
	}
	fmt.Printf("%q\n", dash.Render(h.Snapshot(end, end, 0, end, nil), 36, 1, dash.Capabilities{}))
	// Output:
	// "GROWING +10/s 05:00                 "
}
