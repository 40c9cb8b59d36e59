package sweep

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/reports"
)

// Find looks for the value of one setting at which a condition changes: the highest rate that still meets the
// thresholds, the smallest surge that no longer recovers. It halves the interval between a value that holds and one
// that does not, running every seed at each; a value holds when the condition holds on every seed.
type Find struct {
	Sweep *Sweep // Axes are ignored
	Keys  string // dotted keys, joined by +
	Low   string
	High  string
	Holds func(reports.SweepRun) bool
	Exact float64 // stop when the interval is this share of its upper end; 0 is 2 %
}

// Found is where a condition changes.
type Found struct {
	Keys      string
	Holds     string // the value furthest on the side that holds; "" when neither end does
	Fails     string // the nearest value that does not; "" when both ends hold
	Upwards   bool   // the low end holds
	Runs      int
	Tried     []Tried // in the order in which they were tried
	Condition string
}

// Tried is one value and whether it held.
type Tried struct {
	Value string
	Holds bool
}

// Run bisects.
func (f *Find) Run(ctx context.Context) (Found, error) {
	scale, err := newScale(f.Low, f.High)
	if err != nil {
		return Found{}, err
	}
	out := Found{Keys: f.Keys}
	exact := f.Exact
	if exact <= 0 {
		exact = 0.02
	}
	try := func(v float64) (bool, error) {
		ok, err := f.holds(ctx, scale.text(v))
		out.Tried = append(out.Tried, Tried{scale.text(v), ok})
		out.Runs += len(f.Sweep.Seeds)
		return ok, err
	}
	low, err := try(scale.low)
	if err != nil {
		return out, err
	}
	high, err := try(scale.high)
	if err != nil {
		return out, err
	}
	out.Upwards = low
	if low == high {
		if low {
			out.Holds = scale.text(scale.high)
		} else {
			out.Fails = scale.text(scale.low)
		}
		return out, nil
	}
	good, bad := scale.low, scale.high
	if high {
		good, bad = bad, good
	}
	for {
		mid := scale.round((good + bad) / 2)
		if math.Abs(bad-good) <= exact*math.Max(math.Abs(good), math.Abs(bad)) || mid == good || mid == bad {
			break
		}
		ok, err := try(mid)
		if err != nil {
			return out, err
		}
		if ok {
			good = mid
		} else {
			bad = mid
		}
	}
	out.Holds, out.Fails = scale.text(good), scale.text(bad)
	return out, nil
}

func (f *Find) holds(ctx context.Context, value string) (bool, error) {
	s := *f.Sweep
	s.Axes = []Axis{{Name: f.Keys, Levels: []Level{{Name: value, Set: setAll(f.Keys, value)}}}}
	rec, err := s.Run(ctx)
	if err != nil {
		return false, err
	}
	for _, r := range rec.Points[0].Runs {
		if !f.Holds(r) {
			return false, nil
		}
	}
	return true, nil
}

// scale turns texts such as 200/min and 1.5h into numbers and back: a number between the same words.
type scale struct {
	low, high float64
	suffix    string
	whole     bool
}

func newScale(low, high string) (scale, error) {
	a, unitA, err := number(low)
	if err != nil {
		return scale{}, err
	}
	b, unitB, err := number(high)
	if err != nil {
		return scale{}, err
	}
	if unitA != unitB {
		return scale{}, fmt.Errorf("%q and %q have different units: write both in one, such as 200/min..800/min", low, high)
	}
	if a >= b {
		return scale{}, fmt.Errorf("%q is not below %q", low, high)
	}
	return scale{a, b, unitA, a == math.Trunc(a) && b == math.Trunc(b) && b-a >= 4}, nil
}

// number cuts the leading number off a text.
func number(s string) (float64, string, error) {
	s = strings.TrimSpace(s)
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
		i++
	}
	v, err := strconv.ParseFloat(s[:i], 64)
	if err != nil {
		return 0, "", fmt.Errorf("%q does not begin with a number: a bisection needs one, such as 200/min or 8", s)
	}
	return v, s[i:], nil
}

func (s scale) round(v float64) float64 {
	if s.whole {
		return math.Round(v)
	}
	return v
}

func (s scale) text(v float64) string {
	return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64) + s.suffix
}

// Words says what was found.
func (f Found) Words() string {
	switch {
	case f.Holds == "" && f.Fails != "":
		return fmt.Sprintf("%s: %s does not hold anywhere from %s on (%d runs)", f.Condition, f.Keys, f.Fails, f.Runs)
	case f.Fails == "":
		return fmt.Sprintf("%s: %s holds everywhere up to %s (%d runs)", f.Condition, f.Keys, f.Holds, f.Runs)
	case f.Upwards:
		return fmt.Sprintf("%s: holds up to %s %s, no longer at %s (%d runs)", f.Condition, f.Keys, f.Holds, f.Fails, f.Runs)
	}
	return fmt.Sprintf("%s: holds from %s %s on, not yet at %s (%d runs)", f.Condition, f.Keys, f.Holds, f.Fails, f.Runs)
}
