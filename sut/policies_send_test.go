package sut

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
)

// plain are settings under which nothing costs time but the API, and nothing waits for a number or a pair.
const plain = "simulate=false; drafts.number.rate=0/s; drafts.pair.every=0s; "

// policyRows lists the policies, in the order of docs/policies.md.
func policyRows() (rows []policyRow) {
	for _, part := range [][]policyRow{
		paceRows(), createRows(), retryRows(), gateRows(), orderRows(), guardRows(), mediaRows(), holdRows(), scaleRows(), drainRows(),
	} {
		rows = append(rows, part...)
	}
	return rows
}

func paceRows() []policyRow {
	after := func(d time.Duration, n int) func(w *world) any {
		return func(w *world) any {
			w.posts(n)
			settle(d)
			return w.total()
		}
	}
	third := func(look func(status int, h http.Header) any) func(w *world) any {
		return func(w *world) any {
			var out any
			for i := range 3 {
				status, _, h := w.call("POST", "/v1/messages", text(fmt.Sprint("m00", i)))
				out = look(status, h)
				settle(time.Second)
			}
			return out
		}
	}
	return []policyRow{
		{
			name: "rate limit", keys: "drafts.rate_limit", base: plain + "drafts.rate_limit=1/s; drafts.burst=1", without: "drafts.rate_limit=0/s",
			do: after(5500*time.Millisecond, 15), with: 6, off: 15,
		}, {
			name: "burst", keys: "drafts.burst", base: plain + "drafts.rate_limit=1/s; drafts.burst=10", without: "drafts.burst=1",
			do: after(500*time.Millisecond, 15), with: 10, off: 1,
		}, {
			name: "retry after of a full backlog", keys: "drafts.backlog.retry_after", base: plain + "drafts.backlog.max=1; drafts.rate_limit=1/min; drafts.burst=1",
			without: "drafts.backlog.retry_after=0s", do: third(func(_ int, h http.Header) any { return h.Get("Retry-After") }), with: "30", off: "",
		}, {
			name: "bounded backlog", keys: "drafts.backlog.max", base: plain + "drafts.backlog.max=1; drafts.rate_limit=1/min; drafts.burst=1",
			without: "drafts.backlog.max=0", do: third(func(status int, _ http.Header) any { return status }), with: 429, off: 202,
		}, {
			name: "a tenant's share", keys: "drafts.backlog.per_tenant", base: plain + "drafts.backlog.max=10; drafts.backlog.per_tenant=20%; drafts.rate_limit=1/min; drafts.burst=1",
			without: "drafts.backlog.per_tenant=0%", with: 429, off: 202,
			do: func(w *world) any {
				status := 0
				for i := range 5 {
					status, _, _ = w.call("POST", "/v1/messages", strings.TrimSuffix(text(fmt.Sprint("m00", i)), "}")+`,"tenant":"big"}`)
					settle(time.Second)
				}
				return status
			},
		},
	}
}

