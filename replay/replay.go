// Package replay replays a scenario against a sender of one's own, written in Go, in virtual time: half an hour of an
// incident in about a second of go test, the same every time. Run it, and ask the Result.
//
// The sender is an http.Handler, with or without work in the background. It runs unchanged, with its own goroutines,
// timers and http.Client, as long as it stays in memory: its requests go through Surroundings.Transport, and libraries that
// dial for themselves are given Surroundings.DialContext. A socket, a name that is looked up or a wait for something
// outside holds virtual time up, which is an error that names the goroutine.
package replay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// Surroundings are what the sender finds around it: the Cloud API's base URL, a transport, secrets, a network in memory.
type Surroundings = local.Surroundings

// Sender is the sender: its front door and what it does in the background.
type Sender = local.Sender

// Options say what is replayed. Scenario or YAML, and Sender, have to be given.
type Options struct {
	Scenario string            // name in the catalog, or path of a file
	YAML     string            // a scenario, instead of Scenario
	Variants []string          // of the scenario
	Set      map[string]string // dotted key → value, as --set of the command
	Seed     *int64            // nil: the scenario's
	Dir      string            // where the record and its documents are kept, new or empty, such as t.ArtifactDir(); "": nowhere

	// Sender makes the sender. It is called once, in virtual time.
	Sender func(Surroundings) (Sender, error)
}

// Result is what a replay came to.
type Result struct {
	report *reports.Report
	temp   string
}

// Run replays the scenario and judges it. The error says why it could not be replayed; that thresholds were missed, or that
// nothing can be said, is in the Result. Close it, or leave that to Options.Dir.
func Run(ctx context.Context, o Options) (*Result, error) {
	if o.Sender == nil {
		return nil, errors.New("replay: Options.Sender is missing: it makes the sender that is replayed")
	}
	sc, err := o.scenario()
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	r := &Result{}
	dir := o.Dir
	if dir == "" {
		if r.temp, err = os.MkdirTemp("", "aftershock-replay-"); err != nil {
			return nil, fmt.Errorf("replay: %w", err)
		}
		dir = filepath.Join(r.temp, "run")
	}
	_, err = local.Replay(ctx, local.Options{Scenario: sc, Dir: dir, Sender: o.Sender})
	switch {
	case err != nil:
	case o.Dir == "": // nobody would read the documents
		r.report, err = reports.Open(dir)
	default:
		r.report, err = reports.WriteAll(dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("replay: %w", err), r.Close())
	}
	return r, nil
}

func (o Options) scenario() (*scenarios.Scenario, error) {
	b := local.Blocks()
	b.Metric, b.Threshold = reports.CheckMetric, reports.CheckThreshold
	so := scenarios.Options{Variants: o.Variants, Set: o.Set, Seed: o.Seed, Blocks: b}
	switch {
	case o.Scenario != "" && o.YAML != "":
		return nil, errors.New("give Scenario or YAML, not both")
	case o.YAML != "":
		return scenarios.Read("scenario.yaml", []byte(o.YAML), so)
	}
	return scenarios.Open(o.Scenario, so)
}

// Close removes what was kept for Explain, unless Options.Dir keeps it.
func (r *Result) Close() error {
	if r.temp == "" {
		return nil
	}
	return os.RemoveAll(r.temp)
}

// Met reports whether every threshold was met and the measurement can be trusted.
func (r *Result) Met() bool { return r.report.Verdict == reports.Met }

// Verdict is met, missed or invalid; Reasons say why it is invalid.
func (r *Result) Verdict() (verdict string, reasons []string) {
	return string(r.report.Verdict), r.report.Reasons
}

// Digest is one number for the fate of every message: the same scenario, seed and sender give the same one.
func (r *Result) Digest() string { return r.report.Info.Digest }

// Offered is how many messages the sender was handed.
func (r *Result) Offered() int { return r.report.Summary().Messages.Offered }

// Delivered is how many arrived, Lost how many the sender took and never finished, Refused how many it would not take.
func (r *Result) Delivered() int { return r.report.Summary().Messages.Delivered }

// Lost is how many messages the sender took and never finished.
func (r *Result) Lost() int { return r.report.Summary().Messages.Lost }

// Refused is how many messages the sender would not take.
func (r *Result) Refused() int { return r.report.Summary().Messages.Shed }

// Duplicates is how many copies too many were accepted by the API.
func (r *Result) Duplicates() int { return r.report.Summary().Duplicates.Copies }

// Value is any metric of docs/metrics.md over the whole run, in its unit (seconds, counts, shares); false without data.
func (r *Result) Value(metric string) (float64, bool) { return r.report.Value(metric) }

// Explain tells the story of one message by its id (m000042), or says why what happened to many happened: duplicates,
// expired, lost, failed, shed, pending, unsent, misdelivered.
func (r *Result) Explain(what string) (string, error) {
	for _, kind := range reports.Kinds {
		if what == kind {
			e, err := r.report.Explain(kind)
			return e.Text(), err
		}
	}
	tale, err := r.report.Tell(what)
	if err != nil {
		return "", err
	}
	return tale.Text(r.report.Info.Start), nil
}

// whys are the questions that Explain answers, as far as a run raises them.
func (r *Result) whys() []string {
	var out []string
	m := r.report.Summary().Messages
	for _, w := range []struct {
		count int
		what  string
	}{{r.Duplicates(), "duplicates"}, {m.Expired, "expired"}, {m.Lost, "lost"}, {m.Failed, "failed"}, {m.Shed, "shed"}} {
		if w.count > 0 {
			out = append(out, fmt.Sprintf("Explain(%q)", w.what))
		}
	}
	return out
}

// String is the report for people: verdict, what became of the messages, every threshold, and what to ask next.
func (r *Result) String() string {
	var b strings.Builder
	print := r.report.Text
	if r.temp != "" {
		print = r.report.Findings
	}
	if err := print(&b, false); err != nil {
		return err.Error()
	}
	if r.temp != "" {
		b.WriteByte('\n')
		if whys := r.whys(); len(whys) > 0 {
			fmt.Fprintf(&b, "  why         %s\n", strings.Join(whys, ", "))
		}
		b.WriteString("  documents   are written when Options.Dir says where\n")
	}
	return b.String()
}
