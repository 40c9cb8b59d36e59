package sut

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func orderRows() []policyRow {
	class := func(name, id string) string {
		return strings.TrimSuffix(text(id), "}") + fmt.Sprintf(`,"class":%q}`, name)
	}
	// ahead fills the backlog with one class and posts a message of another; is it among the first ten?
	ahead := func(full, mine string) func(w *world) any {
		return func(w *world) any {
			for i := range 100 {
				id := fmt.Sprintf("m%04d", i)
				w.post(w.t.Context(), id, 1, class(full, id))
			}
			w.post(w.t.Context(), "m9999", 1, class(mine, "m9999"))
			settle(10 * time.Second)
			return w.count("m9999")
		}
	}
	// share fills the backlog with two classes, and counts those of the second among the first thirty.
	share := func(one, two string) func(w *world) any {
		return func(w *world) any {
			for i := range 200 {
				id := fmt.Sprintf("m%04d", i)
				w.post(w.t.Context(), id, 1, class([]string{one, two}[i%2], id))
			}
			settle(30 * time.Second)
			n := 0
			for i := 1; i < 200; i += 2 {
				n += w.count(fmt.Sprintf("m%04d", i))
			}
			return n > 20
		}
	}
	const slow = plain + "drafts.rate_limit=1/s; drafts.burst=1; drafts.order.fresh_after=0s; drafts.order.shards=1; "
	rows := []policyRow{
		{
			name: "order within a conversation", keys: "drafts.order.conversation", base: plain, without: "drafts.order.conversation=off", with: "m1 m2 m3", off: "m2 m3 m1",
			do: func(w *world) any {
				w.answers(400, 131057, 1)
				for _, id := range []string{"m1", "m2", "m3"} {
					w.post(w.t.Context(), id, 1, `{"to":"+15551234567","text":"`+id+`"}`)
					settle(100 * time.Millisecond)
				}
				settle(5 * time.Minute)
				var got []string
				for _, c := range w.api.calls {
					got = append(got, c[:2])
				}
				return strings.Join(got, " ")
			},
		}, {
			name: "places beside the queue", keys: "drafts.order.park", base: plain, without: "drafts.order.park=0", with: 3, off: 1,
			do: func(w *world) any {
				for _, id := range []string{"m1", "m2", "m3"} {
					w.post(w.t.Context(), id, 1, `{"to":"+15551234567","text":"`+id+`"}`)
				}
				settle(3 * time.Second)
				return w.total()
			},
		}, {
			name: "fresh ones first while the backlog is old", keys: "drafts.order.fresh_after", base: plain + "drafts.rate_limit=1/s; drafts.burst=1; drafts.order.fresh_after=1m", without: "drafts.order.fresh_after=0s", with: 1, off: 0,
			do: func(w *world) any {
				w.posts(200)
				settle(90 * time.Second)
				w.post(w.t.Context(), "m9999", 1, text("m9999"))
				settle(10 * time.Second)
				return w.count("m9999")
			},
		}, {
			name: "tenants take turns", keys: "drafts.order.shards", base: slow + "drafts.order.shards=4", without: "drafts.order.shards=1", with: 1, off: 0,
			do: func(w *world) any {
				w.posts(100, `,"tenant":"big"`)
				w.post(w.t.Context(), "m9999", 1, strings.TrimSuffix(text("m9999"), "}")+`,"tenant":"small"}`)
				settle(20 * time.Second)
				return w.count("m9999")
			},
		},
		{name: "lane of otp", keys: "drafts.classes.otp.lane", base: slow, without: "drafts.classes.otp.lane=bulk", do: ahead("bulk", "otp"), with: 1, off: 0},
		{name: "lane of reply", keys: "drafts.classes.reply.lane", base: slow, without: "drafts.classes.reply.lane=bulk", do: ahead("bulk", "reply"), with: 1, off: 0},
		{name: "lane of transactional", keys: "drafts.classes.transactional.lane", base: slow, without: "drafts.classes.transactional.lane=bulk", do: ahead("bulk", "transactional"), with: 1, off: 0},
		{name: "lane of bulk", keys: "drafts.classes.bulk.lane", base: slow, without: "drafts.classes.bulk.lane=transactional", do: ahead("bulk", "transactional"), with: 1, off: 0},
		{name: "weight of otp", keys: "drafts.classes.otp.weight", base: slow + "drafts.classes.reply.weight=1", without: "drafts.classes.otp.weight=1", do: share("bulk", "otp"), with: true, off: false},
		{name: "weight of reply", keys: "drafts.classes.reply.weight", base: slow + "drafts.classes.otp.weight=1", without: "drafts.classes.reply.weight=1", do: share("bulk", "reply"), with: true, off: false},
		{name: "weight of transactional", keys: "drafts.classes.transactional.weight", base: slow, without: "drafts.classes.transactional.weight=1", do: share("bulk", "transactional"), with: true, off: false},
		{name: "weight of bulk", keys: "drafts.classes.bulk.weight", base: slow, without: "drafts.classes.bulk.weight=20", do: share("bulk", "transactional"), with: true, off: false},
		{name: "class of a message that names none", keys: "drafts.classes.default", base: plain, without: "drafts.classes.default=reply", do: outlives("", time.Hour), with: "delivered", off: "expired: validity"},
	}
	for name, valid := range map[string]time.Duration{"otp": 10 * time.Minute, "reply": 15 * time.Minute, "transactional": 4 * time.Hour, "bulk": 4 * time.Hour} {
		rows = append(rows, policyRow{
			name: "validity of " + name, keys: "drafts.classes." + name + ".valid_for", base: plain, without: "drafts.classes." + name + ".valid_for=0s",
			do: outlives(name, valid+time.Minute), with: "expired: validity", off: "delivered",
		})
	}
	return rows
}