func createRows() []policyRow {
	twice := func(between time.Duration) func(w *world) any {
		return func(w *world) any {
			for range 2 {
				w.call("POST", "/v1/messages", text("m001"), "Idempotency-Key", "k")
				settle(between)
			}
			settle(time.Minute)
			return w.count("m001")
		}
	}
	failing := func(n int64, look func(status int, took time.Duration) any) func(w *world) any {
		return func(w *world) any {
			w.refuses("drafts", "/v1/drafts", func(i int64) bool { return i <= n })
			began := time.Now()
			status, _, _ := w.call("POST", "/v1/messages", text("m001"))
			return look(status, time.Since(began))
		}
	}
	seconds := func(_ int, took time.Duration) any { return int(took.Seconds()) }
	return []policyRow{
		{
			name: "one draft for each key", keys: "drafts.idempotency.mode", base: plain, without: "drafts.idempotency.mode=off", do: twice(20 * time.Minute), with: 1, off: 2,
		}, {
			name: "keys are remembered", keys: "drafts.idempotency.keep", base: plain, without: "drafts.idempotency.keep=1m", do: twice(time.Hour), with: 1, off: 2,
		}, {
			name: "the queue refuses what it has had", keys: "drafts.idempotency.window", base: plain, without: "drafts.idempotency.window=1s", with: 15 * time.Minute, off: time.Second,
			do: func(w *world) any { q := w.sender.cfg.Load().Drafts.Queue(); return q.DedupeWindow },
		}, {
			name: "all attempts to create name one draft", keys: "whatsapp.create.idempotent", base: "drafts.work.create=6s; drafts.idempotency.mode=off", without: "whatsapp.create.idempotent=false", with: 1, off: 3,
			do: func(w *world) any {
				w.post(w.t.Context(), "m001", 1, text("m001"))
				settle(5 * time.Minute)
				return w.count("m001")
			},
		}, {
			name: "a create is tried again", keys: "whatsapp.create.retries", base: plain, without: "whatsapp.create.retries=0",
			do: failing(2, func(status int, _ time.Duration) any { return status }), with: 202, off: 503,
		}, {
			name: "and not at once", keys: "whatsapp.create.backoff", base: plain + "whatsapp.create.jitter=none; whatsapp.create.backoff=2s", without: "whatsapp.create.backoff=0s",
			do: failing(1, seconds), with: 2, off: 0,
		}, {
			name: "and later each time", keys: "whatsapp.create.backoff_max", base: plain + "whatsapp.create.jitter=none; whatsapp.create.backoff=1s; whatsapp.create.backoff_max=10s", without: "whatsapp.create.backoff_max=0s",
			do: failing(2, seconds), with: 3, off: 2,
		}, {
			name: "and not all together", keys: "whatsapp.create.jitter", base: plain + "whatsapp.create.backoff=10s; whatsapp.create.backoff_max=10s", without: "whatsapp.create.jitter=none",
			do: failing(1, func(_ int, took time.Duration) any { return took >= 10*time.Second }), with: false, off: true,
		}, {
			name: "a create has an end", keys: "whatsapp.create.timeout", base: "drafts.work.create=8s; whatsapp.create.retries=0", without: "whatsapp.create.timeout=1m", with: 504, off: 202,
			do: func(w *world) any { status, _ := w.post(w.t.Context(), "m001", 1, text("m001")); return status },
		}, {
			name: "nobody works for a caller that has gone", keys: "whatsapp.create.cancel", without: "whatsapp.create.cancel=false", with: 0, off: 1,
			base: "whatsapp.replicas.min=1; whatsapp.replicas.max=1; whatsapp.work.accept=10s; whatsapp.admission.shed.wait=0s; whatsapp.admission.codel.target=0s",
			do: func(w *world) any {
				go w.post(w.t.Context(), "m001", 1, text("m001"))
				settle(time.Second)
				ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Second)
				defer cancel()
				w.post(ctx, "m002", 1, text("m002"))
				settle(5 * time.Minute)
				return w.count("m002")
			},
		},
	}
}

