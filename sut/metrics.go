package sut

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics serves the sender's figures to Prometheus, from a registry of its own.
func (s *Sender) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(newCollector(s))
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}

// figure is one metric: how it is called and read.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*Stats) float64
}

// collector reads a snapshot whenever it is asked.
type collector struct {
	s       *Sender
	figures []figure
	codes   *prometheus.Desc
	send    *prometheus.Desc
	service map[string]*prometheus.Desc
}

const prefix = "aftershock_sender_"

func newCollector(s *Sender) *collector {
	c := &collector{
		s:       s,
		codes:   prometheus.NewDesc(prefix+"api_refusals_total", "Refusals of the Cloud API by error code.", []string{"code"}, nil),
		send:    prometheus.NewDesc(prefix+"send_seconds", "How long calls to the WhatsApp service took.", nil, nil),
		service: map[string]*prometheus.Desc{},
	}
	for name, help := range map[string]string{
		"replicas_ready": "Copies that take requests.", "replicas_starting": "Copies on their way.",
		"replicas_wanted": "Copies that scaling asks for, before the ceiling.", "replicas_max": "The ceiling.",
		"cores": "Cores that are there.", "core_seconds_total": "Core time used.",
		"wasted_core_seconds_total": "Core time used for nothing.", "waiting": "Requests that wait for a core.",
		"memory_bytes": "Memory, by the model.",
	} {
		c.service[name] = prometheus.NewDesc(prefix+name, help, []string{"service"}, nil)
	}
	counter := func(name, help string, read func(*Stats) int64) {
		c.figures = append(c.figures, figure{
			prometheus.NewDesc(prefix+name, help, nil, nil), prometheus.CounterValue,
			func(st *Stats) float64 { return float64(read(st)) },
		})
	}
	gauge := func(name, help string, read func(*Stats) float64) {
		c.figures = append(c.figures, figure{prometheus.NewDesc(prefix+name, help, nil, nil), prometheus.GaugeValue, read})
	}
	counter("front_door_requests_total", "Requests to POST /v1/messages.", func(s *Stats) int64 { return s.Front })
	counter("front_door_answered_total", "Messages taken.", func(s *Stats) int64 { return s.Answered })
	counter("front_door_refused_total", "Messages refused for good.", func(s *Stats) int64 { return s.Refused })
	counter("overloaded_total", "Requests turned away by a full replica, sends included.", func(s *Stats) int64 { return s.Front503 })
	counter("create_attempts_total", "Calls to create a draft.", func(s *Stats) int64 { return s.Creates })
	counter("create_first_total", "Of those, first attempts.", func(s *Stats) int64 { return s.CreateFirst })
	counter("create_timeouts_total", "Creates that timed out.", func(s *Stats) int64 { return s.CreateTimeouts })
	counter("created_total", "Drafts made.", func(s *Stats) int64 { return s.Created })
	counter("replayed_total", "Creates answered with the first result of their key.", func(s *Stats) int64 { return s.Replayed })
	counter("shed_total", "Creates refused because the backlog was full.", func(s *Stats) int64 { return s.Shed })
	counter("send_attempts_total", "Calls to send a draft.", func(s *Stats) int64 { return s.Sends })
	counter("send_first_total", "Of those, first attempts.", func(s *Stats) int64 { return s.SendFirst })
	counter("send_timeouts_total", "Sends that timed out.", func(s *Stats) int64 { return s.SendTimeouts })
	counter("send_overloaded_total", "Sends turned away.", func(s *Stats) int64 { return s.Send503 })
	counter("redelivered_total", "Drafts taken again because their taker never finished.", func(s *Stats) int64 { return s.Redelivered })
	counter("api_attempts_total", "Requests to the Cloud API's messages endpoint.", func(s *Stats) int64 { return s.API })
	counter("api_accepted_total", "Of those, accepted.", func(s *Stats) int64 { return s.APIAccepted })
	counter("api_unknown_total", "Of those, with an unknown outcome.", func(s *Stats) int64 { return s.APIUnknown })
	counter("media_errors_total", "Refusals because of media.", func(s *Stats) int64 { return s.MediaErrors })
	counter("uploads_total", "Media uploads.", func(s *Stats) int64 { return s.Uploads })
	counter("statuses_total", "Status webhooks.", func(s *Stats) int64 { return s.Statuses })
	counter("accepted_total", "Drafts accepted.", func(s *Stats) int64 { return s.Accepted })
	counter("duplicates_total", "Drafts accepted though a draft of the same message had been.", func(s *Stats) int64 { return s.Duplicates })
	counter("expired_total", "Drafts given up because media or validity ran out.", func(s *Stats) int64 { return s.Expired })
	counter("failed_total", "Drafts refused for good.", func(s *Stats) int64 { return s.Failed })
	counter("dead_total", "Drafts put among the dead letters.", func(s *Stats) int64 { return s.Dead })
	counter("given_up_total", "Drafts whose outcome stays unknown.", func(s *Stats) int64 { return s.GivenUp })
	counter("ambiguous_total", "Sends whose outcome was not known.", func(s *Stats) int64 { return s.Held })
	counter("ambiguous_resolved_total", "Of those, resolved by a status in time.", func(s *Stats) int64 { return s.Resolved })
	counter("ambiguous_late_total", "Of those, resolved by a status after the hold.", func(s *Stats) int64 { return s.ResolvedLate })
	counter("statuses_missing_total", "Accepted drafts without any status in time.", func(s *Stats) int64 { return s.Missing })
	counter("journal_lines_skipped_total", "Lines of the journal that could not be read at the start.", func(s *Stats) int64 { return s.Skipped })
	counter("drafts_vanished_total", "Drafts of earlier processes that the queue lost, found at the start.", func(s *Stats) int64 { return s.Vanished })
	counter("illegal_steps_total", "Steps that the state machine of a draft does not allow: a fault of the sender.", func(s *Stats) int64 { return s.Illegal })
	counter("breaker_opened_total", "Times that a number was stopped.", func(s *Stats) int64 { return s.Stopped })
	counter("outages_total", "Times that the API failed whatever it was sent.", func(s *Stats) int64 { return s.Outages })
	gauge("backlog", "Drafts held and not finished.", func(s *Stats) float64 { return float64(s.Backlog) })
	gauge("messages_held", "Messages with a draft that is held and not finished.", func(s *Stats) float64 { return float64(s.MessagesHeld) })
	gauge("messages_expired", "Messages given up because media or validity ran out.", func(s *Stats) float64 { return float64(s.MessagesExpired) })
	gauge("messages_failed", "Messages refused for good, dead or given up.", func(s *Stats) float64 { return float64(s.MessagesFailed) })
	gauge("backlog_waiting", "Of those, waiting for their first attempt.", func(s *Stats) float64 { return float64(s.Ready) })
	gauge("backlog_retrying", "Of those, waiting to be tried again.", func(s *Stats) float64 { return float64(s.Retrying) })
	gauge("backlog_unknown", "Of those, waiting for a status.", func(s *Stats) float64 { return float64(s.Unknown) })
	gauge("backlog_per_replica", "What backlog scaling reads: waiting drafts per ready copy.", func(s *Stats) float64 {
		return float64(s.Ready) / float64(max(s.WhatsApp.Ready, 1))
	})
	gauge("oldest_age_seconds", "Age of the oldest draft held.", func(s *Stats) float64 { return s.OldestAge.Seconds() })
	gauge("oldest_waiting_seconds", "What age scaling reads: age of the oldest draft that was never tried.", func(s *Stats) float64 { return s.OldestWaiting.Seconds() })
	gauge("in_flight", "Calls to the WhatsApp service under way.", func(s *Stats) float64 { return float64(s.InFlight) })
	gauge("in_flight_limit", "How many may be.", func(s *Stats) float64 { return float64(s.Limit) })
	gauge("rate_limit", "Drafts a second that may be taken from the backlog; 0 is no limit.", func(s *Stats) float64 { return s.RateLimit })
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, f := range c.figures {
		out <- f.desc
	}
	for _, d := range c.service {
		out <- d
	}
	out <- c.codes
	out <- c.send
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	st := c.s.stats()
	for _, f := range c.figures {
		out <- prometheus.MustNewConstMetric(f.desc, f.kind, f.read(&st))
	}
	for code, n := range st.APICodes {
		out <- prometheus.MustNewConstMetric(c.codes, prometheus.CounterValue, float64(n), strconv.Itoa(code))
	}
	count, sum, buckets := c.s.drafts.Times()
	out <- prometheus.MustNewConstHistogram(c.send, count, sum.Seconds(), buckets)
	c.collect(out, "whatsapp", st.WhatsApp)
	c.collect(out, "drafts", st.DraftsOf)
}

func (c *collector) collect(out chan<- prometheus.Metric, name string, s Service) {
	send := func(metric string, kind prometheus.ValueType, v float64) {
		out <- prometheus.MustNewConstMetric(c.service[metric], kind, v, name)
	}
	send("replicas_ready", prometheus.GaugeValue, float64(s.Ready))
	send("replicas_starting", prometheus.GaugeValue, float64(s.Starting))
	send("replicas_wanted", prometheus.GaugeValue, float64(s.Wanted))
	send("replicas_max", prometheus.GaugeValue, float64(s.Max))
	send("cores", prometheus.GaugeValue, float64(s.Cores))
	send("core_seconds_total", prometheus.CounterValue, s.Used.Seconds())
	send("wasted_core_seconds_total", prometheus.CounterValue, s.Wasted.Seconds())
	send("waiting", prometheus.GaugeValue, float64(s.Waiting))
	send("memory_bytes", prometheus.GaugeValue, float64(s.Memory))
}
