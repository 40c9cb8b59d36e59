package scenarios

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/scrape"
)

// Metrics is a page on which someone else's sender tells its own figures: Prometheus's text format, or JSON.
type Metrics struct {
	Path    string            `yaml:"path"`              // of the sender, or a URL; asked at every reading of the gauges
	Headers map[string]string `yaml:"headers,omitempty"` // templates, as those of the target
	Gauges  map[string]string `yaml:"gauges"`            // name → which number: jobs{state="waiting"} + jobs{state="active"}, or $.queue.waiting
	Copies  string            `yaml:"copies,omitempty"`  // of several copies: sum (default), max, or one, when all tell of one queue
}

// Well-known names of gauges, which charts, recovery and thresholds look for. Any other name is one's own: its metrics are
// gauge.NAME.max, .min, .mean and .end.
var KnownGauges = []string{"backlog", "ready", "retrying", "in_flight", "oldest_age", "replicas"}

var (
	gaugeName  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	copyFolds  = []string{"sum", "max", "one"}
	ownMetric  = regexp.MustCompile(`^gauge\.([^.]+)\.`)
	sayGauges  = "such as gauges: {backlog: 'jobs{state=\"waiting\"}', oldest_age: $.queue.oldest_s}"
	sayMetrics = "such as metrics: {path: /metrics, gauges: {backlog: 'jobs{state=\"waiting\"}'}}"
)

func (in *inspector) metrics(m *Metrics) {
	if m != nil {
		in.metricsPage(m)
	}
	for i, t := range in.s.Thresholds {
		own := ownMetric.FindStringSubmatch(t.Metric)
		if own == nil || m != nil && m.Gauges[own[1]] != "" {
			continue
		}
		hint := sayGauges
		if m != nil {
			hint = "there are " + join(slices.Sorted(maps.Keys(m.Gauges)))
		}
		in.bad("thresholds["+strconv.Itoa(i)+"].metric", own[1]+" is not one of target.metrics.gauges", hint)
	}
}

func (in *inspector) metricsPage(m *Metrics) {
	switch {
	case m.Path == "":
		in.bad("target.metrics", "has no path", sayMetrics)
	case !pathAlone(m.Path):
		if problem, hint := CheckDoor(m.Path); problem != "" {
			in.bad("target.metrics.path", problem, hint+", or a path of the sender such as /metrics")
		}
	}
	if m.Copies != "" {
		in.oneOf("target.metrics.copies", m.Copies, copyFolds)
	}
	if len(m.Gauges) == 0 {
		in.bad("target.metrics", "has no gauges", sayGauges)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Gauges)) {
		key := "target.metrics.gauges." + name
		if !gaugeName.MatchString(name) {
			in.bad(key, "is not a name of a gauge", "letters, digits and _, such as queue_age_s")
		}
		if _, err := scrape.Parse(strings.TrimSpace(m.Gauges[name])); err != nil {
			in.bad(key, err.Error(), "")
		}
	}
}
