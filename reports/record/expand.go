package record

import (
	"strings"
	"time"
)

// Squeeze returns how many seconds of the scenario passed in one second of the record: Info.Compress, 1 for none.
func (i Info) Squeeze() float64 { return max(1, i.Compress) }

// InScenarioTime returns the run with every instant, duration and rate as the scenario writes them. A run whose time was
// squeezed records what the clock said; thresholds and reports speak of scenario time. How late the harness was stays in
// real time, for it is about the machine.
func (r *Run) InScenarioTime() *Run {
	n := r.Info.Squeeze()
	if n == 1 {
		return r
	}
	out := *r
	out.Info.Virtual, out.Info.Duration = stretch(r.Info.Virtual, n), stretch(r.Info.Duration, n)
	out.Info.Phases = make([]Phase, len(r.Info.Phases))
	for i, p := range r.Info.Phases {
		out.Info.Phases[i] = Phase{Name: p.Name, From: stretch(p.From, n), To: stretch(p.To, n)}
	}
	out.Info.Plan = stretchEvents(r.Info.Plan, n)
	out.Events = stretchEvents(r.Events, n)
	out.Gauges = make([]Gauge, len(r.Gauges))
	for i, g := range r.Gauges {
		out.Gauges[i] = g.stretch(n)
	}
	out.Messages = make([]Message, len(r.Messages))
	for i, m := range r.Messages {
		for _, t := range []*time.Duration{&m.Scheduled, &m.Sent, &m.Answered, &m.Accepted, &m.Delivered} {
			if *t != Never {
				*t = stretch(*t, n)
			}
		}
		m.Slack = stretch(m.Slack, n)
		out.Messages[i] = m
	}
	return &out
}

// InScenarioTime returns the attempt with its instants stretched by n.
func (a Attempt) InScenarioTime(n float64) Attempt {
	a.At, a.Done = stretch(a.At, n), stretch(a.Done, n)
	return a
}

func stretch(d time.Duration, n float64) time.Duration {
	if n == 1 {
		return d
	}
	return time.Duration(float64(d) * n)
}

func stretchEvents(es []Event, n float64) []Event {
	out := make([]Event, len(es))
	for i, e := range es {
		e.At, e.Until = stretch(e.At, n), stretch(e.Until, n)
		out[i] = e
	}
	return out
}

// stretch scales gauges of seconds up and of rates down; counts, cores and bytes stay.
func (g Gauge) stretch(n float64) Gauge {
	out := Gauge{At: stretch(g.At, n), Values: make(map[string]float64, len(g.Values))}
	for name, v := range g.Values {
		switch {
		case name == GLateness:
		case strings.HasSuffix(name, "_s"), strings.HasSuffix(name, "_s_total"):
			v *= n
		case name == GOfferedRate, name == GRateLimit:
			v /= n
		}
		out.Values[name] = v
	}
	return out
}
