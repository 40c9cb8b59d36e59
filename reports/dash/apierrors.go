package dash

import (
	"math"
	"sort"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// ErrorRow is one way in which attempts failed.
type ErrorRow struct {
	Code  string // Cloud API code, or a word for what never got an answer
	Name  string
	Class string  // retryable, terminal, unknown outcome
	Total float64 // so far
	Rate  float64 // a second, over the last minute; NaN when that is not known
}

// Classes of errors. Work whose outcome is unknown may have been done, so trying again may do it twice.
const (
	retryable = "retryable"
	terminal  = "terminal"
	ambiguous = "unknown outcome"
)

// apiErrors names the Cloud API's codes that a sender meets.
func apiErrors() map[string][2]string {
	return map[string][2]string{
		"1":      {"API unknown", retryable},
		"2":      {"API service", retryable},
		"4":      {"app rate limit", retryable},
		"100":    {"invalid parameter", terminal},
		"190":    {"access token", terminal},
		"368":    {"policy block", terminal},
		"80007":  {"account rate limit", retryable},
		"130429": {"throttle", retryable},
		"130472": {"experiment", terminal},
		"130497": {"country", terminal},
		"131000": {"something went wrong", retryable},
		"131008": {"parameter missing", terminal},
		"131009": {"parameter value", terminal},
		"131016": {"service unavailable", retryable},
		"131021": {"recipient is sender", terminal},
		"131026": {"undeliverable", terminal},
		"131031": {"account locked", terminal},
		"131047": {"24 h window closed", terminal},
		"131048": {"spam rate limit", retryable},
		"131049": {"marketing cap", terminal},
		"131050": {"opted out", terminal},
		"131051": {"message type", terminal},
		"131052": {"media download", terminal},
		"131053": {"media upload", terminal},
		"131056": {"pair limit", retryable},
		"131057": {"maintenance", retryable},
		"132000": {"template parameters", terminal},
		"132001": {"template missing", terminal},
		"132015": {"template paused", terminal},
		"132016": {"template disabled", terminal},
		"133004": {"server unavailable", retryable},
		"133016": {"register limit", retryable},
	}
}

// callerErrors are failures that our own callers counted.
func callerErrors() []struct{ gauge, code, name, class string } {
	return []struct{ gauge, code, name, class string }{
		{record.GFrontTimeouts, "timeout", "front door", ambiguous},
		{record.GCreateTimeouts, "timeout", "create draft", ambiguous},
		{record.GSendTimeouts, "timeout", "send", ambiguous},
		{record.GFront503, "503", "front door busy", retryable},
		{record.GSend503, "503", "send busy", retryable},
		{record.GMediaErrors, "media", "expired", terminal},
		{record.GUnsent, "unsent", "harness too slow", terminal},
	}
}

// errors lists what failed up to a slot, the most frequent of the last minute first.
func (h *History) errors(i int) []ErrorRow {
	if i < 0 {
		return nil
	}
	t := h.table
	var rows []ErrorRow
	add := func(gauge string, r ErrorRow) {
		r.Total = t.value(gauge, i, 10*time.Minute)
		if !(r.Total > 0) {
			return
		}
		if by, over := t.gain(gauge, i, rateSpan); over > 0 {
			r.Rate = by / over.Seconds()
		} else {
			r.Rate = math.NaN()
		}
		rows = append(rows, r)
	}
	known := apiErrors()
	for name := range t.cols {
		m := apiError.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		r := ErrorRow{Code: m[1], Name: "API error", Class: terminal}
		if k, ok := known[m[1]]; ok {
			r.Name, r.Class = k[0], k[1]
		} else if len(m[1]) == 3 && strings.HasPrefix(m[1], "5") {
			r.Class = retryable
		}
		add(name, r)
	}
	for _, c := range callerErrors() {
		add(c.gauge, ErrorRow{Code: c.code, Name: c.name, Class: c.class})
	}
	sort.Slice(rows, func(a, b int) bool {
		x, y := rows[a], rows[b]
		if rx, ry := zero(x.Rate), zero(y.Rate); rx != ry {
			return rx > ry
		}
		if x.Total != y.Total {
			return x.Total > y.Total
		}
		if x.Code != y.Code {
			return x.Code < y.Code
		}
		return x.Name < y.Name
	})
	return rows
}

// zero is v, or 0 for what is not a number.
func zero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}
