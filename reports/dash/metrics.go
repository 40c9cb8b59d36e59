package dash

import (
	"math"
	"net/http"
	"regexp"
	"sort"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// metric is a gauge of the record under the name and labels that metric systems know it by.
type metric struct {
	name    string
	code    string // Cloud API error code, for the errors by code
	value   float64
	counter bool
	gauge   string
}

var apiError = regexp.MustCompile(`^api_error_(.+)_total$`)

// metrics names the gauges for the outside, in order: aftershock_<gauge>, the errors by code under one name.
func metrics(gauges map[string]float64) []metric {
	out := make([]metric, 0, len(gauges))
	for k, v := range gauges {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		m := metric{gauge: k, name: "aftershock_" + safeName(k), value: v, counter: strings.HasSuffix(k, "_total")}
		if match := apiError.FindStringSubmatch(k); match != nil {
			m.name, m.code = "aftershock_api_errors_by_code_total", match[1]
		}
		out = append(out, m)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].name != out[j].name {
			return out[i].name < out[j].name
		}
		return out[i].code < out[j].code
	})
	return out
}

// safeName replaces what a metric's name must not hold.
func safeName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, s)
}

// MetricsHandler serves the last reading of a run's gauges to Prometheus.
func MetricsHandler(latest func() map[string]float64) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(gaugeCollector{latest})
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// gaugeCollector turns the last reading into metrics at every scrape.
type gaugeCollector struct{ latest func() map[string]float64 }

// Describe says nothing: which gauges there are is known only once there is a reading.
func (gaugeCollector) Describe(chan<- *prometheus.Desc) {}

// Collect sends one metric for each gauge.
func (c gaugeCollector) Collect(ch chan<- prometheus.Metric) {
	seen := map[[2]string]bool{}
	for _, m := range metrics(c.latest()) {
		if seen[[2]string{m.name, m.code}] {
			continue
		}
		seen[[2]string{m.name, m.code}] = true
		kind := prometheus.GaugeValue
		if m.counter {
			kind = prometheus.CounterValue
		}
		if m.code != "" {
			d := prometheus.NewDesc(m.name, "Answers of the Cloud API other than 200, by error code.", []string{"code"}, nil)
			ch <- prometheus.MustNewConstMetric(d, kind, m.value, m.code)
			continue
		}
		d := prometheus.NewDesc(m.name, record.Help(m.gauge), nil, nil)
		ch <- prometheus.MustNewConstMetric(d, kind, m.value)
	}
}
