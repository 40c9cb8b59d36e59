package fakewa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
)

// try sends one text and tells what the client saw.
func (b backend) try(ctx context.Context, text string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, "POST", b.base+hooksPath, strings.NewReader(`{"messaging_product":"whatsapp","to":"16505551234","text":{"body":"`+text+`"}}`))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer EAAtest")
	res, err := b.http.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	return res.StatusCode, string(out), err
}

// What a client sees of each fault, by whichever way it reaches the fake.
func TestFaultsOnTheWire(t *testing.T) {
	backends(t, func(t *testing.T, b backend) {
		plain := strings.HasPrefix(b.base, "http://127") // over a connection of its own, not a stream of HTTP/2
		overWire := strings.HasPrefix(b.base, "http://127") || strings.HasPrefix(b.base, "https://127")
		for _, c := range []struct {
			fault    string
			accepted bool
			want     func(status int, body string, err error) bool
		}{
			{"{kind: reset}", false, func(_ int, _ string, err error) bool {
				return err != nil && (!plain || errors.Is(err, syscall.ECONNRESET))
			}},
			{"{kind: refuse-connections, type: text}", false, func(_ int, _ string, err error) bool { return err != nil }},
			{"{kind: refuse-connections}", false, func(_ int, _ string, err error) bool {
				return err != nil && (!overWire || errors.Is(err, syscall.ECONNREFUSED))
			}},
			{"{kind: silence, hold: 50ms}", false, func(_ int, _ string, err error) bool { return err != nil }},
			{"{kind: reply-lost, how: reset}", true, func(_ int, _ string, err error) bool {
				return err != nil && (!plain || errors.Is(err, syscall.ECONNRESET))
			}},
			{"{kind: reply-lost, how: dropped, hold: 50ms}", true, func(_ int, _ string, err error) bool { return err != nil }},
			{"{kind: reply-lost, how: error}", true, func(status int, body string, err error) bool {
				return err == nil && status == 500 && codeOfBody(body) == 131000
			}},
			{"{kind: truncate}", true, func(_ int, body string, err error) bool {
				return !overWire || err != nil && strings.HasPrefix(body, `{"messaging_product"`)
			}},
			{"{kind: slow-body, over: 20ms}", true, func(status int, body string, err error) bool {
				return err == nil && status == 200 && strings.HasSuffix(body, `"}]}`)
			}},
			{"{kind: not-json, status: 502}", true, func(status int, body string, err error) bool {
				return err == nil && status == 502 && strings.HasPrefix(body, "<html>")
			}},
			{"{kind: not-json, body: ok}", true, func(status int, body string, err error) bool { return err == nil && status == 200 && body == "ok" }},
			{"{kind: latency, add: 5ms}", true, func(status int, _ string, err error) bool { return err == nil && status == 200 }},
			{"{kind: error, code: 131030}", false, func(status int, body string, err error) bool {
				return err == nil && status == 400 && strings.Contains(body, `"error_subcode":2655007,"error_user_title":"`) && strings.Contains(body, `"error_user_msg":"`)
			}},
			{"{kind: error, code: 131056}", false, func(status int, body string, err error) bool {
				return err == nil && status == 400 && codeOfBody(body) == 131056
			}},
		} {
			t.Run(c.fault, func(t *testing.T) {
				before := b.s.Summary()
				if err := b.s.Apply("f", []byte(c.fault)); err != nil {
					t.Fatal(err)
				}
				b.http.CloseIdleConnections() // HTTP/2 may still write to a kept connection that was just reset
				status, body, err := b.try(t.Context(), "hello")
				if !c.want(status, body, err) {
					t.Errorf("the client saw %d %q %v", status, body, err)
				}
				if err := b.s.Clear("f"); err != nil {
					t.Fatal(err)
				}
				count := map[bool]int64{true: 1}
				after := b.s.Summary()
				if got := after.Accepted - before.Accepted; got != count[c.accepted] {
					t.Errorf("%d accepted", got)
				}
				told := err == nil && status == 200 && strings.Contains(body, "wamid.")
				if got := after.Withheld - before.Withheld; got != count[c.accepted && !told] {
					t.Errorf("%d withheld, and the client saw %d %q", got, status, body)
				}
				if status, body, err := b.try(t.Context(), "hello"); status != 200 || err != nil {
					t.Errorf("after the fault: %d %s %v", status, body, err)
				}
			})
		}
	})
}

