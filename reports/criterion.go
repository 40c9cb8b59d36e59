package reports

import (
	"fmt"
	"math"
	"strings"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// Criterion is the `is` of a threshold: a comparison and its limit, absolute or against a baseline.
type Criterion struct {
	Op       string // < <= > >= == != between
	Limit    float64
	Upper    float64 // of between
	Relative bool    // Limit is a change from the baseline's value: a share when Percent, else in the metric's unit
	Percent  bool
	Text     string // the limit as it was written
}

var operators = []string{"<=", ">=", "==", "!=", "<", ">"}

// ParseCriterion reads "> 10m", "== 0", "between 0.1% and 10%", "<= +10%". A limit with a plus, or a minus and a per
// cent sign, is a change from the baseline.
func ParseCriterion(unit Unit, is string) (Criterion, error) {
	is = strings.TrimSpace(is)
	if rest, ok := strings.CutPrefix(is, "between "); ok {
		return parseBetween(unit, rest)
	}
	for _, op := range operators {
		rest, ok := strings.CutPrefix(is, op)
		if !ok {
			continue
		}
		c := Criterion{Op: op, Text: strings.TrimSpace(rest)}
		var err error
		if strings.HasPrefix(c.Text, "+") || (strings.HasPrefix(c.Text, "-") && strings.HasSuffix(c.Text, "%")) {
			err = c.parseChange(unit)
		} else {
			c.Limit, err = unit.Parse(c.Text)
		}
		return c, err
	}
	return Criterion{}, fmt.Errorf("%q is not a criterion: write < <= > >= == != and a limit, such as \"<= 10m\", or \"between 1%% and 5%%\"", is)
}

func parseBetween(unit Unit, rest string) (Criterion, error) {
	low, high, ok := strings.Cut(rest, " and ")
	if !ok {
		return Criterion{}, fmt.Errorf("%q is not a criterion: write \"between 1%% and 5%%\"", "between "+rest)
	}
	c := Criterion{Op: "between", Text: strings.TrimSpace(rest)}
	var err error
	if c.Limit, err = unit.Parse(low); err != nil {
		return c, err
	}
	if c.Upper, err = unit.Parse(high); err != nil {
		return c, err
	}
	if c.Upper < c.Limit {
		return c, fmt.Errorf("between %s: the second limit is below the first", rest)
	}
	return c, nil
}

func (c *Criterion) parseChange(unit Unit) error {
	if unit == Truth {
		return fmt.Errorf("%q: true and false do not change by an amount", c.Text)
	}
	c.Relative = true
	text := strings.TrimPrefix(c.Text, "+")
	if p, ok := strings.CutSuffix(text, "%"); ok {
		v, err := plainNumber(strings.TrimSpace(p))
		c.Percent, c.Limit = true, v/100
		return err
	}
	v, err := unit.Parse(text)
	c.Limit = v
	return err
}

// against returns the criterion with an absolute limit, for a baseline's value.
func (c Criterion) against(base float64) Criterion {
	if !c.Relative {
		return c
	}
	c.Relative = false
	if c.Percent {
		c.Limit = base + math.Abs(base)*c.Limit
	} else {
		c.Limit += base
	}
	return c
}

// Holds reports whether a value meets the criterion, whose limit is absolute.
func (c Criterion) Holds(v float64) bool {
	same := !isNever(v) && math.Abs(v-c.Limit) <= 1e-9*max(math.Abs(v), math.Abs(c.Limit))
	switch c.Op {
	case "<":
		return v < c.Limit && !same
	case "<=":
		return v < c.Limit || same
	case ">":
		return v > c.Limit && !same
	case ">=":
		return v > c.Limit || same
	case "==":
		return same
	case "!=":
		return !same
	case "between":
		return v >= c.Limit && v <= c.Upper
	}
	return false
}

// always reports whether the criterion holds for every value that a metric can have: at least 0, a share at most 1.
func (c Criterion) always(unit Unit, metric string) bool {
	least, most := 0.0, forever.Seconds()
	if unit == Share || unit == Truth {
		most = 1
	}
	if strings.HasPrefix(metric, "media.slack") { // of what had expired it is below 0
		least = -most
	}
	inside := c.Limit >= least && c.Limit <= most
	return c.Holds(least) && c.Holds(most) && (c.Op != "!=" || !inside)
}

// margin is how far a value is on the right side of the criterion, as a share of the limit; negative on the wrong side.
func (c Criterion) margin(v float64) (float64, bool) {
	scale := math.Abs(c.Limit)
	if scale == 0 || isNever(v) {
		return 0, false
	}
	switch c.Op {
	case "<", "<=":
		return (c.Limit - v) / scale, true
	case ">", ">=":
		return (v - c.Limit) / scale, true
	}
	return 0, false
}

// CheckThreshold reports what is wrong with a threshold before anything runs: an unknown metric, a limit that does
// not fit its unit, a window where there can be none.
func CheckThreshold(t scenarios.Threshold) error {
	m, err := Metric(t.Metric)
	if err != nil {
		return err
	}
	if _, err := ParseCriterion(m.Unit, t.Is); err != nil {
		return err
	}
	if m.Whole && (t.During != "" || t.From != 0 || t.To != 0 || t.For != 0 || t.Some != 0 || t.Within != 0) {
		return fmt.Errorf("%s is about the whole run: it takes no during, from, to, for, some or within", t.Metric)
	}
	return nil
}
