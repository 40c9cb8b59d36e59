package replay

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/aftershock-dev/aftershock/harness/hunt"
	"github.com/aftershock-dev/aftershock/internal/files"
)

// Hunted is what a hunt came to.
type Hunted struct {
	Findings []Finding
	cover    hunt.Cover
}

// Finding is a schedule under which the sender breaks a promise, as small as it goes.
type Finding struct {
	Seed   int64
	Says   string // the promise, and what was seen
	YAML   string // the scenario: Options.YAML shows it again
	Steps  int    // of its timeline
	Digest string // what Run comes to with it
}

// Hunt tries the schedules of the seeds 1 to n against the sender: loads, and timelines of faults of the API, drawn by seed,
// in place of the scenario's own. Whatever befalls the sender, it has to keep what it took, to send a copy only where no
// answer came, to come to an end, and to leave nothing behind. It ends with the first schedule under which it does not.
//
// Options.Seed is not used; Options.Dir keeps the findings as files that aftershock run reads. The error says why nothing can
// be said: also when nothing that was tried did anything.
func Hunt(ctx context.Context, o Options, n int64) (*Hunted, error) {
	if o.Sender == nil {
		return nil, errors.New("replay: Options.Sender is missing: it makes the sender that is hunted")
	}
	base, err := o.scenario()
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	out := &Hunted{}
	h := &hunt.Hunt{
		Base: base, Try: (&hunt.Trial{Sender: o.Sender}).Run,
		Tried: func(_ int64, e hunt.Evidence) { out.cover.Add(e) },
	}
	found, err := h.Run(ctx, hunt.Range(1, n))
	if err == nil {
		err = ctx.Err()
	}
	for _, f := range found {
		small := Finding{Seed: f.Seed, Says: f.Broken.Says, YAML: string(f.Scenario.YAML()), Steps: f.Steps, Digest: f.Evidence.Digest}
		out.Findings = append(out.Findings, small)
		if o.Dir != "" {
			err = errors.Join(err, files.Replace(filepath.Join(o.Dir, f.Scenario.Name+".yaml"), []byte(small.YAML)))
		}
	}
	if why := out.cover.Nothing(); err == nil && len(found) == 0 && why != "" {
		err = errors.New(why)
	}
	if err != nil {
		return out, fmt.Errorf("replay: %w", err)
	}
	return out, nil
}

// String says what was tried, and what was found.
func (h *Hunted) String() string {
	var b strings.Builder
	if err := h.cover.Text(&b, false); err != nil {
		return err.Error()
	}
	for _, f := range h.Findings {
		fmt.Fprintf(&b, "\nseed %d: %s\n%s", f.Seed, f.Says, f.YAML)
	}
	return b.String()
}
