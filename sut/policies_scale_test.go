package sut

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

func scaleRows() []policyRow {
	const load = "whatsapp.replicas.min=1; whatsapp.replicas.start=30s; whatsapp.admission.shed.wait=0s; whatsapp.admission.codel.target=0s; "
	// grow posts so many messages a second for so long, rests, and returns how many copies there are.
	grow := func(perSecond int, loadFor, rest time.Duration) func(w *world) any {
		return func(w *world) any {
			n := 0
			for range int(loadFor / time.Second) {
				for range perSecond {
					id := fmt.Sprintf("m%05d", n)
					n++
					go w.post(context.Background(), id, 1, text(id))
				}
				time.Sleep(time.Second)
			}
			settle(rest)
			return w.sender.Stats().WhatsApp.Ready
		}
	}
	above := func(n int, do func(w *world) any) func(w *world) any {
		return func(w *world) any { return do(w).(int) > n }
	}
	const age = load + "whatsapp.scaling.signal=age; drafts.rate_limit=0/s; drafts.dispatch.limit.kind=fixed; drafts.dispatch.in_flight=4; "
	const backlog = load + "whatsapp.scaling.signal=backlog; drafts.rate_limit=0/s; drafts.dispatch.limit.kind=fixed; drafts.dispatch.in_flight=4; "
	return []policyRow{
		{name: "signal of scaling", keys: "whatsapp.scaling.signal", base: load, without: "whatsapp.scaling.signal=none", do: above(1, grow(3, 3*time.Minute, 0)), with: true, off: false},
		{name: "ceiling of scaling", keys: "whatsapp.replicas.max", base: load, without: "whatsapp.replicas.max=1", do: above(1, grow(3, 3*time.Minute, 0)), with: true, off: false},
		{name: "floor of scaling", keys: "whatsapp.replicas.min", base: load + "whatsapp.replicas.min=3", without: "whatsapp.replicas.min=1", do: grow(0, time.Minute, 0), with: 3, off: 1},
		{name: "how long a copy takes to start", keys: "whatsapp.replicas.start", base: load, without: "whatsapp.replicas.start=20m", do: above(1, grow(3, 3*time.Minute, 0)), with: true, off: false},
		{name: "where the fewest wait", keys: "whatsapp.replicas.balance", base: load + "whatsapp.replicas.min=2; whatsapp.replicas.max=2; whatsapp.work.accept=lognormal(p50=300ms, p99=6s)", without: "whatsapp.replicas.balance=rotate", with: true, off: false,
			do: func(w *world) any { return waited(w) < 200*time.Second }},
		{name: "how often it is decided", keys: "whatsapp.scaling.interval", base: load, without: "whatsapp.scaling.interval=10m", do: above(1, grow(3, 3*time.Minute, 0)), with: true, off: false},
		{name: "utilisation that is aimed at", keys: "whatsapp.scaling.target", base: load + "whatsapp.scaling.signal=cpu", without: "whatsapp.scaling.target=100%", do: above(1, grow(3, 3*time.Minute, 0)), with: true, off: false},
		{name: "tolerance of scaling", keys: "whatsapp.scaling.tolerance", base: load + "whatsapp.scaling.signal=cpu", without: "whatsapp.scaling.tolerance=0.99", do: above(1, grow(3, 3*time.Minute, 0)), with: true, off: false},
		{name: "backlog that is aimed at", keys: "whatsapp.scaling.backlog", base: backlog, without: "whatsapp.scaling.backlog=100000", do: above(2, grow(10, 3*time.Minute, 0)), with: true, off: false},
		{name: "age that is aimed at", keys: "whatsapp.scaling.age", base: age, without: "whatsapp.scaling.age=10h", do: above(1, grow(10, 3*time.Minute, 0)), with: true, off: false},
		{name: "starting copies count as idle", keys: "whatsapp.scaling.damping", base: load + "whatsapp.replicas.min=3; whatsapp.replicas.start=20m; whatsapp.scaling.signal=cpu; whatsapp.scaling.tolerance=0.5; whatsapp.scaling.up_factor=0; whatsapp.scaling.up_copies=1", without: "whatsapp.scaling.damping=true", with: true, off: false,
			do: func(w *world) any { grow(8, 3*time.Minute, 0)(w); return w.sender.Stats().WhatsApp.Starting > 2 }},
		{name: "copies at once, as a share", keys: "whatsapp.scaling.up_factor", base: backlog + "whatsapp.scaling.up_copies=0; whatsapp.scaling.up_factor=10", without: "whatsapp.scaling.up_factor=1", do: above(4, grow(30, 65*time.Second, 0)), with: true, off: false},
		{name: "copies at once", keys: "whatsapp.scaling.up_copies", base: backlog + "whatsapp.scaling.up_factor=1; whatsapp.scaling.up_copies=10", without: "whatsapp.scaling.up_copies=1", do: above(4, grow(30, 65*time.Second, 0)), with: true, off: false},
		{name: "steady before it grows", keys: "whatsapp.scaling.up_window", base: load, without: "whatsapp.scaling.up_window=10m", do: above(3, grow(3, 3*time.Minute, 0)), with: true, off: false},
		{name: "steady before it shrinks", keys: "whatsapp.scaling.down_window", base: load, without: "whatsapp.scaling.down_window=0s", do: above(1, grow(3, 3*time.Minute, 3*time.Minute)), with: true, off: false},
		{name: "shrinks by and by", keys: "whatsapp.scaling.down_factor", base: load + "whatsapp.scaling.down_window=0s; whatsapp.scaling.interval=1m", without: "whatsapp.scaling.down_factor=0.1", do: above(2, grow(8, 6*time.Minute, 5*time.Minute)), with: false, off: true},
	}
}

