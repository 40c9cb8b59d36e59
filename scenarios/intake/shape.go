package intake

import (
	"slices"
	"strconv"
	"time"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// Shape is how many messages came in each minute.
type Shape struct {
	PerMinute []int
}

func (s *Shape) add(at time.Duration) {
	m := int(at / time.Minute)
	if m >= 2*366*24*60 { // refused later
		return
	}
	for len(s.PerMinute) <= m {
		s.PerMinute = append(s.PerMinute, 0)
	}
	s.PerMinute[m]++
}

// Peak is the fullest minute's count, and which minute it is.
func (s *Shape) Peak() (count, minute int) {
	for i, n := range s.PerMinute {
		if n > count {
			count, minute = n, i
		}
	}
	return count, minute
}

// Median is the median count of the minutes in which anything came.
func (s *Shape) Median() int {
	busy := slices.DeleteFunc(slices.Clone(s.PerMinute), func(n int) bool { return n == 0 })
	if len(busy) == 0 {
		return 0
	}
	slices.Sort(busy)
	return busy[len(busy)/2]
}

// shortest is the length below which a stretch is not worth a name.
const shortest = 5 // minutes

// Phases names the stretches of a trace: those in which five minutes together bring more than twice the lower
// quartile are surges, the rest is calm. Their lengths add up to the whole minutes of the trace.
func (s *Shape) Phases() []scenarios.Phase {
	n := len(s.PerMinute)
	if n == 0 {
		return nil
	}
	smooth := make([]float64, n)
	for i := range smooth {
		lo, hi := max(0, i-2), min(n, i+3)
		for _, c := range s.PerMinute[lo:hi] {
			smooth[i] += float64(c) / float64(hi-lo)
		}
	}
	sorted := slices.Clone(smooth)
	slices.Sort(sorted)
	limit := 2 * max(sorted[n/4], 1)
	type stretch struct {
		high   bool
		length int
	}
	var all []stretch
	for _, v := range smooth {
		if high := v > limit; len(all) > 0 && all[len(all)-1].high == high {
			all[len(all)-1].length++
		} else {
			all = append(all, stretch{high, 1})
		}
	}
	var kept []stretch
	for _, x := range all {
		if k := len(kept) - 1; k >= 0 && (x.length < shortest || kept[k].high == x.high) {
			kept[k].length += x.length
			continue
		}
		kept = append(kept, x)
	}
	var out []scenarios.Phase
	count := map[string]int{}
	for _, x := range kept {
		name := "calm"
		if x.high {
			name = "surge"
		}
		if count[name]++; count[name] > 1 {
			name += "-" + strconv.Itoa(count[name])
		}
		out = append(out, scenarios.Phase{Name: name, For: time.Duration(x.length) * time.Minute})
	}
	return out
}
