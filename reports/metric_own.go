package reports

import (
	"fmt"
	"strings"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// ownFolds are what can be asked of a gauge that a sender of one's own tells (target.metrics), by the end of the metric's
// name.
var ownFolds = map[string]struct {
	doc  string
	read func(gauge string) measureFunc
}{
	"max":  {"highest", gaugeMax},
	"min":  {"lowest", gaugeMin},
	"mean": {"mean", gaugeMean},
	"end":  {"last", gaugeLast},
}

// ownGauge reads gauge.NAME.max and the like. Names that end in _s are seconds, and in _bytes bytes.
func ownGauge(name string) (MetricDef, bool, error) {
	rest, ok := strings.CutPrefix(name, "gauge.")
	if !ok {
		return MetricDef{}, false, nil
	}
	gauge, fold, ok := strings.Cut(rest, ".")
	how, known := ownFolds[fold]
	if !ok || !known || gauge == "" {
		return MetricDef{}, true, fmt.Errorf("there is no metric %q: of a sender's own gauge there are gauge.NAME.max, .min, .mean and .end", name)
	}
	unit := Count
	switch {
	case strings.HasSuffix(gauge, "_s"):
		unit = Seconds
	case strings.HasSuffix(gauge, "_bytes"):
		unit = Bytes
	}
	return MetricDef{Name: name, Unit: unit, Tier: Machine, Doc: how.doc + " reading of the sender's own gauge " + gauge, value: how.read(record.GOwn + gauge)}, true, nil
}

func gaugeMin(name string) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		_, v := d.readings(name, w)
		if len(v) == 0 {
			return 0, false
		}
		least := v[0]
		for _, x := range v {
			least = min(least, x)
		}
		return least, true
	}
}

func gaugeMean(name string) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		_, v := d.readings(name, w)
		if len(v) == 0 {
			return 0, false
		}
		sum := 0.0
		for _, x := range v {
			sum += x
		}
		return sum / float64(len(v)), true
	}
}