// waited posts a hundred messages, one a second, and tells how long their callers waited in all.
func waited(w *world) time.Duration {
	var total atomic.Int64
	for i := range 100 {
		go func() {
			began := time.Now()
			w.post(context.Background(), fmt.Sprintf("m%04d", i), 1, text(fmt.Sprintf("m%04d", i)))
			total.Add(int64(time.Since(began)))
		}()
		time.Sleep(time.Second)
	}
	settle(5 * time.Minute)
	return time.Duration(total.Load())
}

func drainRows() []policyRow {
	// stopped pauses everything for ten minutes while a message a second comes in, and counts what goes in a time after.
	stopped := func(from, to time.Duration) func(w *world) any {
		return func(w *world) any {
			w.call("POST", "/v1/pause", `{"scope":"all"}`)
			post := func(i int) { w.post(w.t.Context(), fmt.Sprintf("m%05d", i), 1, text(fmt.Sprintf("m%05d", i))) }
			for i := range 600 {
				post(i)
				time.Sleep(time.Second)
			}
			w.call("POST", "/v1/resume", `{"scope":"all"}`)
			before := 0
			for i := range int(to / time.Second) {
				if time.Duration(i)*time.Second == from {
					before = w.total()
				}
				post(600 + i)
				settle(time.Second)
			}
			return w.total() - before
		}
	}
	less := func(n int, do func(w *world) any) func(w *world) any {
		return func(w *world) any { return do(w).(int) < n }
	}
	sender := func(code, limit int) func(w *world) any {
		return func(w *world) any { return w.throttled(code, limit) }
	}
	same := func(n int, wait time.Duration) func(w *world) any {
		return func(w *world) any {
			for i := range n {
				id := fmt.Sprintf("m%04d", i)
				w.post(w.t.Context(), id, 1, fmt.Sprintf(`{"to":"+15551234567","text":%q,"conversation":%q}`, id, id))
			}
			settle(wait)
			return w.total()
		}
	}
	const free = "simulate=false; drafts.pair.every=0s; "
	return []policyRow{
		{name: "a backlog drains slowly", keys: "drafts.drain.factor", base: plain + "drafts.order.fresh_after=0s", without: "drafts.drain.factor=0", do: less(100, stopped(0, 25*time.Second)), with: true, off: false},
		{name: "and then faster", keys: "drafts.drain.double", base: plain + "drafts.order.fresh_after=0s", without: "drafts.drain.double=0s", do: less(250, stopped(0, 90*time.Second)), with: false, off: true},
		{name: "until it is young", keys: "drafts.drain.until", base: plain + "drafts.order.fresh_after=0s; drafts.drain.double=0s", without: "drafts.drain.until=11m", do: less(100, stopped(0, 25*time.Second)), with: true, off: false},
		{name: "pace of a number", keys: "drafts.number.rate", base: free + "drafts.number.rate=2/s; drafts.number.burst=1", without: "drafts.number.rate=0/s", do: func(w *world) any { w.posts(15); settle(2 * time.Second); return w.total() < 8 }, with: true, off: false},
		{name: "burst of a number", keys: "drafts.number.burst", base: free + "drafts.number.rate=1/s; drafts.number.burst=10", without: "drafts.number.burst=1", do: func(w *world) any { w.posts(15); settle(2 * time.Second); return w.total() > 8 }, with: true, off: false},
		{name: "pace that follows refusals", keys: "drafts.number.adapt.cut", base: free + "drafts.number.rate=20/s", without: "drafts.number.adapt.cut=0%", do: sender(130429, 2), with: true, off: false},
		{name: "pace that comes back", keys: "drafts.number.adapt.grow", base: free + "drafts.number.rate=20/s; drafts.number.adapt.grow=10%", without: "drafts.number.adapt.grow=0.01%", with: true, off: false,
			do: func(w *world) any {
				from := time.Now()
				w.api.decide = func(uint64, string) (int, string, bool) {
					if d := time.Since(from); d > 2*time.Second && d < 20*time.Second {
						return 429, `{"error":{"code":130429,"message":"no"}}`, false
					}
					return 200, "", false
				}
				w.posts(400)
				settle(3 * time.Minute)
				return w.total() > 200
			}},
		{name: "pace of a pair", keys: "drafts.pair.every", base: "simulate=false; drafts.pair.burst=1", without: "drafts.pair.every=0s", do: same(5, 7*time.Second), with: 2, off: 5},
		{name: "burst of a pair", keys: "drafts.pair.burst", base: "simulate=false", without: "drafts.pair.burst=1", do: same(5, 7*time.Second), with: 5, off: 2},
	}
}

// throttled makes the API take so many a second and refuse the others; are there few refusals in ten minutes?
func (w *world) throttled(code, limit int) any {
	var refusals atomic.Int64
	w.api.decide = func(uint64, string) (int, string, bool) {
		w.api.mu.Lock()
		defer w.api.mu.Unlock()
		n := 0
		for _, at := range w.api.accepted {
			for _, t := range at {
				if time.Since(t) < time.Second {
					n++
				}
			}
		}
		if n >= limit {
			refusals.Add(1)
			return 429, fmt.Sprintf(`{"error":{"code":%d,"message":"no"}}`, code), false
		}
		return 200, "", false
	}
	w.posts(300)
	settle(10 * time.Minute)
	return refusals.Load() < 150
}
