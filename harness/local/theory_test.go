//go:build !race

// Laws count what the simulation does and look for no races; with the detector they would take minutes.

package local_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// bare is a sender without anything that a law of queueing does not know: instant calls, no limits, one replica of the
// WhatsApp service whose cores are the servers.
const bare = `schema: aftershock/scenario/v1
name: law
load: {arrivals: poisson, phases: [{name: s, for: 1m, rate: 1/s}]}
drain: 10m
messages: {recipients: 100000}
client: {timeout: 1000s, retries: 0, backoff: 1s, idempotency_key: false}
whatsapp:
  latency: 0s
  limits: {throughput: 100000/s, pair: {every: 1ms, burst: 100000}}
  webhook: {batch: 1, linger: 0s}
sender:
  preset: incident
  drafts: {rate_limit: 100000/s, burst: 1000, replicas: {count: 1, cores: 100, queue: 0}, work: {create: 0s, dispatch: 0s, status: 0s}, send: {timeout: 1000s, attempts: 1, backoff: 1s, exhausted: dead}}
  whatsapp:
    replicas: {min: 1, max: 1, cores: 1, queue: 0}
    scaling: {signal: none}
    work: {accept: 0s, answer: 0s, send: 0s, status: 0s}
    create: {timeout: 60s, retries: 0}
    api: {timeout: 1000s}
`

// law runs the bare sender with some settings.
func law(t *testing.T, seed int64, set map[string]string) *record.Run {
	t.Helper()
	s, err := scenarios.Read("law.yaml", []byte(bare), scenarios.Options{Seed: &seed, Set: set, Blocks: local.Blocks()})
	if err != nil {
		t.Fatal(err)
	}
	return replay(t, local.Options{Scenario: s})
}

// sojourn is the mean time from scheduled to answered, in seconds, of the messages that were due after warm.
func sojourn(run *record.Run, warm time.Duration) float64 {
	var sum, n float64
	for _, m := range run.Messages {
		if m.Scheduled >= warm && m.Answered != record.Never {
			sum, n = sum+(m.Answered-m.Scheduled).Seconds(), n+1
		}
	}
	return sum / n
}

// interval is the mean of some runs and how far from it the truth may be, at 99.9 %: Student's t.
func interval(values []float64) (mean, half float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		half += (v - mean) * (v - mean) / float64(len(values)-1)
	}
	t999 := map[int]float64{3: 31.6, 4: 12.92, 5: 8.61, 6: 6.87, 8: 5.41, 10: 4.78}[len(values)]
	return mean, t999 * math.Sqrt(half/float64(len(values)))
}

// near demands that theory lies within the confidence interval of the runs, and that the interval says something: it is
// at most a share of theory wide on each side.
func near(t *testing.T, what string, theory float64, values []float64, most float64) {
	t.Helper()
	mean, half := interval(values)
	t.Logf("%s: theory %.4g, measured %.4g ± %.2g", what, theory, mean, half)
	if math.Abs(mean-theory) > half {
		t.Errorf("%s: theory %.5g, measured %.5g ± %.2g", what, theory, mean, half)
	}
	if half > most*theory {
		t.Errorf("%s: ± %.2g of %.4g tells nothing", what, half, theory)
	}
}

// erlangC is the probability that somebody who comes has to wait for one of c servers under a load of a.
func erlangC(c int, a float64) float64 {
	term, sum := 1.0, 0.0
	for k := range c {
		if k > 0 {
			term *= a / float64(k)
		}
		sum += term
	}
	last := term * a / float64(c) / (1 - a/float64(c))
	return last / (sum + last)
}

// lossOf is the share that an M/M/c/K system turns away.
func lossOf(c, k int, a float64) float64 {
	term, sum := 1.0, 0.0
	for n := 0; n <= k; n++ {
		if n > 0 {
			term *= a / float64(min(n, c))
		}
		sum += term
	}
	return term / sum
}

