package fakewa

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/quantity"
)

// latencyFault makes answers take longer.
type latencyFault struct {
	Scope    `yaml:",inline"`
	Add      quantity.Dist `yaml:"add,omitempty"`      // on top of the usual latency
	Set      quantity.Dist `yaml:"set,omitempty"`      // instead of it
	Samples  []string      `yaml:"samples,omitempty"`  // durations to draw from, on top of the usual latency
	File     string        `yaml:"file,omitempty"`     // the same, one a line; the first column of a CSV
	Ramp     time.Duration `yaml:"ramp,omitempty"`     // grow from nothing to all of it in this time
	Capacity quantity.Rate `yaml:"capacity,omitempty"` // requests queue for a server of this capacity

	drawn []time.Duration // sorted
	queue queue
}

func (f *latencyFault) check() error {
	lines := f.Samples
	if f.File != "" {
		data, err := files.Read(f.File, 16<<20)
		if err != nil {
			return fmt.Errorf("file: %s: %w", f.File, err)
		}
		lines = append(lines, strings.Split(strings.TrimSpace(string(data)), "\n")...)
	}
	for i, line := range lines {
		first, _, _ := strings.Cut(line, ",")
		d, err := time.ParseDuration(strings.TrimSpace(first))
		if err != nil || d < 0 || d > day {
			return fmt.Errorf("samples: entry %d is not a duration between 0 and 24h, such as 350ms", i+1)
		}
		f.drawn = append(f.drawn, d)
	}
	slices.Sort(f.drawn)
	if f.Add.IsZero() && f.Set.IsZero() && len(f.drawn) == 0 && f.Capacity.IsZero() {
		return errors.New("needs add, set, samples, file or capacity")
	}
	if f.Ramp < 0 {
		return errors.New("ramp cannot be negative")
	}
	return nil
}

func (f *latencyFault) late(h *hit) bool {
	u := h.float("latency")
	if !f.Set.IsZero() {
		h.d.Delay = f.Set.Sample(u)
	}
	add := f.Add.Sample(u)
	if n := len(f.drawn); n > 0 {
		add += f.drawn[min(n-1, int(u*float64(n)))]
	}
	if wait, _ := f.queue.join(h.now, LatencyLoad{Capacity: f.Capacity}); wait > 0 {
		add += wait
	}
	if f.Ramp > 0 {
		add = time.Duration(float64(add) * min(1, float64(h.age())/float64(f.Ramp)))
	}
	h.d.Delay += add
	return add > 0 || !f.Set.IsZero()
}
