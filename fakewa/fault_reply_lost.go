package fakewa

import (
	"fmt"
	"time"
)

// replyLostFault processes the request and keeps the answer from the client.
type replyLostFault struct {
	Scope  `yaml:",inline"`
	How    string        `yaml:"how,omitempty"`    // dropped (default): no answer | late: answered after By | reset: the connection breaks | error: a 5xx instead
	By     time.Duration `yaml:"by,omitempty"`     // late: how much later than usual; 0 means 30 s
	Hold   time.Duration `yaml:"hold,omitempty"`   // dropped: how long the connection is held open at most; 0 means 5 minutes
	Code   int           `yaml:"code,omitempty"`   // error: 0 means 131000
	Silent bool          `yaml:"silent,omitempty"` // and no webhook tells of it either
}

func (f *replyLostFault) check() error {
	or(&f.How, "dropped")
	or(&f.By, 30*time.Second)
	or(&f.Hold, 5*time.Minute)
	or(&f.Code, 131000)
	switch f.How {
	case "dropped", "late", "reset", "error":
	default:
		return fmt.Errorf("how: %q is none of dropped, late, reset, error", f.How)
	}
	if f.By < 0 || f.Hold < 0 || f.By > day || f.Hold > day {
		return fmt.Errorf("by and hold are between 0 and 24h")
	}
	if f.How == "error" && catalog[f.Code].status < 500 {
		return fmt.Errorf("code: %d is not answered with a 5xx; 131000, 131016 and 2 are", f.Code)
	}
	return nil
}

func (f *replyLostFault) late(h *hit) bool {
	if h.d.Err != nil {
		return false // a refusal is told as it is: only what was processed is lost
	}
	switch f.How {
	case "dropped":
		h.d.Manner, h.d.Over = Withheld, f.Hold
	case "late":
		h.d.Delay += f.By
	case "reset":
		h.d.Manner = Aborted
	case "error":
		h.d.Err, h.d.Body, h.d.Content = fail(f.Code, ""), nil, nil
	}
	if f.Silent && h.d.later != nil {
		h.d.later.Silent = true
	}
	return true
}
