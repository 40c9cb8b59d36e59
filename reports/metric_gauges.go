package reports

import (
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// fewest is how many first attempts a window needs before its amplification says anything.
const fewest = 10

func counter(names ...string) measureFunc {
	return func(d *Measured, w Window) (float64, bool) { return d.increase(w, names...) }
}

func perMinute(name string) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		n, ok := d.increase(w, name)
		if !ok {
			return 0, false
		}
		return n / w.Length().Minutes(), true
	}
}

func amplification(all, first []string) measureFunc {
	return func(d *Measured, w Window) (float64, bool) { return d.ratio(w, all, first, 1) }
}

func amplificationPeak(d *Measured, w Window) (float64, bool) {
	peak, any := 0.0, false
	for t := w.From; t < w.To; t += recoveryStep {
		span := Window{t, min(t+recoverySpan, w.To)}
		if v, ok := d.ratio(span, attemptCounters, firstCounters, fewest); ok {
			peak, any = max(peak, v), true
		}
	}
	return peak, any
}

func goodputRatio(d *Measured, w Window) (float64, bool) {
	return d.ratio(w, []string{record.GGoodput}, []string{record.GOffered}, 1)
}

func wasted(d *Measured, w Window) (float64, bool) {
	work, ok := d.increase(w, record.GWork)
	waste, ok2 := d.increase(w, record.GWasted)
	if !ok || !ok2 || work <= 0 {
		return 0, false
	}
	return waste / work, true
}

// worstMinute is the steepest rise of counters over a minute of the window, by the minutes of the window's own clock.
func worstMinute(names ...string) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		worst, any := 0.0, false
		for _, s := range w.steps(time.Minute) {
			if n, ok := d.increase(s, names...); ok && s.Length() >= 10*time.Second {
				worst, any = max(worst, n/s.Length().Minutes()), true
			}
		}
		return worst, any
	}
}

func timeoutsDrop(d *Measured, w Window) (float64, bool) {
	before, ok1 := worstMinute(timeoutCounters...)(d, Window{max(0, w.From-time.Hour), w.From})
	last := Window{max(w.From, w.To-5*time.Minute), w.To}
	after, ok2 := d.increase(last, timeoutCounters...)
	if !ok1 || !ok2 || before <= 0 {
		return 0, false
	}
	return 1 - after/last.Length().Minutes()/before, true
}

func gaugeMax(name string) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		_, v := d.readings(name, w)
		if len(v) == 0 {
			return 0, false
		}
		top := v[0]
		for _, x := range v {
			top = max(top, x)
		}
		return top, true
	}
}

func gaugeLast(name string) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		_, v := d.readings(name, w)
		if len(v) == 0 {
			return 0, false
		}
		return v[len(v)-1], true
	}
}

// gaugeGain is the highest value in the window above the first one.
func gaugeGain(name string) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		top, ok := gaugeMax(name)(d, w)
		if !ok {
			return 0, false
		}
		_, v := d.readings(name, w)
		return top - v[0], true
	}
}

// replicaHours adds up ready replicas over the window, each reading holding until the next.
func replicaHours(d *Measured, w Window) (float64, bool) {
	at, v := d.readings(record.GReplicasReady, w)
	sum := 0.0
	for i := range at {
		to := w.To
		if i+1 < len(at) {
			to = at[i+1]
		}
		sum += v[i] * (to - at[i]).Hours()
	}
	return sum, len(at) > 0
}

// behindStretches calls yield for each time between two readings in which more replicas were wanted than ready.
func behindStretches(d *Measured, w Window, yield func(from, to time.Duration)) bool {
	at, ready := d.readings(record.GReplicasReady, w)
	at2, want := d.readings(record.GReplicasWant, w)
	if len(at) == 0 || len(at) != len(at2) {
		return false
	}
	for i := range at {
		if want[i] > ready[i] {
			to := w.To
			if i+1 < len(at) {
				to = at[i+1]
			}
			yield(at[i], to)
		}
	}
	return true
}

func behind(d *Measured, w Window) (float64, bool) {
	var sum time.Duration
	ok := behindStretches(d, w, func(from, to time.Duration) { sum += to - from })
	return sum.Seconds(), ok
}

