package reports

import (
	"math"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// What counts as recovered. Every report prints these definitions beside its figures.
const (
	backToCalm      = 1.1  // load is back when it is at most this many times the calm rate
	healthyGoodput  = 0.95 // of what is offered
	healthyTries    = 1.1  // attempts for each first attempt
	healthyTimeouts = 0.01 // of first attempts
	waitTimes       = 2    // median wait for delivery, in medians of the calm, and waitMore on top
	waitMore        = 10 * time.Second
	calmMessages    = 20               // fewer messages due before the trouble say nothing of the calm
	stuckTries      = 1.5              // amplification of a system that cannot get out
	stuckFor        = time.Hour        // how long the load must have been back before a system is called metastable
	stuckWindow     = 30 * time.Minute // the end of the load, over which that is judged
	recoveryStep    = time.Minute
	recoverySpan    = 5 * time.Minute
)

// recovery is how the run came out of its trouble: a surge of load, or a fault.
type recovery struct {
	known       bool          // there was trouble to recover from
	trouble     time.Duration // the load left its calm rate, or the first fault began
	surgeEnd    time.Duration // the load was back, and the last fault over
	detected    time.Duration // the first timeout or refusal a caller saw; record.Never for none
	stabilised  time.Duration // the backlog's peak
	recovered   time.Duration // healthy from here to the end of the load; record.Never
	drained     time.Duration // the backlog was back at its calm level; record.Never
	served      bool          // enough load followed the trouble to tell whether it was served: without it recovered says nothing
	held        bool          // the backlog was read after the trouble: without it drained says nothing
	metastable  bool
	judged      bool // the load was back long enough to tell whether it is metastable
	calmBacklog float64
}

var timeoutCounters = []string{record.GFrontTimeouts, record.GSendTimeouts}

var refusalCounters = []string{record.GFrontTimeouts, record.GSendTimeouts, record.GCreateTimeouts, record.GFront503, record.GSend503}

var firstCounters = []string{record.GFrontDoorFirst, record.GCreateFirst, record.GSendFirst}

var attemptCounters = []string{record.GFrontDoor, record.GCreate, record.GSend}

func findRecovery(d *Measured) recovery {
	r := recovery{detected: record.Never, stabilised: record.Never, recovered: record.Never, drained: record.Never}
	r.trouble, r.surgeEnd, r.known = trouble(d)
	if !r.known || len(d.at) == 0 {
		return r
	}
	after := Window{r.trouble, d.end}
	for _, s := range after.steps(recoveryStep) {
		if n, ok := d.increase(s, refusalCounters...); ok && n >= 1 {
			r.detected = s.To
			break
		}
	}
	r.calmBacklog = d.calmBacklog(r.trouble)
	peak := r.calmBacklog
	at, backlog := d.readings(record.GBacklog, after)
	for i, v := range backlog {
		if v > peak {
			peak, r.stabilised = v, at[i]
		}
	}
	r.drained, r.held = d.drained(r, peak)
	r.recovered, r.served = d.recovered(r.trouble, r.surgeEnd)
	r.metastable, r.judged = d.metastable(r)
	return r
}

// trouble finds the stretch from the first departure of the planned load from its calm rate (or the first fault) to
// the last return to it (or the end of the last fault).
func trouble(d *Measured) (from, to time.Duration, ok bool) {
	from = math.MaxInt64
	see := func(a, b time.Duration) {
		if b > a {
			from, to, ok = min(from, a), max(to, b), true
		}
	}
	if d.scenario != nil {
		see(surge(d.scenario.Load.Phases))
		if d.scenario.Load.Trace != "" {
			see(tracedSurge(d.scheduled(), d.loadEnd))
		}
		for _, s := range d.scenario.Timeline {
			if s.Fault != nil || s.Kill != "" || s.Pause != "" || s.Partition != "" || s.Restart != "" {
				end := s.At + s.For
				if s.For == 0 {
					end = s.At + recoveryStep
					if s.Fault != nil {
						end = d.loadEnd
					}
				}
				see(s.At, min(end, d.end))
			}
		}
		if !ok { // a change that an operator made may be the trouble itself; beside another trouble it is more likely the cure
			for _, s := range d.scenario.Timeline {
				if len(s.Set) > 0 || len(s.Scale) > 0 {
					see(s.At, min(s.At+recoveryStep, d.end))
				}
			}
		}
	}
	return from, min(to, d.end), ok && from < d.end
}

// calmBacklog is the highest backlog before the trouble, at least as many messages as arrive in ten seconds.
func (d *Measured) calmBacklog(until time.Duration) float64 {
	w := Window{0, until}
	_, v := d.readings(record.GBacklog, w)
	level := 1.0
	for _, b := range v {
		level = max(level, b)
	}
	if n, ok := d.increase(w, record.GOffered); ok {
		level = max(level, n/w.Length().Seconds()*10)
	}
	return level
}

// drained finds when the backlog was back at its calm level; known is false when it was not read after the trouble.
func (d *Measured) drained(r recovery, peak float64) (at time.Duration, known bool) {
	instants, v := d.readings(record.GBacklog, Window{r.surgeEnd, d.end})
	for i := range instants {
		if instants[i] >= r.stabilised && v[i] <= max(r.calmBacklog, peak/100) {
			return instants[i], true
		}
	}
	return record.Never, len(v) > 0
}

// patience is the longest median wait for delivery that still counts as healthy, by what was usual before the trouble; 0
// when too little was due then.
func (d *Measured) patience(trouble time.Duration) time.Duration {
	wait, n := d.medianWait(Window{0, trouble})
	if n < calmMessages || wait == forever {
		return 0
	}
	return waitTimes*wait + waitMore
}

// medianWait is the median wait for delivery of the messages due in a window, forever when half of them were not
// delivered, and how many were due.
func (d *Measured) medianWait(w Window) (time.Duration, int) {
	waits := d.waits(w)
	return Percentile(waits, 0.5), len(waits)
}

// healthy reports whether callers were served in a window, and what was due in it arrived as soon as it used to (patience;
// 0 for not known); known is false when nothing was offered in it. Goodput alone says nothing while a backlog drains.
func (d *Measured) healthy(w Window, patience time.Duration) (ok, known bool) {
	goodput, known := d.ratio(w, []string{record.GGoodput}, []string{record.GOffered}, 1)
	if !known {
		return false, false
	}
	if wait, n := d.medianWait(w); patience > 0 && n > 0 && wait > patience {
		return false, true
	}
	tries, triesKnown := d.ratio(w, attemptCounters, firstCounters, 1)
	timeouts, timeoutsKnown := d.ratio(w, timeoutCounters, firstCounters, 1)
	return goodput >= healthyGoodput && (!triesKnown || tries <= healthyTries) && (!timeoutsKnown || timeouts <= healthyTimeouts), true
}

// recovered finds the earliest minute from which every five minutes to the end of the load are healthy; judged is false
// when less than five minutes of load followed the trouble.
func (d *Measured) recovered(trouble, surgeEnd time.Duration) (found time.Duration, judged bool) {
	patience := d.patience(trouble)
	found = record.Never
	last := min(d.loadEnd, d.end) - recoverySpan
	if last < surgeEnd {
		return found, false
	}
	for t := last; t >= surgeEnd; t -= recoveryStep {
		ok, known := d.healthy(Window{t, t + recoverySpan}, patience)
		judged = judged || known
		if known && !ok {
			return found, true
		}
		if known {
			found = t
		}
	}
	if found != record.Never && found-surgeEnd < recoveryStep {
		return surgeEnd, true
	}
	return found, judged
}

// metastable reports whether the load had been back for an hour or more when it ended, and the system had still not
// come back: not drained, or never healthy again, and over the last half hour, 1.5 attempts or more for each first one, less than
// 95 % goodput, or timeouts.
func (d *Measured) metastable(r recovery) (is, judged bool) {
	end := min(d.loadEnd, d.end)
	if end-r.surgeEnd < stuckFor {
		return false, false
	}
	if r.recovered != record.Never && r.drained != record.Never && r.drained <= end { // a backlog may be empty because nobody is served
		return false, true
	}
	w := Window{end - stuckWindow, end}
	goodput, ok := d.ratio(w, []string{record.GGoodput}, []string{record.GOffered}, 1)
	if !ok {
		return false, false
	}
	tries, _ := d.ratio(w, attemptCounters, firstCounters, 1)
	timeouts, _ := d.ratio(w, timeoutCounters, firstCounters, 1)
	return goodput < healthyGoodput || tries > stuckTries || timeouts > healthyTimeouts, true
}
