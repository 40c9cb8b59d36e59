package reports

import (
	"fmt"
	"strings"
	"time"
)

// withinDoc stands in the table of metrics for every delivered.within(…) there can be.
const (
	withinName = "delivered.within(30s)"
	withinDoc  = "messages delivered within that long after they were due ÷ messages due in the window; any duration may stand between the brackets"
)

// within reads delivered.within(30s); ok is false when the name is of another metric.
func within(name string) (m MetricDef, ok bool, err error) {
	text, ok := strings.CutPrefix(name, "delivered.within(")
	if !ok {
		return m, false, nil
	}
	limit, closed := strings.CutSuffix(text, ")")
	d, err := time.ParseDuration(strings.TrimSpace(limit))
	if !closed || err != nil || d <= 0 {
		return m, true, fmt.Errorf("there is no metric %q: write delivered.within(30s), with any duration above 0", name)
	}
	return withinMetric(name, d), true, nil
}

func withinMetric(name string, d time.Duration) MetricDef {
	return MetricDef{name, Share, "higher", Exact, withinDoc, false, func(m *Measured, w Window) (float64, bool) {
		due, n := m.due(w), 0
		for i := range due {
			if took, ok := deliveryTime(&due[i]); ok && took <= d {
				n++
			}
		}
		if len(due) == 0 {
			return 0, false
		}
		return float64(n) / float64(len(due)), true
	}}
}
