package reports

import (
	"fmt"
	"math"
	"strings"
)

// distributions are the times that every percentile is taken of. A new one is a new row here.
var distributions = []struct {
	name, doc string
	from      sample
}{
	{"delivery_time", "from the instant a message was due to the status delivered, of the messages due in the window; one that was never delivered waits forever", ofMessages(deliveryWait)},
	{"response_time", "from the instant a message was due to the front door's last answer, retries included, of the messages due in the window", ofMessages(responseTime)},
	{"front_door.latency", "of one attempt at the front door, timeouts counted at the instant they were given up", ofAttempts("front_door")},
	{"create.latency", "of one attempt to create a draft", ofAttempts("create")},
	{"send.latency", "of one attempt to send, from Drafts to the WhatsApp service", ofAttempts("send")},
	{"api_time", "of one request to the Cloud API's messages endpoint", ofAttempts("api")},
}

func distributionMetrics() []MetricDef {
	var out []MetricDef
	for _, d := range distributions {
		out = append(out, distribution(d.name, d.doc, d.from)...)
	}
	return out
}

// quantile takes a metric's name apart: the sample that it is a quantile of, and which; ok is false for other metrics
// and for the worst of a sample, which one value is enough for.
func quantile(metric string) (size func(*Measured, Window) int, q float64, ok bool) {
	for _, d := range distributions {
		rest, found := strings.CutPrefix(metric, d.name+".")
		for _, p := range percentiles {
			if found && rest == p.name && p.q < 1 {
				return func(m *Measured, w Window) int { return len(m.sorted(d.name, d.from, w)) }, p.q, true
			}
		}
	}
	switch metric {
	case "media.slack.p1":
		return slackSize, 0.01, true
	case "media.slack.p50":
		return slackSize, 0.50, true
	case "lateness.p50":
		return latenessSize, 0.50, true
	case "lateness.p99":
		return latenessSize, 0.99, true
	}
	return nil, 0, false
}

func slackSize(d *Measured, w Window) int { return len(ofMessages(slackOf)(d, w)) }

func latenessSize(d *Measured, w Window) int { return len(ofMessages(d.latenessOf)(d, w)) }

// quantileNeeds is how many values a quantile takes: with fewer it is only the worst (or the best) of them under
// another name. p99 takes 100, p99.9 takes 1,000.
func quantileNeeds(q float64) int { return int(math.Ceil(1/min(q, 1-q) - 1e-9)) }

// tooFew says why a window has too few values for the metric; "" when they are enough.
func (d *Measured) tooFew(m MetricDef, w Window) string {
	size, q, ok := quantile(m.Name)
	if !ok {
		return ""
	}
	if n, needs := size(d, w), quantileNeeds(q); n > 0 && n < needs {
		return fmt.Sprintf("%s for %s, which needs %d", plural(n, "value"), m.Name, needs)
	}
	return ""
}
