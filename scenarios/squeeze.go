package scenarios

import (
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
)

// Squeeze returns the scenario with time made n times as fast: durations and distributions divided by n, rates
// multiplied, in the load, the client, the timeline, and in every amount of the sender's and the fake's blocks that is
// written with a unit. Thresholds stay as they are: they are about scenario time.
func (s *Scenario) Squeeze(n float64) *Scenario {
	out := *s
	quantity.Squeeze(&out.Load, n)
	quantity.Squeeze(&out.Client, n)
	quantity.Squeeze(&out.Drain, n)
	quantity.Squeeze(&out.Span, n)
	out.pace = max(s.pace, 1) * n
	quantity.Squeeze(&out.Timeline, n)
	for i, step := range out.Timeline {
		if step.Fault != nil { // Squeeze has made the step's fault our own
			out.Timeline[i].Fault.Raw = step.Fault.Raw.squeeze(n)
		}
	}
	out.WhatsApp, out.Sender = s.WhatsApp.squeeze(n), s.Sender.squeeze(n)
	return &out
}

// Pace is how many times as fast as written the scenario's time runs.
func (s *Scenario) Pace() float64 { return max(1, s.pace) }

// squeeze changes every amount with a unit in the block.
func (b Block) squeeze(n float64) Block {
	tree, err := strict.Parse("", b)
	if err != nil { // blocks that were read are YAML
		return b
	}
	squeezeNode(tree, n)
	return tree.YAML()
}

func squeezeNode(t *strict.Node, n float64) {
	for _, f := range t.Fields {
		squeezeNode(f.Value, n)
	}
	for _, item := range t.Items {
		squeezeNode(item, n)
	}
	if t.Kind == strict.Scalar {
		t.Text = quantity.SqueezeText(t.Text, n)
	}
}
