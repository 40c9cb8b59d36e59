package sut

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

// policyRow is one policy at work: what comes of a scenario with it, and what when it alone is turned off.
type policyRow struct {
	name      string
	keys      string // the settings that it shows at work; one that ends in a dot stands for all below it
	base      string // laid over hardened
	without   string // laid over that: the policy is off
	do        func(w *world) any
	with, off any
}

// TestEveryPolicyIsWired: turning a policy off changes what comes of a scenario that is made for it.
func TestEveryPolicyIsWired(t *testing.T) {
	for _, row := range policyRows() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if fmt.Sprint(row.with) == fmt.Sprint(row.off) {
				t.Fatalf("the row expects %v with and without", row.with)
			}
			for _, c := range []struct {
				is       string
				settings []string
				want     any
			}{{"with it", []string{row.base}, row.with}, {"without it", []string{row.base, row.without}, row.off}} {
				var got any
				inBubble(t, func(t *testing.T) {
					w := newWorld(t, laid(t, c.settings...))
					defer w.close()
					got = row.do(w)
				})
				if fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("%s: %v, want %v", c.is, got, c.want)
				}
			}
		})
	}
}

// laid is hardened with settings laid over it, one after the other.
func laid(t *testing.T, settings ...string) Config {
	t.Helper()
	flat := map[string]string{"preset": "hardened"}
	for _, s := range settings {
		for line := range strings.Lines(s) {
			for _, one := range strings.Split(line, ";") {
				if key, value, ok := strings.Cut(strings.TrimSpace(one), "="); ok {
					flat[strings.TrimSpace(key)] = strings.TrimSpace(value)
				}
			}
		}
	}
	values := map[string]any{}
	for k, v := range flat {
		values[k] = v
	}
	tree, err := strict.Nest(values)
	if err != nil {
		t.Fatal(err)
	}
	c, err := overlay(preset(t, "hardened"), tree)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEveryPolicyHasARow: every setting is in a row of TestEveryPolicyIsWired, or says here why it is not a policy.
func TestEveryPolicyHasARow(t *testing.T) {
	rows := map[string]bool{}
	for _, row := range policyRows() {
		if rows[row.name] {
			t.Errorf("two rows are called %q", row.name)
		}
		rows[row.name] = true
	}
	covers := func(list, key string) bool {
		for _, k := range strings.Fields(list) {
			if k == key || strings.HasSuffix(k, ".") && strings.HasPrefix(key, k) {
				return true
			}
		}
		return false
	}
	// How the machine and the copies are modelled, what an operator reads, and what Drafts does not use: sends wait there in
	// its own flights, and it is not asked by class.
	const model = `preset simulate health.behind drafts.work. whatsapp.work. drafts.replicas. whatsapp.replicas.memory. drafts.backlog.draft_bytes
		whatsapp.replicas.cores whatsapp.replicas.probe whatsapp.scaling.contention whatsapp.scaling.coherence whatsapp.scaling.scrape_delay
		drafts.admission.codel. drafts.admission.shed. drafts.admission.back_queue`
	for _, key := range Keys() {
		row := false
		for _, r := range policyRows() {
			row = row || covers(r.keys, key)
		}
		switch {
		case row && covers(model, key):
			t.Errorf("%s has a row, and is said to be no policy", key)
		case !row && !covers(model, key):
			t.Errorf("%s: no row shows that turning it off changes anything", key)
		}
	}
}

// The scenarios' vocabulary.

// posts posts n messages, each to somebody else, at once.
func (w *world) posts(n int, more ...string) {
	for i := range n {
		id := fmt.Sprintf("m%04d", i)
		w.post(w.t.Context(), id, 1, strings.TrimSuffix(text(id), "}")+strings.Join(more, "")+"}")
	}
}

// total is how many copies the API has taken.
func (w *world) total() (n int) {
	w.api.mu.Lock()
	defer w.api.mu.Unlock()
	for _, at := range w.api.accepted {
		n += len(at)
	}
	return n
}

// answers makes the API answer with an error to as many calls as told, -1 to all, and returns when it was called.
func (w *world) answers(status, code, times int) *calls {
	c := new(calls)
	w.api.decide = func(uint64, string) (int, string, bool) {
		n := c.add()
		if times < 0 || n <= times {
			return status, fmt.Sprintf(`{"error":{"code":%d,"message":"no"}}`, code), false
		}
		return 200, "", false
	}
	return c
}

// lost makes the API take every message, and its answers get lost; no status comes.
func (w *world) lost() *calls {
	c := new(calls)
	w.api.statuses = false
	w.api.decide = func(uint64, string) (int, string, bool) { c.add(); return 200, "", true }
	return c
}

// calls are the instants of calls.
type calls struct {
	mu sync.Mutex
	at []time.Time
}

func (c *calls) add() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Now())
	return len(c.at)
}

func (c *calls) n() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.at)
}

// gap is the time between two calls in whole seconds, -1 when there was no second.
func (c *calls) gap(i int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i+1 >= len(c.at) {
		return -1
	}
	return int(c.at[i+1].Sub(c.at[i]).Round(time.Second).Seconds())
}

// refuses puts a door before a host that turns requests to a path away with 503 as long as it is told.
func (w *world) refuses(host, path string, while func(n int64) bool) *calls {
	inner, c := w.net.hosts[host], new(calls)
	var n atomic.Int64
	w.net.hosts[host] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			c.add()
			if while(n.Add(1)) {
				rw.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		}
		inner.ServeHTTP(rw, r)
	})
	return c
}

// peak tells how many calls of the API were under way at once at the most.
func (w *world) peak() *atomic.Int64 {
	var now, most atomic.Int64
	inner := w.net.hosts["api"]
	w.net.hosts["api"] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		inner.ServeHTTP(rw, r)
	})
	return &most
}