func retryRows() []policyRow {
	const steady = plain + "drafts.send.jitter=none; "
	made := func(status, code, times int, wait time.Duration) func(w *world) any {
		return func(w *world) any {
			c := w.answers(status, code, times)
			w.posts(1)
			settle(wait)
			return c.n()
		}
	}
	gap := func(code, i int) func(w *world) any {
		return func(w *world) any {
			c := w.answers(400, code, -1)
			w.posts(1)
			settle(time.Hour)
			return c.gap(i)
		}
	}
	slow := func(d time.Duration, look func(w *world) any) func(w *world) any {
		return func(w *world) any {
			w.api.latency = constant(d)
			w.posts(1)
			settle(time.Hour)
			return look(w)
		}
	}
	return []policyRow{
		{
			name: "what an answer means", keys: "drafts.send.mode", base: plain, without: "drafts.send.mode=any", do: made(400, 131026, -1, time.Hour), with: 1, off: 5,
		}, {
			name: "attempts", keys: "drafts.send.attempts", base: plain, without: "drafts.send.attempts=2", do: made(400, 131057, -1, time.Hour), with: 5, off: 2,
		}, {
			name: "backoff", keys: "drafts.send.backoff", base: steady + "drafts.send.backoff=7s", without: "drafts.send.backoff=1s", do: gap(131057, 0), with: 7, off: 1,
		}, {
			name: "backoff doubles", keys: "drafts.send.backoff_max", base: steady, without: "drafts.send.backoff_max=0s", do: gap(131057, 2), with: 4, off: 1,
		}, {
			name: "jitter", keys: "drafts.send.jitter", base: plain + "drafts.send.backoff=100s", without: "drafts.send.jitter=none", with: false, off: true,
			do: func(w *world) any { return gap(131057, 0)(w) == 100 },
		}, {
			name: "attempts used up", keys: "drafts.send.exhausted", base: plain + "drafts.send.attempts=1", without: "drafts.send.exhausted=requeue", with: "dead: attempts used up: retryable", off: "delivered",
			do: func(w *world) any { made(400, 131057, 2, time.Hour)(w); return w.state("m0000") },
		}, {
			name: "rest of what is requeued", keys: "drafts.send.requeue", base: plain + "drafts.send.attempts=1; drafts.send.exhausted=requeue; drafts.send.requeue=20m", without: "drafts.send.requeue=1m", do: gap(131057, 0), with: 1200, off: 60,
		}, {
			name: "a send has an end", keys: "drafts.send.timeout", base: plain + "drafts.send.timeout=5s; whatsapp.api.timeout=1m", without: "drafts.send.timeout=1m", with: 1, off: 0,
			do: slow(10*time.Second, func(w *world) any { return w.sender.Stats().Held }),
		}, {
			name: "a call of the API has an end", keys: "whatsapp.api.timeout", base: plain + "whatsapp.api.timeout=5s; drafts.send.timeout=1m", without: "whatsapp.api.timeout=1m", with: 1, off: 0,
			do: slow(10*time.Second, func(w *world) any { return w.sender.Stats().Held }),
		}, {
			name: "a send that is too late is not begun", keys: "drafts.send.deadline", base: "drafts.send.timeout=5s; whatsapp.work.send=8s; whatsapp.replicas.max=3", without: "drafts.send.deadline=false", with: 0, off: 1,
			do: func(w *world) any {
				c := w.answers(200, 0, 0)
				w.posts(1)
				settle(20 * time.Second)
				return c.n()
			},
		},
	}
}