// outlives lets a message wait for so long, and says how it ended.
func outlives(class string, wait time.Duration) func(w *world) any {
	return func(w *world) any {
		w.call("POST", "/v1/pause", `{"scope":"all"}`)
		body := text("m1")
		if class != "" {
			body = strings.TrimSuffix(body, "}") + fmt.Sprintf(`,"class":%q}`, class)
		}
		w.post(w.t.Context(), "m1", 1, body)
		settle(wait)
		w.call("POST", "/v1/resume", `{"scope":"all"}`)
		settle(2 * time.Minute)
		return w.state("m1")
	}
}

// guardRows are what a copy defends itself with.
func guardRows() []policyRow {
	const one = "whatsapp.replicas.min=1; whatsapp.replicas.max=1; whatsapp.replicas.queue=0; whatsapp.work.accept=1s; whatsapp.admission.shed.wait=0s; whatsapp.admission.codel.target=0s; whatsapp.admission.max_held=0; "
	// flood posts five messages a second for a minute and returns what the front door answered.
	flood := func(w *world, rest time.Duration, class func(i int) string, look func(status int, took time.Duration, class string, h http.Header)) {
		for i := range 300 {
			name := class(i)
			go func() {
				began := time.Now()
				id := fmt.Sprintf("m%04d", i)
				status, _, h := w.call("POST", "/v1/messages", strings.TrimSuffix(text(id), "}")+fmt.Sprintf(`,"class":%q}`, name), "X-Request-Id", id+".1")
				look(status, time.Since(began), name, h)
			}()
			time.Sleep(200 * time.Millisecond)
		}
		settle(rest)
	}
	plainClass := func(int) string { return "transactional" }
	longest := func(w *world) any {
		var most atomic.Int64
		flood(w, 20*time.Minute, plainClass, func(status int, took time.Duration, _ string, _ http.Header) {
			for m := most.Load(); status == 202 && int64(took) > m && !most.CompareAndSwap(m, int64(took)); m = most.Load() {
			}
		})
		return time.Duration(most.Load()) > 2*time.Minute
	}
	answered := func(class string) func(w *world) any {
		return func(w *world) any {
			var n atomic.Int64
			flood(w, 20*time.Minute, func(i int) string { return []string{"otp", "reply", "transactional", "bulk"}[i%4] }, func(status int, _ time.Duration, name string, _ http.Header) {
				if status == 202 && name == class {
					n.Add(1)
				}
			})
			return n.Load() > 12
		}
	}
	refused := func(w *world) (n int64, after string) {
		var count atomic.Int64
		var told atomic.Value
		told.Store("")
		flood(w, 20*time.Minute, plainClass, func(status int, _ time.Duration, _ string, h http.Header) {
			if status == 503 {
				count.Add(1)
				told.Store(h.Get("Retry-After"))
			}
		})
		return count.Load(), told.Load().(string)
	}
	const plainDrafts = "drafts.replicas.count=1; drafts.replicas.cores=1; drafts.replicas.queue=0; drafts.work.create=1s; whatsapp.create.timeout=10m; drafts.rate_limit=0/s; drafts.dispatch.limit.kind=fixed; "
	const shed = one + "whatsapp.admission.shed.wait=2s; "
	return []policyRow{
		{name: "controlled delay", keys: "whatsapp.admission.codel.target", base: one + "whatsapp.admission.codel.target=5s", without: "whatsapp.admission.codel.target=0s", do: longest, with: false, off: true},
		{name: "controlled delay knows for how long a line has stood", keys: "whatsapp.admission.codel.interval", base: one + "whatsapp.admission.codel.target=5s", without: "whatsapp.admission.codel.interval=10m", do: longest, with: false, off: true},
		{name: "the least important are shed first", keys: "whatsapp.admission.shed.wait whatsapp.admission.shed.window whatsapp.admission.shed.down", base: shed + "whatsapp.admission.shed.down=20%", without: "whatsapp.admission.shed.wait=0s", do: func(w *world) any { n, _ := refused(w); return n > 0 }, with: true, off: false},
		{name: "shedding ends", keys: "whatsapp.admission.shed.up", base: shed + "whatsapp.work.accept=40ms; whatsapp.work.send=1ms; whatsapp.admission.shed.wait=500ms; whatsapp.admission.shed.down=50%; whatsapp.admission.shed.up=50%", without: "whatsapp.admission.shed.up=0.0001%", with: true, off: false,
			do: func(w *world) any {
				var taken atomic.Int64 // twice what fits for ten seconds, then half of it for ten
				for i := range 600 {
					go func() {
						if status, _ := w.post(context.Background(), fmt.Sprintf("m%05d", i), 1, text(fmt.Sprintf("m%05d", i))); status == 202 && i >= 500 {
							taken.Add(1)
						}
					}()
					time.Sleep(map[bool]time.Duration{true: time.Second / 50, false: time.Second / 10}[i < 500])
				}
				settle(time.Minute)
				return taken.Load() > 70
			}},
		{name: "a window of requests", keys: "whatsapp.admission.shed.requests", base: shed + "whatsapp.admission.shed.window=10m; whatsapp.admission.shed.requests=20; whatsapp.admission.shed.down=20%", without: "whatsapp.admission.shed.requests=0", do: func(w *world) any { n, _ := refused(w); return n > 0 }, with: true, off: false},
		{name: "priority of otp", keys: "drafts.classes.otp.priority", base: shed + "whatsapp.admission.shed.down=20%", without: "drafts.classes.otp.priority=3", do: answered("otp"), with: true, off: false},
		{name: "priority of reply", keys: "drafts.classes.reply.priority", base: shed + "whatsapp.admission.shed.down=20%", without: "drafts.classes.reply.priority=3", do: answered("reply"), with: true, off: false},
		{name: "priority of transactional", keys: "drafts.classes.transactional.priority", base: shed + "whatsapp.admission.shed.down=20%", without: "drafts.classes.transactional.priority=0", do: answered("transactional"), with: false, off: true},
		{name: "priority of bulk", keys: "drafts.classes.bulk.priority", base: shed + "whatsapp.admission.shed.down=20%", without: "drafts.classes.bulk.priority=0", do: answered("bulk"), with: false, off: true},
		{name: "a copy holds no more", keys: "whatsapp.admission.max_held", base: one + "whatsapp.admission.max_held=5", without: "whatsapp.admission.max_held=0", do: func(w *world) any { n, _ := refused(w); return n > 0 }, with: true, off: false},
		{name: "a copy says when to come again", keys: "whatsapp.admission.retry_after", base: one + "whatsapp.admission.max_held=5", without: "whatsapp.admission.retry_after=0s", do: func(w *world) any { _, after := refused(w); return after }, with: "2", off: ""},
		{name: "messages coming in go first", keys: "whatsapp.admission.front_weight", base: one + "whatsapp.work.accept=100ms; whatsapp.work.send=2s; whatsapp.admission.back_queue=0", without: "whatsapp.admission.front_weight=0", with: true, off: false,
			do: func(w *world) any {
				flood(w, 0, plainClass, func(int, time.Duration, string, http.Header) {})
				return w.sender.Stats().Answered > 40
			}},
		{name: "sends that may wait in a copy", keys: "whatsapp.admission.back_queue", base: one, without: "whatsapp.admission.back_queue=0", do: func(w *world) any { refused(w); return w.sender.Stats().Send503 > 0 }, with: true, off: false},
		{name: "Drafts takes in before it hands over", keys: "drafts.admission.front_weight", base: plainDrafts + "drafts.work.create=100ms; drafts.work.dispatch=1s; drafts.dispatch.in_flight=1000; whatsapp.work.accept=1ms", without: "drafts.admission.front_weight=0", with: true, off: false,
			do: func(w *world) any {
				w.call("POST", "/v1/pause", `{"scope":"all"}`)
				w.posts(100)
				w.call("POST", "/v1/resume", `{"scope":"all"}`)
				time.Sleep(5 * time.Second)
				began := time.Now()
				w.post(w.t.Context(), "m9999", 1, text("m9999"))
				return time.Since(began) < 10*time.Second
			}},
		{name: "a copy of Drafts holds no more", keys: "drafts.admission.max_held", base: plainDrafts + "drafts.admission.max_held=5", without: "drafts.admission.max_held=0", with: true, off: false,
			do: func(w *world) any {
				flood(w, 20*time.Minute, plainClass, func(int, time.Duration, string, http.Header) {})
				return w.sender.Stats().CreateErrors > 0
			}},
		{name: "a copy of Drafts says when to come again", keys: "drafts.admission.retry_after", base: plainDrafts + "drafts.admission.max_held=5; whatsapp.create.retries=1; whatsapp.create.backoff=0s", without: "drafts.admission.retry_after=0s", with: true, off: false,
			do: func(w *world) any {
				n := 0
				var mu sync.Mutex
				flood(w, 20*time.Minute, plainClass, func(status int, took time.Duration, _ string, _ http.Header) {
					mu.Lock()
					defer mu.Unlock()
					if status == 503 && took < time.Second {
						n++
					}
				})
				return n == 0 // each was tried again once, and not at once
			}},
		{name: "requests that may wait in a copy", keys: "whatsapp.replicas.queue", base: one + "whatsapp.replicas.queue=5", without: "whatsapp.replicas.queue=0", do: func(w *world) any { n, _ := refused(w); return n > 0 }, with: true, off: false},
	}
}

