package fakewa

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// collector tells Prometheus what the summary knows; it costs nothing until it is asked.
type collector struct{ s *Server }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("fakewa_"+name, help, labels, nil)
}

var (
	mRequests  = describe("requests_total", "Requests, by endpoint.", "endpoint")
	mAttempts  = describe("attempts_total", "Sends whose answer left, by Cloud API error code; 0 is success.", "code")
	mAnswers   = describe("answers_total", "Sends whose answer left, by HTTP status; 0 means that no answer left.", "status")
	mAccepted  = describe("accepted_total", "Sends accepted, copies included.")
	mMessages  = describe("messages_total", "Different messages accepted.")
	mCopies    = describe("copies_total", "Sends accepted beyond the first of each message.")
	mWithheld  = describe("withheld_total", "Sends accepted whose client was never told so.")
	mExpired   = describe("expired_total", "Sends refused or failed because media had expired.")
	mStatuses  = describe("statuses_total", "Statuses that took effect.", "status")
	mFaults    = describe("fault_touched_total", "Sends touched, by fault.", "fault")
	mInForce   = describe("faults", "Faults in force.")
	mPosts     = describe("webhook_posts_total", "Webhooks sent, by result.", "result")
	mDropped   = describe("webhook_updates_dropped_total", "Updates never posted: beyond the queue's bound, lost by a fault, or given up.")
	mWaiting   = describe("webhook_updates_waiting", "Updates to be posted or retried.")
	mFetches   = describe("link_fetches_total", "Links fetched.")
	mLate      = describe("answer_lateness_seconds_max", "How much later than decided an answer left, at worst: the fake's own error.")
	mForgotten = describe("ledger_forgotten_total", "Ledger entries whose detail was lost because the disk refused it.")
)

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{mRequests, mAttempts, mAnswers, mAccepted, mMessages, mCopies, mWithheld, mExpired, mStatuses, mFaults, mInForce,
		mPosts, mDropped, mWaiting, mFetches, mLate, mForgotten} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	sum := c.s.Summary()
	counter := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	for endpoint, n := range sum.Calls {
		counter(mRequests, n, endpoint)
	}
	for code, n := range sum.Code {
		counter(mAttempts, n, strconv.Itoa(code))
	}
	for status, n := range sum.HTTP {
		counter(mAnswers, n, strconv.Itoa(status))
	}
	for fault, n := range sum.Fault {
		counter(mFaults, n, fault)
	}
	counter(mAccepted, sum.Accepted)
	counter(mMessages, sum.Messages)
	counter(mCopies, sum.Copies)
	counter(mWithheld, sum.Withheld)
	counter(mExpired, sum.Expired)
	counter(mStatuses, sum.Delivered, "delivered")
	counter(mStatuses, sum.Read, "read")
	counter(mStatuses, sum.Failed, "failed")
	counter(mPosts, sum.Webhooks.OK, "ok")
	counter(mPosts, sum.Webhooks.Failed, "failed")
	counter(mDropped, sum.Webhooks.Dropped+sum.Webhooks.Given)
	counter(mFetches, sum.Fetches)
	counter(mForgotten, sum.Forgotten)
	gauge(mInForce, float64(len(c.s.Faults())))
	gauge(mWaiting, float64(sum.Webhooks.Waiting))
	gauge(mLate, sum.Late.MaxMs/1000)
}