// gateRows are the policies that learn from sends.
func gateRows() []policyRow {
	const free = plain + "drafts.throttle.k=0; drafts.provider.open=0s; drafts.breaker.open=0s; drafts.send.jitter=none; drafts.dispatch.limit.kind=fixed; "
	flood := func(code, times, n int, wait time.Duration) func(w *world) any {
		return func(w *world) any {
			c := w.answers(400, code, times)
			w.posts(n)
			settle(wait)
			return c.n()
		}
	}
	steady := func(code int, status int, wait time.Duration) func(w *world) any {
		return func(w *world) any {
			c := w.answers(status, code, -1)
			for i := range int(wait / time.Second) {
				id := fmt.Sprintf("m%05d", i)
				w.post(w.t.Context(), id, 1, text(id))
				settle(time.Second)
			}
			return c.n()
		}
	}
	up := func(n int, latency, wait time.Duration) func(w *world) any {
		return func(w *world) any {
			most := w.peak()
			w.api.latency = constant(latency)
			w.posts(n)
			settle(wait)
			return most.Load()
		}
	}
	limit := func(latency time.Duration, n int) func(w *world) any {
		return func(w *world) any {
			w.api.latency = constant(latency)
			w.posts(n)
			settle(10 * time.Minute)
			return w.sender.Stats().Limit
		}
	}
	const line = "whatsapp.api.timeout=2m; drafts.send.timeout=2m; drafts.rate_limit=0/s; drafts.classes.transactional.hold=10m; drafts.budget.cap=0; "
	return []policyRow{
		{
			name: "retries are paid for", keys: "drafts.budget.cap", base: free + "drafts.budget.cap=5; drafts.budget.floor=0.1; drafts.budget.per_success=0", without: "drafts.budget.cap=0",
			do: flood(131057, 20, 20, 20*time.Second), with: 26, off: 40,
		}, {
			name: "a trickle of retries", keys: "drafts.budget.floor", base: free + "drafts.budget.cap=5; drafts.budget.floor=1; drafts.budget.per_success=0", without: "drafts.budget.floor=0.01",
			do: flood(131057, 20, 20, 18*time.Second), with: 40, off: 25,
		}, {
			name: "successes pay", keys: "drafts.budget.per_success", base: free + "drafts.budget.cap=5; drafts.budget.floor=0.001; drafts.budget.per_success=1", without: "drafts.budget.per_success=0", with: 10, off: 5,
			do: paid(10 * time.Second),
		}, {
			name: "a trickle fills it", keys: "drafts.budget.floor", base: free + "drafts.budget.cap=5; drafts.budget.floor=1; drafts.budget.per_success=0", without: "drafts.budget.floor=0.001", with: 10, off: 5,
			do: paid(2 * time.Second),
		}, {
			name: "a retry of what is in doubt costs more", keys: "drafts.budget.timeout", base: free + "drafts.budget.cap=4; drafts.budget.floor=0.01; drafts.budget.per_success=0; drafts.budget.timeout=2", without: "drafts.budget.timeout=1",
			do: func(w *world) any {
				c := w.lost()
				w.posts(8)
				settle(150 * time.Second)
				return c.n()
			}, with: 10, off: 12,
		}, {
			name: "throttle", keys: "drafts.throttle.k drafts.throttle.window", base: plain + "drafts.budget.cap=0; drafts.dispatch.limit.kind=fixed; drafts.provider.open=0s", without: "drafts.throttle.k=0", with: true, off: false,
			do: func(w *world) any {
				c := w.refuses("whatsapp", "/v1/send", func(int64) bool { return true })
				w.posts(200)
				settle(2 * time.Minute)
				return c.n() < 700
			},
		}, {
			name: "probes of the throttle", keys: "drafts.throttle.probe", base: plain + "drafts.budget.cap=0; drafts.dispatch.limit.kind=fixed; drafts.provider.open=0s; drafts.throttle.window=10m", without: "drafts.throttle.probe=0s", with: true, off: false,
			do: func(w *world) any {
				end := time.Now().Add(2 * time.Minute)
				w.refuses("whatsapp", "/v1/send", func(int64) bool { return time.Now().Before(end) })
				w.posts(200)
				settle(5 * time.Minute)
				return w.total() > 100
			},
		}, {
			name: "calls under way follow their round trip", keys: "drafts.dispatch.limit.kind", base: plain + line, without: "drafts.dispatch.limit.kind=fixed", do: func(w *world) any { return up(100, 10*time.Second, time.Minute)(w).(int64) < 50 }, with: true, off: false,
		}, {
			name: "calls under way have a bound", keys: "drafts.dispatch.in_flight", base: plain + line + "drafts.dispatch.limit.kind=fixed; drafts.dispatch.in_flight=7", without: "drafts.dispatch.in_flight=500", do: up(50, 10*time.Second, time.Minute), with: 7, off: 50,
		}, {
			name: "where the limit begins", keys: "drafts.dispatch.limit.initial", base: plain + line, without: "drafts.dispatch.limit.initial=60", do: up(100, 10*time.Second, 5*time.Second), with: 20, off: 60,
		}, {
			name: "how low the limit goes", keys: "drafts.dispatch.limit.min", base: plain + line + "drafts.dispatch.limit.kind=aimd; drafts.dispatch.limit.slow=1s; drafts.dispatch.limit.initial=6", without: "drafts.dispatch.limit.min=1", do: limit(5*time.Second, 300), with: 4, off: 1,
		}, {
			name: "a slow answer is overload", keys: "drafts.dispatch.limit.slow", base: plain + line + "drafts.dispatch.limit.kind=aimd; drafts.dispatch.limit.slow=1s", without: "drafts.dispatch.limit.slow=0s", do: func(w *world) any { return limit(5*time.Second, 300)(w).(int64) < 20 }, with: true, off: false,
		}, {
			name: "tolerance of the limit", keys: "drafts.dispatch.limit.tolerance", base: plain + line, without: "drafts.dispatch.limit.tolerance=10", do: worse, with: true, off: false,
		}, {
			name: "queue of the limit", keys: "drafts.dispatch.limit.queue", base: plain + line, without: "drafts.dispatch.limit.queue=0.1", do: func(w *world) any { return limit(5*time.Second, 600)(w).(int64) > 30 }, with: true, off: false,
		}, {
			name: "smoothing of the limit", keys: "drafts.dispatch.limit.smoothing", base: plain + line, without: "drafts.dispatch.limit.smoothing=0.01", do: func(w *world) any { return limit(5*time.Second, 600)(w).(int64) > 30 }, with: true, off: false,
		}, {
			name: "what a claim lasts", keys: "drafts.dispatch.lease", base: plain, without: "drafts.dispatch.lease=10m", do: func(w *world) any { return w.sender.cfg.Load().Drafts.Queue().Lease }, with: 90 * time.Second, off: 10 * time.Minute,
		}, {
			name: "breaker of a number", keys: "drafts.breaker.open", base: plain, without: "drafts.breaker.open=0s", do: func(w *world) any { return steady(131031, 403, 10*time.Minute)(w).(int) < 30 }, with: true, off: false,
		}, {
			name: "a number's breaker opens after", keys: "drafts.breaker.after", base: plain, without: "drafts.breaker.after=20", do: func(w *world) any { return steady(131031, 403, 30*time.Second)(w).(int) < 10 }, with: true, off: false,
		}, {
			name: "a number's probes get rarer", keys: "drafts.breaker.open_max", base: plain, without: "drafts.breaker.open_max=30s", do: func(w *world) any { return steady(131031, 403, time.Hour)(w).(int) < 40 }, with: true, off: false,
		}, {
			name: "a number's probes in a row", keys: "drafts.breaker.close", base: plain + "drafts.breaker.close=3", without: "drafts.breaker.close=1", do: probesInARow(131031, 403), with: true, off: false,
		}, {
			name: "breaker of the provider", keys: "drafts.provider.open", base: plain, without: "drafts.provider.open=0s", do: func(w *world) any { return steady(131016, 500, 10*time.Minute)(w).(int) < 100 }, with: true, off: false,
		}, {
			name: "the provider's breaker opens after", keys: "drafts.provider.after", base: plain, without: "drafts.provider.after=50", do: func(w *world) any { return steady(131016, 500, 30*time.Second)(w).(int) < 12 }, with: true, off: false,
		}, {
			name: "the provider's probes in doubt get rarer", keys: "drafts.provider.open_max", base: plain, without: "drafts.provider.open_max=10s", do: func(w *world) any { return steady(131000, 500, 30*time.Minute)(w).(int) < 110 }, with: true, off: false,
		}, {
			name: "the provider's probes in a row", keys: "drafts.provider.close", base: plain, without: "drafts.provider.close=1", do: probesInARow(131016, 500), with: true, off: false,
		},
	}
}