// TestWaitingTimes: mean times in the system are those that queueing theory has closed forms for.
func TestWaitingTimes(t *testing.T) {
	for _, c := range []struct {
		name, accept, rate, length string
		cores                      int
		theory                     float64
	}{
		{"M/M/1, rho .7", "exponential(mean=100ms)", "7/s", "12m", 1, 1 / (10 - 7.0)},
		{"M/M/4, rho .8", "exponential(mean=400ms)", "8/s", "12m", 4, .4 + erlangC(4, 3.2)/(4*2.5-8)},
		{"M/D/1, 100 ms", "100ms", "8/s", "10m", 1, .1 + .8*.1/(2*.2)},
		{"M/D/1, 10 ms", "10ms", "80/s", "1m", 1, .01 + .8*.01/(2*.2)},
		{"M/D/1, 5 ms", "5ms", "160/s", "30s", 1, .005 + .8*.005/(2*.2)},
		// Pollaczek-Khinchine: W = S + rho S (1 + cv²) / 2(1 - rho), and a uniform distribution from 0 has cv² = 1/3.
		{"M/G/1, uniform", "uniform(0s, 200ms)", "8/s", "10m", 1, .1 + .8*.1*(1+1.0/3)/(2*.2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var means []float64
			for seed := range int64(6) {
				run := law(t, seed+1, map[string]string{
					"load.phases.s.for": c.length, "load.phases.s.rate": c.rate, "sender.whatsapp.work.accept": c.accept,
					"sender.whatsapp.replicas.cores": fmt.Sprint(c.cores),
				})
				means = append(means, sojourn(run, 20*time.Duration(c.theory*float64(time.Second))))
			}
			near(t, "seconds in the system", c.theory, means, .45)
		})
	}
}

// TestLoss: the share of messages that find every place taken is Erlang's.
func TestLoss(t *testing.T) {
	for _, c := range []struct {
		name  string
		cores int
		mean  string
		queue int
		rate  string
		load  float64
	}{
		{"M/M/1/5", 1, "exponential(mean=90ms)", 4, "10/s", .9},
		{"M/M/2/10", 2, "exponential(mean=250ms)", 8, "10/s", 2.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			var shares []float64
			for seed := range int64(6) {
				run := law(t, seed+1, map[string]string{
					"load.phases.s.for": "8m", "load.phases.s.rate": c.rate, "sender.whatsapp.work.accept": c.mean,
					"sender.whatsapp.replicas.cores": fmt.Sprint(c.cores), "sender.whatsapp.replicas.queue": fmt.Sprint(c.queue),
				})
				shares = append(shares, float64(outcomes(run)[record.Shed])/float64(len(run.Messages)))
			}
			near(t, "share turned away", lossOf(c.cores, c.cores+c.queue, c.load), shares, .35)
		})
	}
}

// TestSaturation: a core that is never without work does exactly as much as its work takes, however short that is.
func TestSaturation(t *testing.T) {
	for work, offered := range map[time.Duration]string{
		200 * time.Microsecond: "7500/s", time.Millisecond: "1600/s", 2200 * time.Microsecond: "700/s", 5 * time.Millisecond: "300/s",
		20 * time.Millisecond: "80/s", 100 * time.Millisecond: "16/s",
	} {
		t.Run(work.String(), func(t *testing.T) {
			length := 600 * work // 900 messages or so: what is served meanwhile is known to a piece of work
			if work < time.Millisecond {
				length = 4000 * work
			}
			run := law(t, 1, map[string]string{
				"load.phases.s.for": length.String(), "load.phases.s.rate": offered, "load.arrivals": "even",
				"sender.whatsapp.work.accept": work.String(), "sender.whatsapp.replicas.queue": "20",
			})
			var served []time.Duration
			for _, m := range run.Messages {
				if m.Status == 202 {
					served = append(served, m.Answered)
				}
			}
			slices.Sort(served)
			from, to := served[len(served)/5], served[len(served)*9/10]
			pieces := float64(len(served)*9/10 - len(served)/5)
			took := (to - from).Seconds()
			if off := took/(pieces*work.Seconds()) - 1; math.Abs(off) > .005+float64(instant.Grid.Seconds())/took {
				t.Errorf("%v pieces of work took %.4f s, %+.2f %% off", pieces, took, 100*off)
			}
			if len(served) == len(run.Messages) {
				t.Error("the core was never full")
			}
		})
	}
}

