package reports

import (
	"fmt"
	"math"
	"slices"

	"github.com/aftershock-dev/aftershock/reports/internal/odds"
)

// paired compares runs in virtual time, seed by seed. A seed gives the same figures until somebody changes something, so what
// differs was changed, and its size decides; of harm any more is more. Where key figures go up on some seeds and down on
// others, the scenario sits on an edge, on which any change at all throws them about: then a paired test decides.
func paired(cs []Change, a Asked) {
	edge := slices.ContainsFunc(cs, func(c Change) bool { return c.Judged && c.Tier != Machine && c.flips(a) })
	var tested []*Change
	for i := range cs {
		c := &cs[i]
		switch {
		case c.absent(), slices.Equal(c.Base, c.Candidate):
		case c.Tier == Machine:
			c.Note = "depends on the machine"
		case c.neverBefore():
		case c.Judged && (c.flips(a) || edge && !c.harm()):
			tested = append(tested, c)
		case edge && !c.harm(), c.flips(a):
			c.Note = "shown, not tested: seeds disagree"
		case c.counts(a):
			c.judge()
		}
	}
	for _, c := range tested {
		if c.P = odds.Paired(c.differences()); slices.ContainsFunc(slices.Concat(c.Base, c.Candidate), isNever) {
			c.P = odds.Signs(c.differences())
		}
	}
	level := holm(tested, a.Alpha)
	for _, c := range tested {
		up, down := c.directions(a)
		c.Note = fmt.Sprintf("%d of %d seeds up, %d down", up, len(c.Base), down)
		needed := odds.NeededPairs(c.differences(), c.matters(a), level)
		if c.settle(a, needed > 0 && needed <= len(c.Base)); c.Verdict == tooFew {
			c.Needed = needed
		}
	}
}

// nearly is what of the smallest change that counts has to be measured: one of just that size is measured a little smaller
// as often as a little larger.
const nearly = 0.75

// settle gives a change that was tested its verdict; enough is whether there are as many runs as it takes to see the smallest
// change that counts.
func (c *Change) settle(a Asked, enough bool) {
	switch {
	case c.P < a.Alpha && (c.harm() || c.effect() >= c.share(a)*nearly && math.Abs(c.gap()) > smallest(c.Unit)):
		c.judge()
	case c.P < a.Alpha: // seen, and too small to matter
	case !enough || c.harm() && !c.wall && c.toWorse(): // more harm in all is never no difference
		c.Verdict = tooFew
	}
}

// counts reports whether some seed differs from itself by enough.
func (c *Change) counts(a Asked) bool {
	up, down := c.directions(a)
	return up+down > 0
}

// flips reports whether seeds disagree about the direction.
func (c *Change) flips(a Asked) bool {
	if len(c.Base) != len(c.Candidate) {
		return false
	}
	up, down := c.directions(a)
	return up > 0 && down > 0
}

// directions counts the seeds that went up and down by enough.
func (c *Change) directions(a Asked) (up, down int) {
	for i, d := range c.differences() {
		least := max(a.Smallest*math.Abs(c.Base[i]), smallest(c.Unit))
		if c.harm() {
			least = 0
		}
		switch {
		case d > least:
			up++
		case -d > least:
			down++
		}
	}
	return up, down
}

// differences of the pairs.
func (c *Change) differences() []float64 {
	out := make([]float64, len(c.Base))
	for i, b := range c.Base {
		out[i] = c.Candidate[i] - b
	}
	return out
}