func mediaRows() []policyRow {
	// two sends two messages with one file, so long after each other, and counts uploads.
	two := func(between time.Duration) func(w *world) any {
		return func(w *world) any {
			w.api.life = 3 * time.Hour
			w.post(w.t.Context(), "m1", 1, image("m1"))
			settle(between)
			w.post(w.t.Context(), "m2", 1, strings.Replace(image("m2"), "files/m2", "files/m1", 1))
			settle(5 * time.Minute)
			return w.sender.Stats().Uploads
		}
	}
	file := func(answer http.HandlerFunc, look func(w *world, fetched int) any) func(w *world) any {
		return func(w *world) any {
			c := new(calls)
			w.net.hosts["files"] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { c.add(); answer(rw, r) })
			w.post(w.t.Context(), "m1", 1, image("m1"))
			settle(time.Minute)
			w.post(w.t.Context(), "m2", 1, strings.Replace(image("m2"), "files/m2", "files/m1", 1))
			settle(10 * time.Minute)
			return look(w, c.n())
		}
	}
	gone := func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNotFound) }
	slow := func(rw http.ResponseWriter, _ *http.Request) {
		time.Sleep(15 * time.Second)
		_, _ = rw.Write(make([]byte, 100))
	}
	big := func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(make([]byte, 5000)) }
	ends := func(w *world, _ int) any { return w.count("m1") + w.count("m2") }
	return []policyRow{
		{name: "media is resolved when it is sent", keys: "whatsapp.media.resolve", base: plain, without: "whatsapp.media.resolve=at_enqueue", with: "delivered", off: "expired: media",
			do: func(w *world) any {
				w.api.life = time.Minute
				w.call("POST", "/v1/pause", `{"scope":"all"}`)
				w.post(w.t.Context(), "m1", 1, image("m1"))
				settle(10 * time.Minute)
				w.call("POST", "/v1/resume", `{"scope":"all"}`)
				settle(10 * time.Minute)
				return w.state("m1")
			}},
		{name: "an id is trusted for a while", keys: "whatsapp.media.life", base: plain, without: "whatsapp.media.life=10m1s", do: two(20 * time.Minute), with: 1, off: 2},
		{name: "an id with little life left is renewed", keys: "whatsapp.media.margin", base: plain, without: "whatsapp.media.margin=0s", do: two(55 * time.Minute), with: 2, off: 1},
		{name: "a link that failed is left alone", keys: "whatsapp.media.negative", base: plain, without: "whatsapp.media.negative=0s", do: file(gone, func(_ *world, n int) any { return n == 1 }), with: true, off: false},
		{name: "a download has an end", keys: "whatsapp.media.timeout", base: plain + "whatsapp.media.timeout=10s; drafts.send.timeout=1m", without: "whatsapp.media.timeout=30s", do: file(slow, ends), with: 0, off: 2},
		{name: "a file has a bound", keys: "whatsapp.media.max_bytes", base: plain + "whatsapp.media.max_bytes=1000", without: "whatsapp.media.max_bytes=100000", do: file(big, ends), with: 0, off: 2},
	}
}