// TestRetries: attempts and copies follow the number of tries and the share that fails.
func TestRetries(t *testing.T) {
	const n = 4
	p := .3
	geometric := (1 - math.Pow(p, n)) / (1 - p) // attempts a message
	for _, c := range []struct {
		name, fault string
		theory      float64
		of          func(run *record.Run) float64
	}{
		{"attempts", "{kind: error, code: 131000, share: 30%}", geometric, func(run *record.Run) float64 {
			return mean(run, func(m record.Message) float64 { return float64(m.API) })
		}},
		{"copies", "{kind: reply-lost, share: 30%}", geometric - 1, func(run *record.Run) float64 {
			return mean(run, func(m record.Message) float64 { return float64(m.Copies - 1) })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var values []float64
			for seed := range int64(6) {
				values = append(values, c.of(law(t, seed+1, map[string]string{
					"load.phases.s.for": "5m", "load.phases.s.rate": "10/s", "sender.drafts.send.attempts": fmt.Sprint(n),
					"sender.drafts.send.timeout": "5s", "sender.drafts.send.backoff": "100ms", "sender.whatsapp.api.timeout": "1s",
					"timeline": "[{at: 0s, for: 20m, fault: " + c.fault + "}]",
				})))
			}
			near(t, c.name+" a message", c.theory, values, .1)
		})
	}
}

func mean(run *record.Run, of func(record.Message) float64) (sum float64) {
	for _, m := range run.Messages {
		sum += of(m)
	}
	return sum / float64(len(run.Messages))
}

// TestPaces: limits let through what they say. 600 messages a minute into a limit of 400 drain when the excess has gone
// out; a burst goes at once; a recipient gets 45 messages and then one in six seconds.
func TestPaces(t *testing.T) {
	last := func(run *record.Run) time.Duration {
		var at time.Duration
		for _, m := range run.Messages {
			at = max(at, m.Accepted)
		}
		return at
	}
	t.Run("overload", func(t *testing.T) {
		run := law(t, 1, map[string]string{
			"load.phases.s.for": "10m", "load.phases.s.rate": "600/min", "load.arrivals": "even", "drain": "1h",
			"sender.drafts.rate_limit": "400/min", "sender.drafts.burst": "1",
		})
		if want, got := time.Duration(len(run.Messages))*150*time.Millisecond, last(run); math.Abs((got - want).Seconds()) > 1 {
			t.Errorf("drained after %v, want %v", got, want)
		}
	})
	t.Run("burst", func(t *testing.T) {
		run := law(t, 1, map[string]string{
			"load.phases.s.for": "1s", "load.phases.s.rate": "1000/s", "load.arrivals": "even",
			"sender.drafts.rate_limit": "10/s", "sender.drafts.burst": "100",
		})
		if want, got := float64(len(run.Messages)-100)/10, last(run).Seconds(); math.Abs(got-want) > .5 {
			t.Errorf("the last went after %.2f s, want %.2f", got, want)
		}
	})
	t.Run("pair", func(t *testing.T) {
		run := law(t, 1, map[string]string{
			"load.phases.s.for": "10m", "load.phases.s.rate": "1/s", "load.arrivals": "even", "messages.recipients": "1",
			"whatsapp.limits.pair.every": "6s", "whatsapp.limits.pair.burst": "45",
		})
		if want, got := 45+600.0/6, float64(len(run.Messages)-outcomes(run)[record.Failed]); math.Abs(got-want) > 1.5 {
			t.Errorf("%v of %d messages to one recipient went, want %v: %v", got, len(run.Messages), want, outcomes(run))
		}
	})
}

// TestScaling: the HPA rule asks for the load divided by the target.
func TestScaling(t *testing.T) {
	run := law(t, 1, map[string]string{
		"load.phases.s.for": "20m", "load.phases.s.rate": "40.3/s", "load.arrivals": "even", "sender.whatsapp.work.accept": "100ms",
		"sender.whatsapp.replicas.max": "20", "sender.whatsapp.replicas.start": "1s", "sender.whatsapp.scaling.signal": "cpu",
		"sender.whatsapp.scaling.target": "70%",
	})
	for _, g := range run.Gauges {
		if g.At > 15*time.Minute && g.At < 19*time.Minute && g.Values[record.GReplicasReady] != 6 {
			t.Fatalf("%v replicas at %v for 4.03 cores of work at a target of 0.7, want 6", g.Values[record.GReplicasReady], g.At)
		}
	}
}