// paid refuses ten messages once each, five and then five, and counts those that came while their retry was paid for.
func paid(wait time.Duration) func(w *world) any {
	return func(w *world) any {
		w.api.decide = func(_ uint64, callback string) (int, string, bool) {
			if strings.HasSuffix(callback, ".1") {
				return 400, `{"error":{"code":131057,"message":"no"}}`, false
			}
			return 200, "", false
		}
		for i := range 10 {
			if i == 5 {
				settle(10 * time.Second)
			}
			w.post(w.t.Context(), fmt.Sprintf("m000%d", i), 1, text(fmt.Sprintf("m000%d", i)))
		}
		settle(wait)
		return w.total()
	}
}

// probesInARow answers well every other time once an outage is over, and tells whether few calls are made in the next minutes.
func probesInARow(code, status int) func(w *world) any {
	return func(w *world) any {
		c := new(calls)
		end := time.Now().Add(2 * time.Minute)
		w.api.decide = func(uint64, string) (int, string, bool) {
			if n := c.add(); time.Now().Before(end) || n%2 == 0 {
				return status, fmt.Sprintf(`{"error":{"code":%d,"message":"no"}}`, code), false
			}
			return 200, "", false
		}
		w.posts(100)
		settle(5 * time.Minute)
		return c.n() < 130
	}
}

// worse makes the API slower from the 600th call on, and tells whether the limit has stayed low.
func worse(w *world) any {
	c := new(calls)
	w.api.latency = constant(time.Second)
	w.api.decide = func(uint64, string) (int, string, bool) {
		if c.add() > 600 {
			time.Sleep(5 * time.Second)
		}
		return 200, "", false
	}
	w.posts(1200)
	settle(10 * time.Minute)
	return w.sender.Stats().Limit < 40
}

func constant(d time.Duration) quantity.Dist { return quantity.Constant(d) }
