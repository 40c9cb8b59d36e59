package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// witness is a ledger that tells what the test wants.
type witness struct{ seen Witnessed }

func (witness) After(context.Context, int64, int) ([]Entry, error) { return nil, nil }
func (w witness) Witnessed(context.Context) (Witnessed, error)     { return w.seen, nil }
func nothing(context.Context) error                                { return nil }

// faulted is a step that applies a fault, and what the fake tells of it.
func faulted(id string, did *Strikes, done, may bool) (deed, *Witnessed) {
	w := &Witnessed{Faults: map[string]Strikes{}, Posts: 5, Heard: 5}
	if did != nil {
		w.Faults[id] = *did
	}
	return deed{at: time.Minute, act: nothing, what: "fault latency", fault: id, done: done, mayMiss: may}, w
}

func writer(t *testing.T) *record.Writer {
	t.Helper()
	w, err := record.Create(filepath.Join(t.TempDir(), "run"), record.Info{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close(record.Info{}) })
	return w
}

// A step that struck nothing, or never came, is named; one that may miss is let off.
func TestIdleSteps(t *testing.T) {
	for name, c := range map[string]struct {
		did       *Strikes
		done, may bool
		want      string // of the reasons; "" is none
	}{
		"it struck":              {&Strikes{10, 1}, true, false, ""},
		"it met and struck none": {&Strikes{10, 0}, true, false, "10 requests were in its scope"},
		"it met none":            {&Strikes{}, true, false, "no request was in its scope"},
		"it met none and may":    {&Strikes{}, true, true, ""},
		"nobody knows":           {nil, true, false, "is not known"},
		"nobody knows, it may":   {nil, true, true, ""},
		"it never came":          {nil, false, false, "never carried out: the run had ended at 5m0s"},
		"it never came and may":  {nil, false, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, seen := faulted("step-1", c.did, c.done, c.may)
			r := &Runner{System: System{Ledger: witness{*seen}}, deeds: []deed{d}, Writer: writer(t)}
			r.idle(t.Context(), 5*time.Minute)
			if got := strings.Join(r.invalid, "; "); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestNobodyListensToWebhooks(t *testing.T) {
	for _, c := range []struct {
		posts, heard int64
		invalid      bool
	}{{0, 0, false}, {7, 0, true}, {7, 1, false}} {
		r := &Runner{System: System{Ledger: witness{Witnessed{Posts: c.posts, Heard: c.heard}}}}
		r.idle(t.Context(), time.Minute)
		if (len(r.invalid) > 0) != c.invalid {
			t.Errorf("%d of %d webhooks heard: %v", c.heard, c.posts, r.invalid)
		}
	}
}

func TestStepsThatChangeNothing(t *testing.T) {
	idle := fmt.Errorf("%w: 4 is the number there is", ErrIdle)
	for name, c := range map[string]struct {
		err           error
		may           bool
		invalid, went string
	}{
		"it changed something":  {nil, false, "", ""},
		"it changed nothing":    {idle, false, "(scale whatsapp to 4) did nothing", "failed"},
		"it may change nothing": {idle, true, "", "missed"},
		"it could not be done":  {errors.New("the fake is gone"), false, "could not be carried out", "failed"},
		"nor may it be broken":  {errors.New("the fake is gone"), true, "could not be carried out", "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Runner{}
			d := deed{at: time.Minute, what: "scale whatsapp to 4", mayMiss: c.may, act: func(context.Context) error { return c.err }}
			went := r.carryOut(t.Context(), &d)
			got := strings.Join(r.invalid, "; ")
			if !d.done || !strings.Contains(went, c.went) || (c.invalid == "") != (got == "") || !strings.Contains(got, c.invalid) {
				t.Errorf("%q, %q; want %q, %q", went, got, c.went, c.invalid)
			}
		})
	}
}
