package fakewa

import (
	"errors"

	"github.com/aftershock-dev/aftershock/quantity"
)

// throttleFault changes throughput or pair limits.
type throttleFault struct {
	Scope      `yaml:",inline"`
	Throughput quantity.Rate `yaml:"throughput,omitempty"`
	Pair       *Pair         `yaml:"pair,omitempty"`
}

func (f *throttleFault) check() error {
	if f.Throughput.IsZero() && f.Pair == nil {
		return errors.New("needs throughput or pair")
	}
	if f.Pair != nil {
		or(&f.Pair.Burst, 45)
		if f.Pair.Every < 0 || f.Pair.Burst < 0 {
			return errors.New("pair: every and burst cannot be negative")
		}
	}
	return nil
}

func (f *throttleFault) terms(h *hit) {
	if !f.Throughput.IsZero() {
		h.changed = h.changed || f.Throughput.PerSecond() != h.terms.throughput.PerSecond()
		h.terms.throughput = f.Throughput
	}
	if f.Pair != nil {
		h.changed = h.changed || *f.Pair != h.terms.pair
		h.terms.pair = *f.Pair
	}
}

// felt reports whether the request met the limit, and the limit is another than usual.
func (f *throttleFault) felt(h *hit) bool {
	e := h.d.Err
	return e != nil && h.changed && (e.code == 130429 && !f.Throughput.IsZero() || e.code == 131056 && f.Pair != nil)
}