func holdRows() []policyRow {
	lost := func(class string, wait time.Duration, look func(w *world, c *calls) any) func(w *world) any {
		return func(w *world) any {
			c := w.lost()
			w.post(w.t.Context(), "m1", 1, strings.TrimSuffix(text("m1"), "}")+fmt.Sprintf(`,"class":%q}`, class))
			settle(wait)
			return look(w, c)
		}
	}
	gap := func(_ *world, c *calls) any { return c.gap(0) }
	copies := func(_ *world, c *calls) any { return c.n() }
	state := func(w *world, _ *calls) any { return w.state("m1") }
	return []policyRow{
		{name: "hold of otp", keys: "drafts.classes.otp.hold", base: plain, without: "drafts.classes.otp.hold=0s", do: lost("otp", 9*time.Minute, gap), with: 30, off: 0},
		{name: "hold of reply", keys: "drafts.classes.reply.hold", base: plain, without: "drafts.classes.reply.hold=0s", do: lost("reply", time.Minute, state), with: "queued", off: "unknown: outcome unknown"},
		{name: "hold of transactional", keys: "drafts.classes.transactional.hold", base: plain, without: "drafts.classes.transactional.hold=0s", do: lost("transactional", 9*time.Minute, gap), with: 120, off: 0},
		{name: "hold of bulk", keys: "drafts.classes.bulk.hold", base: plain, without: "drafts.classes.bulk.hold=0s", do: lost("bulk", time.Minute, state), with: "queued", off: "unknown: outcome unknown, dropped"},
		{name: "after the hold of otp", keys: "drafts.classes.otp.on_unknown", base: plain, without: "drafts.classes.otp.on_unknown=stay", do: lost("otp", 9*time.Minute, copies), with: 3, off: 1},
		{name: "after the hold of reply", keys: "drafts.classes.reply.on_unknown", base: plain + "drafts.classes.reply.resends=1", without: "drafts.classes.reply.on_unknown=resend", do: lost("reply", 9*time.Minute, copies), with: 1, off: 2},
		{name: "after the hold of transactional", keys: "drafts.classes.transactional.on_unknown", base: plain, without: "drafts.classes.transactional.on_unknown=stay", do: lost("transactional", 9*time.Minute, copies), with: 2, off: 1},
		{name: "after the hold of bulk", keys: "drafts.classes.bulk.on_unknown", base: plain, without: "drafts.classes.bulk.on_unknown=stay", do: lost("bulk", 9*time.Minute, state), with: "unknown: outcome unknown, dropped", off: "unknown: outcome unknown"},
		{name: "resends of otp", keys: "drafts.classes.otp.resends", base: plain, without: "drafts.classes.otp.resends=0", do: lost("otp", 9*time.Minute, copies), with: 3, off: 1},
		{name: "resends of reply", keys: "drafts.classes.reply.resends", base: plain + "drafts.classes.reply.on_unknown=resend; drafts.classes.reply.resends=2", without: "drafts.classes.reply.resends=0", do: lost("reply", 9*time.Minute, copies), with: 3, off: 1},
		{name: "resends of transactional", keys: "drafts.classes.transactional.resends", base: plain, without: "drafts.classes.transactional.resends=0", do: lost("transactional", 9*time.Minute, copies), with: 2, off: 1},
		{name: "resends of bulk", keys: "drafts.classes.bulk.resends", base: plain + "drafts.provider.open=0s; drafts.classes.bulk.on_unknown=resend; drafts.classes.bulk.resends=2", without: "drafts.classes.bulk.resends=0", do: lost("bulk", 9*time.Minute, copies), with: 3, off: 1},
		{name: "a status that does not come", keys: "drafts.status.missing", base: plain, without: "drafts.status.missing=0s", with: "accepted: no status came within 15m0s", off: "accepted",
			do: func(w *world) any {
				w.api.statuses = false
				w.posts(1)
				settle(20 * time.Minute)
				return w.state("m0000")
			}},
		{name: "webhooks are acknowledged when they are stored", keys: "whatsapp.webhooks.ack", base: plain, without: "whatsapp.webhooks.ack=received", with: false, off: true,
			do: func(w *world) any {
				w.api.statuses = false
				w.posts(1)
				settle(time.Minute)
				w.refuses("drafts", "/v1/status", func(int64) bool { return true })
				return w.api.tell(1, "m0000-1.1", "delivered", "s") == 200
			}},
		{name: "statuses are handed on", keys: "whatsapp.webhooks.flush", base: plain, without: "whatsapp.webhooks.flush=10m", with: "delivered", off: "accepted",
			do: func(w *world) any { w.posts(1); settle(time.Minute); return w.state("m0000") }},
		{name: "statuses are handed on so many at a time", keys: "whatsapp.webhooks.batch", base: plain, without: "whatsapp.webhooks.batch=1", with: true, off: false,
			do: func(w *world) any {
				c := w.refuses("drafts", "/v1/status", func(int64) bool { return false })
				w.posts(30)
				settle(time.Minute)
				return c.n() < 10
			}},
	}
}