func behindLongest(d *Measured, w Window) (float64, bool) {
	var longest, start, end time.Duration
	ok := behindStretches(d, w, func(from, to time.Duration) {
		if from != end {
			start = from
		}
		end = to
		longest = max(longest, end-start)
	})
	return longest.Seconds(), ok
}

func resourceMetrics(service, cpu, memory string) []MetricDef {
	return []MetricDef{
		{service + ".cpu.max", Cores, "lower", Exact, "most cores of the service busy at a time, averaged between two readings", false, gaugeMax(cpu)},
		{service + ".memory.max", Bytes, "lower", Exact, "most memory the service held at a time", false, gaugeMax(memory)},
		{service + ".cpu.spike", Times, "lower", Exact, service + ".cpu.max in the window ÷ mean of the first phase", false, againstCalm(cpu)},
		{service + ".memory.spike", Times, "lower", Exact, service + ".memory.max in the window ÷ mean of the first phase", false, againstCalm(memory)},
	}
}

func againstCalm(name string) measureFunc {
	return func(d *Measured, w Window) (float64, bool) {
		top, ok := gaugeMax(name)(d, w)
		calm, ok2 := d.calm()
		_, v := d.readings(name, calm)
		if !ok || !ok2 || len(v) == 0 || mean(v) <= 0 {
			return 0, false
		}
		return top / mean(v), true
	}
}

func recoveryMetrics() []MetricDef {
	since := func(from, to func(recovery) time.Duration) measureFunc {
		return func(d *Measured, _ Window) (float64, bool) {
			r := d.recovery
			if !r.known || to(r) == record.Never {
				return 0, false
			}
			return max(0, to(r)-from(r)).Seconds(), true
		}
	}
	trouble := func(r recovery) time.Duration { return r.trouble }
	surgeEnd := func(r recovery) time.Duration { return r.surgeEnd }
	recovered := func(r recovery) time.Duration { return r.recovered }
	drained := func(r recovery) time.Duration { return r.drained }
	flag := func(is func(recovery) (bool, bool)) measureFunc {
		return func(d *Measured, _ Window) (float64, bool) {
			v, ok := is(d.recovery)
			if v {
				return 1, ok
			}
			return 0, ok
		}
	}
	return []MetricDef{
		{"recovery.detect", Seconds, "lower", Timing, "from the start of the trouble (load above 1.1 times its calm rate, or a fault) to the first timeout or refusal a caller saw, by the minute", true,
			since(trouble, func(r recovery) time.Duration { return r.detected })},
		{"recovery.stabilise", Seconds, "lower", Timing, "from the start of the trouble to the peak of the backlog", true,
			since(trouble, func(r recovery) time.Duration { return r.stabilised })},
		{"recovery.time", Seconds, "lower", Timing, "from the end of the trouble to the first minute from which every five minutes until the end of the load are healthy: " +
			"goodput at least 95% of offered, amplification at most 1.1, timeouts at most 1% of first attempts, and the median wait for delivery at most twice the median of the calm and 10s more. No data when that never comes", true, since(surgeEnd, recovered)},
		{"recovery.drain", Seconds, "lower", Timing, "from the end of the trouble until the backlog is back at its highest calm level, or at 1% of its peak. No data when that never comes", true, since(surgeEnd, drained)},
		{"recovery.recovered", Truth, "higher", Exact, "whether recovery.time has a value. No data when less than five minutes of load followed the trouble", true,
			flag(func(r recovery) (bool, bool) { return r.recovered != record.Never, r.known && r.served })},
		{"recovery.drained", Truth, "higher", Exact, "whether recovery.drain has a value. No data when the backlog is not known", true,
			flag(func(r recovery) (bool, bool) { return r.drained != record.Never, r.known && r.held })},
		{"recovery.metastable", Truth, "lower", Exact, "the load had been back at its calm rate for an hour or more when it ended, the backlog had not drained or callers were never well served again, and over the last half hour of the load " +
			"amplification was above 1.5, goodput below 95% of offered, or timeouts above 1% of first attempts. No data when the load was not back for an hour", true,
			flag(func(r recovery) (bool, bool) { return r.metastable, r.known && r.judged })},
	}
}
