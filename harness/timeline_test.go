package harness

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// printer is a system that writes down what it is told to do, and when.
type printer struct {
	start time.Time
	out   strings.Builder
}

func (p *printer) say(format string, a ...any) error {
	fmt.Fprintf(&p.out, "%v "+format+"\n", append([]any{time.Since(p.start)}, a...)...)
	return nil
}

func (p *printer) Apply(_ context.Context, id string, f scenarios.Fault) error {
	return p.say("apply %s: %s", id, f.Words())
}

func (p *printer) Clear(_ context.Context, id string) error { return p.say("clear %s", id) }

func (p *printer) Set(_ context.Context, values map[string]any) error {
	return p.say("set %s", setText(values))
}

func (p *printer) Act(_ context.Context, a scenarios.Action) error {
	return p.say("%s (held: %v)", actionText(a), a.Held)
}

// TestTimeline follows the timelines in testdata: each handle is turned at its instant, and turned back.
func TestTimeline(t *testing.T) {
	seen := 0
	datadriven.Walk(t, "testdata/timeline", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) (out string) {
			seen++
			sc, err := scenarios.Read("t.yaml", []byte(`
schema: aftershock/scenario/v1
name: t
load: {phases: [{name: a, for: 1h, rate: 1/s}]}
thresholds: [{id: a, metric: messages.lost, is: "== 0"}]
timeline:
`+d.Input+"\n"), scenarios.Options{})
			if err != nil {
				return err.Error()
			}
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				w, err := record.Create(dir, record.Info{}, sc.YAML())
				if err != nil {
					t.Fatal(err)
				}
				p := &printer{start: time.Now()}
				r := &Runner{Scenario: sc, System: System{Name: "test", Faults: p, Settings: p, Replicas: p}, Writer: w}
				deeds, err := r.plan()
				if err != nil {
					t.Fatal(err)
				}
				r.follow(t.Context(), p.start, deeds)
				if err := w.Close(record.Info{}); err != nil {
					t.Fatal(err)
				}
				out = p.out.String()
			})
			return out
		})
	})
	if seen == 0 {
		t.Error("no timelines")
	}
}