// With replies lost on one send in ten and a client that retries timeouts, the summary counts exactly the copies that
// were accepted: what the client can only guess.
func TestSummaryCountsCopiesExactly(t *testing.T) {
	for _, how := range []string{"dropped", "late", "reset", "error"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := Defaults()
				cfg.Limits = Limits{}
				s := start(t, cfg, Wiring{Seed: 3, Lanes: instant.Lanes{On: true}})
				if status, body := call(t, s.Control(), "PUT", "/faults/lost", "", "{kind: reply-lost, how: "+how+", by: 1m, share: 10%}"); status != 200 {
					t.Fatal(body)
				}
				const messages = 1000
				tries := make([]int, messages)
				b := backend{s: s, base: "http://graph.test", http: &http.Client{Transport: pipe{s}}}
				var wg sync.WaitGroup
				for i := range messages {
					wg.Go(func() {
						lane := instant.Lanes{On: true}.Of(instant.Client, uint64(i))
						lane.Sleep(time.Duration(i) * 20 * time.Millisecond)
						for {
							tries[i]++
							ctx, cancel := context.WithDeadline(t.Context(), lane.Deadline(10*time.Second))
							status, _, err := b.try(ctx, fmt.Sprintf("[ref:m%d]", i))
							cancel()
							if err == nil && status == 200 {
								return
							}
							lane.Sleep(time.Second)
						}
					})
				}
				wg.Wait()
				pass(time.Hour)
				var copies, duplicated int64
				for _, n := range tries {
					copies += int64(n - 1)
					if n > 1 {
						duplicated++
					}
				}
				_, body := call(t, s.Control(), "GET", "/ledger/summary", "", "")
				var sum Summary
				if err := json.Unmarshal([]byte(body), &sum); err != nil {
					t.Fatal(err)
				}
				if sum.Messages != messages || sum.Copies != copies || sum.Duplicated != duplicated || sum.Accepted != messages+copies || copies < messages/20 {
					t.Errorf("the client made %d copies of %d messages; the summary says %s", copies, duplicated, body)
				}
				if sum.Withheld != copies || sum.Delivered != sum.Accepted {
					t.Errorf("withheld %d, delivered %d of %d", sum.Withheld, sum.Delivered, sum.Accepted)
				}
			})
		})
	}
}

// Faults come and go while requests are under way, and settings with them.
func TestFaultsWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{}, Wiring{})
		doors := s.Control()
		put := func(path, body string, want int) string {
			t.Helper()
			status, got := call(t, doors, "PUT", path, "", body)
			if status != want {
				t.Fatalf("PUT %s: %d %s", path, status, got)
			}
			return got
		}
		b := backend{s: s, base: "http://graph.test", http: &http.Client{Transport: pipe{s}}}
		begin := time.Now()
		took := func() time.Duration {
			at := time.Now()
			if status, body, err := b.try(t.Context(), "x"); status != 200 {
				t.Fatalf("%d %s %v", status, body, err)
			}
			return time.Since(at)
		}
		put("/faults", `{"slow": {"kind": "latency", "add": "2s", "for": "1m"}, "later": {"kind": "latency", "add": "3s", "to": "999*"}}`, 200)
		if got := took(); got != 2*time.Second {
			t.Errorf("took %v", got)
		}
		put("/faults/slow", "{kind: latency, add: 5s, for: 1m}", 200)
		if got := took(); got != 5*time.Second {
			t.Errorf("changed: took %v", got)
		}
		put("/faults", `{"slow": {"kind": "latency", "add": "1s"}, "bad": {"kind": "latency"}}`, 400)
		if got := took(); got != 5*time.Second {
			t.Errorf("after a refused change: took %v", got)
		}
		pass(time.Minute)
		if got := took(); got != 0 {
			t.Errorf("after a minute: took %v", got)
		}
		if list := s.Faults(); len(list) != 1 || list[0].ID != "later" {
			t.Errorf("in force: %+v", list)
		}
		put("/settings", "latency: 100ms", 200)
		if got := took(); got != 100*time.Millisecond {
			t.Errorf("latency set: took %v", got)
		}
		if status, _ := call(t, doors, "DELETE", "/faults", "", ""); status != 200 {
			t.Error("faults stay")
		}
		if status, body := call(t, doors, "DELETE", "/faults/slow", "", ""); status != 404 {
			t.Errorf("cleared what was not there: %d %s", status, body)
		}
		if !errors.Is(s.Clear("slow"), ErrNoFault) || time.Since(begin) > time.Hour {
			t.Error("clear")
		}
		for _, bad := range []string{"", "a b", "a/b", "a,b", strings.Repeat("x", 65)} {
			if s.Apply(bad, []byte("{kind: reset}")) == nil {
				t.Errorf("id %q was taken", bad)
			}
		}
	})
}

// Nothing is held while an answer waits: a thousand slow ones take as long as one, and what is not slow goes past them.
func TestWaitingHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{}, Wiring{})
		for id, fault := range map[string]string{"slow": "{kind: latency, add: 1h, to: 16505551234}", "drip": "{kind: slow-body, over: 1h, to: 16505551234}"} {
			if err := s.Apply(id, []byte(fault)); err != nil {
				t.Fatal(err)
			}
		}
		begin := time.Now()
		b := backend{s: s, base: "http://graph.test", http: &http.Client{Transport: pipe{s}}}
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if status, body, err := b.try(t.Context(), "x"); status != 200 || err != nil {
					t.Errorf("%d %s %v", status, body, err)
				}
			})
		}
		synctest.Wait()
		if status, _ := call(t, s, "POST", hooksPath, "application/json", text("4915112345678", "x", "")); status != 200 || time.Since(begin) != 0 {
			t.Errorf("another user's message: %d after %v", status, time.Since(begin))
		}
		if status, _ := call(t, s.Control(), "DELETE", "/faults", "", ""); status != 200 || time.Since(begin) != 0 {
			t.Errorf("the control doors: %d after %v", status, time.Since(begin))
		}
		wg.Wait()
		if took := time.Since(begin); took != 2*time.Hour {
			t.Errorf("a thousand took %v", took)
		}
	})
}
