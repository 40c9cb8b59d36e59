package fakewa

import (
	"errors"
	"fmt"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
)

// webhookFault changes how updates reach the callback; what they tell takes effect all the same.
type webhookFault struct {
	Scope  `yaml:",inline"`
	How    string        `yaml:"how"`              // delayed | lost | duplicated | reordered | batched
	By     quantity.Dist `yaml:"by,omitempty"`     // delayed, duplicated: by how much, 0 means 30 s; reordered: within how much, 0 means 30 s
	Copies int           `yaml:"copies,omitempty"` // duplicated: how many more; 0 means 1
	Batch  int           `yaml:"batch,omitempty"`  // batched: updates in one POST; 0 means 100
}

func (f *webhookFault) check() error {
	switch f.How {
	case "delayed", "lost", "duplicated", "reordered", "batched":
	default:
		return fmt.Errorf("how: %q is none of delayed, lost, duplicated, reordered, batched", f.How)
	}
	if f.By.IsZero() {
		f.By = quantity.Constant(30 * time.Second)
	}
	or(&f.Copies, 1)
	or(&f.Batch, 100)
	if f.Copies < 0 || f.Copies > 100 || f.Batch < 0 || f.Batch > 1000 {
		return errors.New("copies is at most 100, batch at most 1000")
	}
	return nil
}

func (f *webhookFault) hook(p *posting) {
	by := f.By.Sample(p.float("by"))
	switch f.How {
	case "delayed":
		p.delay += by
	case "lost":
		p.lost = true
	case "duplicated":
		for i := range f.Copies {
			p.copies = append(p.copies, by*time.Duration(i+1))
		}
	case "reordered":
		p.delay += time.Duration(p.float("order") * float64(by))
	case "batched":
		p.batch = max(p.batch, f.Batch)
	}
}
