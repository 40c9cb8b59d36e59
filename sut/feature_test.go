package sut

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hardenedWorld is a hardened sender with settings laid over it.
func hardenedWorld(t *testing.T, settings string) *world {
	cfg, err := ParseConfig("test", []byte("preset: hardened\n"+settings))
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, cfg)
}

// call makes a request to the WhatsApp service.
func (w *world) call(method, path, body string, header ...string) (int, string, http.Header) {
	req, err := http.NewRequest(method, "http://whatsapp"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := w.net.RoundTrip(req)
	if err != nil {
		return 0, err.Error(), nil
	}
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), resp.Header
}

// code is the code of a refusal.
func code(body string) string {
	var r struct {
		Error struct{ Code, Message, Hint string }
	}
	if json.Unmarshal([]byte(body), &r) != nil || r.Error.Message == "" || r.Error.Hint == "" {
		return "incomplete refusal: " + body
	}
	return r.Error.Code
}

func (w *world) count(marker string) int {
	w.api.mu.Lock()
	defer w.api.mu.Unlock()
	return len(w.api.accepted[marker])
}

func (w *world) state(id string) string {
	state, reason, _, _ := w.sender.State(id)
	if reason != "" {
		state += ": " + reason
	}
	return state
}

func TestIdempotencyKey(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "drafts: {work: {create: 2s}}")
		defer w.close()
		hello, other := text("m1"), text("m2")
		type answer struct {
			status int
			body   string
		}
		first := make(chan answer, 1)
		go func() {
			s, b, _ := w.call("POST", "/v1/messages", hello, "Idempotency-Key", "k1")
			first <- answer{s, b}
		}()
		settle(500 * time.Millisecond)
		// The front door waits for a create that is under way; asked directly, Drafts says so.
		req := `{"id":"k-1","to":"15550001","type":"text","text":"m1","key":"direct","print":7}`
		go func() { _, _ = w.drafts(req) }()
		settle(100 * time.Millisecond)
		if status, body := w.drafts(req); status != 409 || code(body) != "key_in_progress" {
			t.Errorf("second create under way: %d %s, want 409 key_in_progress", status, body)
		}
		got := <-first
		if got.status != 202 {
			t.Fatalf("first: %d %s", got.status, got.body)
		}
		again, body, h := w.call("POST", "/v1/messages", hello, "Idempotency-Key", "k1")
		if again != 202 || body != got.body || h.Get("Idempotent-Replay") != "true" {
			t.Errorf("replay: %d %s replayed=%q, want 202 %s", again, body, h.Get("Idempotent-Replay"), got.body)
		}
		if status, body, _ := w.call("POST", "/v1/messages", other, "Idempotency-Key", "k1"); status != 422 || code(body) != "key_reused" {
			t.Errorf("key with another body: %d %s, want 422 key_reused", status, body)
		}
		settle(time.Minute)
		if n := w.count("m1"); n != 2 { // once through the door, once through the direct create above
			t.Errorf("m1 was accepted %d times, want 2", n)
		}
		if n := w.count("m2"); n != 0 {
			t.Errorf("m2 was accepted %d times, want 0", n)
		}
	})
}

// drafts creates a draft at the Drafts service directly.
func (w *world) drafts(body string) (int, string) {
	req, _ := http.NewRequest("POST", "http://drafts/v1/drafts", strings.NewReader(body))
	resp, err := w.net.RoundTrip(req)
	if err != nil {
		return 0, err.Error()
	}
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func TestFailedCreateCanBeTriedAgainWithItsKey(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "drafts: {backlog: {max: 1}, rate_limit: 1/min, burst: 1}")
		defer w.close()
		for i := range 3 { // the first is sent at once, the second waits, the third finds no room
			status, body, h := w.call("POST", "/v1/messages", text(fmt.Sprint("m", i)), "Idempotency-Key", fmt.Sprint(i))
			if want := []int{202, 202, 429}[i]; status != want {
				t.Fatalf("message %d: %d %s, want %d", i, status, body, want)
			}
			if status == 429 && (code(body) != "backlog_full" || h.Get("Retry-After") == "") {
				t.Errorf("refusal: %s, Retry-After %q", body, h.Get("Retry-After"))
			}
			time.Sleep(5 * time.Second)
		}
		settle(2 * time.Minute)
		if status, body, _ := w.call("POST", "/v1/messages", text("m2"), "Idempotency-Key", "2"); status != 202 {
			t.Errorf("the same key once there is room: %d %s, want 202", status, body)
		}
	})
}

func TestEveryRefusalSaysWhatToDo(t *testing.T) {
	long := strings.Repeat("a", 5000)
	for _, c := range []struct {
		path, body string
		status     int
		code       string
	}{
		{"/v1/messages", `{`, 400, "bad_json"},
		{"/v1/messages", `{"to":"+15551234567","txt":"x"}`, 400, "bad_json"},
		{"/v1/messages", `{"to":"1","text":"x"}`, 422, "bad_recipient"},
		{"/v1/messages", `{"to":"+15551234567"}`, 422, "no_text"},
		{"/v1/messages", `{"to":"+15551234567","text":"` + long + `"}`, 422, "text_too_long"},
		{"/v1/messages", `{"to":"+15551234567","type":"fax","text":"x"}`, 422, "bad_type"},
		{"/v1/messages", `{"to":"+15551234567","type":"image"}`, 422, "no_media"},
		{"/v1/messages", `{"to":"+15551234567","type":"image","media":{"link":"ftp://x/y"}}`, 422, "bad_link"},
		{"/v1/messages", `{"to":"+15551234567","type":"template"}`, 422, "no_template"},
		{"/v1/messages", `{"to":"+15551234567","text":"x","class":"gold"}`, 422, "bad_class"},
		{"/v1/messages", `{"to":"+15551234567","text":"x","valid_for":"soon"}`, 422, "bad_validity"},
		{"/v1/messages", `{"to":"+15551234567","text":"x","send_at":"tomorrow"}`, 400, "bad_json"},
		{"/v1/messages", `{"to":"+15551234567","text":"x","send_at":"2050-01-01T00:00:00Z"}`, 422, "too_far"},
		{"/v1/messages", `{"to":"+15551234567","text":"` + strings.Repeat("x", 70_000) + `"}`, 413, "too_large"},
		{"/v1/messages/batch", `{"messages":[]}`, 422, "bad_batch"},
		{"/v1/messages/batch", `[]`, 400, "bad_json"},
		{"/v1/nothing", ``, 404, "no_such_door"},
		{"/v1/pause", `{"scope":"galaxy"}`, 422, "bad_order"},
		{"/v1/pause", `{"scope":"all","for":"a while"}`, 422, "bad_order"},
		{"/v1/resume", `{"scope":"all"}`, 404, "not_paused"},
		{"/v1/dead/99/replay", ``, 404, "no_such_letter"},
		{"/webhooks/whatsapp", `{}`, 401, "bad_signature"},
		{"/v1/send", `{}`, 400, "bad_draft"},
	} {
		inBubble(t, func(t *testing.T) {
			w := hardenedWorld(t, "")
			defer w.close()
			status, body, _ := w.call("POST", c.path, c.body)
			if status != c.status || code(body) != c.code {
				t.Errorf("POST %s %.60s: %d %s, want %d %s", c.path, c.body, status, code(body), c.status, c.code)
			}
		})
	}
}

func TestBatch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		defer w.close()
		batch := `{"messages":[` + text("m1") + `,{"to":"1"},` + text("m3") + `]}`
		for range 2 { // the second time everything is there already
			status, body, _ := w.call("POST", "/v1/messages/batch", batch, "Idempotency-Key", "b")
			var got struct{ Results []struct{ Index, Status int } }
			if err := json.Unmarshal([]byte(body), &got); err != nil || status != 207 || len(got.Results) != 3 {
				t.Fatalf("batch: %d %s", status, body)
			}
			for i, want := range []int{202, 422, 202} {
				if got.Results[i].Status != want {
					t.Errorf("message %d: %d, want %d", i, got.Results[i].Status, want)
				}
			}
		}
		settle(10 * time.Second)
		if w.count("m1") != 1 || w.count("m3") != 1 {
			t.Errorf("accepted %d and %d times, want once each", w.count("m1"), w.count("m3"))
		}
	})
}

func TestScheduleAndCancel(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		defer w.close()
		at := time.Now().Add(time.Hour).Format(time.RFC3339)
		for _, id := range []string{"m1", "m2"} {
			body := strings.TrimSuffix(text(id), "}") + `,"send_at":"` + at + `"}`
			if status, answer := w.post(t.Context(), id, 1, body); status != 202 {
				t.Fatalf("%d %s", status, answer)
			}
		}
		settle(10 * time.Minute)
		if status, body, _ := w.call("DELETE", "/v1/messages/m2", ""); status != 200 || !strings.Contains(body, "cancelled") {
			t.Errorf("cancel: %d %s", status, body)
		}
		if w.count("m1") != 0 {
			t.Error("sent before its time")
		}
		settle(time.Hour)
		if w.count("m1") != 1 || w.count("m2") != 0 {
			t.Errorf("accepted %d and %d times, want 1 and 0", w.count("m1"), w.count("m2"))
		}
		if status, body, _ := w.call("DELETE", "/v1/messages/m1", ""); status != 409 || code(body) != "too_late" {
			t.Errorf("cancel too late: %d %s", status, body)
		}
		if status, body, _ := w.call("GET", "/v1/messages/m2", ""); status != 200 || !strings.Contains(body, `"state":"cancelled"`) {
			t.Errorf("m2: %d %s", status, body)
		}
	})
}

func TestAmbiguousSendIsHeldAndResolvedByItsStatus(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		w.api.decide = func(uint64, string) (int, string, bool) { return 200, "", true } // accepted, the answer is lost
		defer w.close()
		w.post(t.Context(), "m1", 1, text("m1"))
		settle(10 * time.Minute)
		if w.count("m1") != 1 || w.state("m1") != "delivered" {
			t.Errorf("accepted %d times, %s; want once, delivered", w.count("m1"), w.state("m1"))
		}
		if st := w.sender.Stats(); st.Held+st.Resolved == 0 || st.Backlog != 0 {
			t.Errorf("held %d, resolved %d, backlog %d", st.Held, st.Resolved, st.Backlog)
		}
	})
}

func TestUnknownOutcomeByClass(t *testing.T) {
	for class, want := range map[string]struct {
		copies int
		state  string
	}{
		"otp": {3, "unknown: outcome unknown"}, "reply": {1, "unknown: outcome unknown"},
		"transactional": {2, "unknown: outcome unknown"}, "bulk": {1, "unknown: outcome unknown, dropped"},
	} {
		inBubble(t, func(t *testing.T) {
			w := hardenedWorld(t, "")
			w.api.statuses = false
			w.api.decide = func(uint64, string) (int, string, bool) { return 200, "", true }
			defer w.close()
			w.post(t.Context(), "m1", 1, strings.TrimSuffix(text("m1"), "}")+`,"class":"`+class+`"}`)
			time.Sleep(9 * time.Minute)
			if w.count("m1") != want.copies || w.state("m1") != want.state {
				t.Errorf("%s: sent %d times, %s; want %d, %s", class, w.count("m1"), w.state("m1"), want.copies, want.state)
			}
		})
	}
}

func TestMediaIsUploadedAnewWhenItHasExpired(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		w.api.life = time.Minute // the sender trusts its ids for an hour
		defer w.close()
		w.post(t.Context(), "m1", 1, image("m1"))
		settle(10 * time.Minute)
		body := strings.Replace(image("m2"), "files/m2", "files/m1", 1)
		w.post(t.Context(), "m2", 1, body)
		settle(10 * time.Minute)
		if w.count("m1") != 1 || w.count("m2") != 1 {
			t.Errorf("accepted %d and %d times, want once each", w.count("m1"), w.count("m2"))
		}
		if st := w.sender.Stats(); st.MediaErrors != 1 || st.Uploads != 2 {
			t.Errorf("%d media errors and %d uploads, want 1 and 2", st.MediaErrors, st.Uploads)
		}
	})
}

func TestTemplateGoesOutWhenTheWindowHasClosed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		defer w.close()
		ended := time.Now().Add(-time.Minute).Format(time.RFC3339)
		body := `{"to":"+15551234567","text":"m1","window_ends":"` + ended + `"`
		w.post(t.Context(), "m1", 1, body+`}`)
		w.post(t.Context(), "m2", 1, body+`,"template":{"name":"hello","language":{"code":"en"}}}`)
		settle(time.Minute)
		if got := w.state("m1"); got != "failed: outside the 24 h window, and no template to fall back on" {
			t.Errorf("m1: %s", got)
		}
		if got := w.state("m2"); got != "delivered" {
			t.Errorf("m2: %s", got)
		}
	})
}

func TestPauseAndResume(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		defer w.close()
		w.call("POST", "/v1/pause", `{"scope":"tenant","name":"acme"}`)
		w.call("POST", "/v1/pause", `{"scope":"lane","name":"bulk","for":"5m"}`)
		say := func(id, more string) {
			w.post(t.Context(), id, 1, strings.TrimSuffix(text(id), "}")+more+"}")
		}
		say("m1", `,"tenant":"acme"`)
		say("m2", `,"tenant":"other"`)
		say("m3", `,"class":"bulk"`)
		settle(time.Minute)
		if w.count("m1") != 0 || w.count("m2") != 1 || w.count("m3") != 0 {
			t.Errorf("paused: %d %d %d, want 0 1 0", w.count("m1"), w.count("m2"), w.count("m3"))
		}
		settle(5 * time.Minute)
		w.call("POST", "/v1/resume", `{"scope":"tenant","name":"acme"}`)
		settle(time.Minute)
		if w.count("m1") != 1 || w.count("m3") != 1 {
			t.Errorf("resumed: %d %d, want 1 1", w.count("m1"), w.count("m3"))
		}
		w.call("POST", "/v1/pause", `{"scope":"all"}`) // the kill switch
		say("m4", "")
		settle(10 * time.Minute)
		if w.count("m4") != 0 {
			t.Error("sent although everything is paused")
		}
	})
}

func TestDeadLettersAreReplayed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		broken := true
		w.api.decide = func(uint64, string) (int, string, bool) {
			if broken {
				return 400, `{"error":{"code":131057,"message":"service unavailable"}}`, false
			}
			return 200, "", false
		}
		defer w.close()
		w.post(t.Context(), "m1", 1, text("m1"))
		settle(10 * time.Minute)
		_, body, _ := w.call("GET", "/v1/dead", "")
		var got struct {
			Dead []struct{ ID, Draft, Reason string }
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Dead) != 1 || got.Dead[0].Draft != "m1-1" || strings.Contains(body, "555") {
			t.Fatalf("dead letters: %s", body)
		}
		broken = false
		if status, body, _ := w.call("POST", "/v1/dead/"+got.Dead[0].ID+"/replay", ""); status != 204 {
			t.Fatalf("replay: %d %s", status, body)
		}
		settle(time.Minute)
		if w.count("m1") != 1 || w.state("m1") != "delivered" {
			t.Errorf("accepted %d times, %s", w.count("m1"), w.state("m1"))
		}
	})
}

func TestOrderWithinAConversation(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		first := true
		w.api.decide = func(_ uint64, callback string) (int, string, bool) {
			if strings.HasPrefix(callback, "m1-") && first {
				first = false
				return 400, `{"error":{"code":131057,"message":"not now"}}`, false
			}
			return 200, "", false
		}
		defer w.close()
		for i := 1; i <= 5; i++ {
			id := fmt.Sprint("m", i)
			w.post(t.Context(), id, 1, `{"to":"+15551234567","text":"`+id+`"}`)
		}
		settle(time.Minute)
		var got []string
		for _, c := range w.api.calls {
			got = append(got, c[:2])
		}
		if fmt.Sprint(got) != "[m1 m2 m3 m4 m5]" {
			t.Errorf("accepted in order %v", got)
		}
	})
}

func TestTenantsTakeTurns(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "drafts: {rate_limit: 1/s, burst: 1, order: {shards: 4}}")
		defer w.close()
		for i := range 200 {
			id := fmt.Sprintf("b%03d", i)
			w.post(t.Context(), id, 1, fmt.Sprintf(`{"to":"+1555000%04d","text":%q,"tenant":"big"}`, i, id))
		}
		w.post(t.Context(), "s1", 1, `{"to":"+15559990001","text":"s1","tenant":"small"}`)
		settle(20 * time.Second)
		if w.count("s1") != 1 {
			t.Errorf("the small tenant's message waits behind the big one's backlog of %d", w.sender.Stats().Backlog)
		}
	})
}

func TestStoppedNumberOpensItsBreaker(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		var locked atomic.Bool
		locked.Store(true)
		w.api.decide = func(uint64, string) (int, string, bool) {
			if locked.Load() {
				return 403, `{"error":{"code":131031,"message":"locked"}}`, false
			}
			return 200, "", false
		}
		defer w.close()
		for i := range 20 {
			id := fmt.Sprintf("m%03d", i)
			w.post(t.Context(), id, 1, text(id))
		}
		settle(10 * time.Minute)
		calls := w.api.n
		if calls > 60 {
			t.Errorf("%d calls to a locked account", calls)
		}
		if r := w.sender.Ready(); r.KeepingUp || !r.Accepting {
			t.Errorf("readiness %+v", r)
		}
		locked.Store(false)
		settle(20 * time.Minute)
		if st := w.sender.Stats(); st.Accepted != 20 || st.Backlog != 0 {
			t.Errorf("accepted %d, backlog %d, want 20 and 0", st.Accepted, st.Backlog)
		}
	})
}

// TestThrottledNumberIsPacedByWhatGetsThrough lets the API take five messages a second of seven.
func TestThrottledNumberIsPacedByWhatGetsThrough(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		defer w.close()
		var calls, taken int
		var second time.Time
		w.api.decide = func(uint64, string) (int, string, bool) {
			w.api.mu.Lock()
			defer w.api.mu.Unlock()
			calls++
			if now := time.Now().Truncate(time.Second); now != second {
				second, taken = now, 0
			}
			if taken == 5 {
				return 429, `{"error":{"code":130429,"message":"rate limit hit"}}`, false
			}
			taken++
			return 200, "", false
		}
		const n = 1000
		var posts sync.WaitGroup
		for i := range n {
			id := fmt.Sprintf("m%04d", i)
			posts.Go(func() { w.post(t.Context(), id, 1, text(id)) })
			time.Sleep(time.Second / 7)
		}
		posts.Wait()
		settle(10 * time.Minute)
		if st := w.sender.Stats(); st.Accepted != n || st.Backlog != 0 {
			t.Errorf("accepted %d, backlog %d, want %d and 0", st.Accepted, st.Backlog, n)
		}
		if calls > n*11/10 {
			t.Errorf("%d calls for %d messages: it knocks where it is not let in", calls, n)
		}
	})
}

func TestKilledAndPausedReplicas(t *testing.T) {
	for _, verb := range []string{"kill", "pause", "partition", "restart"} {
		inBubble(t, func(t *testing.T) {
			w := hardenedWorld(t, "")
			defer w.close()
			for i := range 60 {
				id := fmt.Sprintf("m%03d", i)
				go w.post(context.Background(), id, 1, text(id))
				time.Sleep(200 * time.Millisecond)
				if i == 10 {
					if err := w.sender.Act(verb, "whatsapp/1", 0); err != nil {
						t.Fatal(err)
					}
				}
				if i == 50 && (verb == "pause" || verb == "partition") {
					if err := w.sender.Act(map[string]string{"pause": "resume", "partition": "heal"}[verb], "whatsapp/1", 0); err != nil {
						t.Fatal(err)
					}
				}
			}
			time.Sleep(30 * time.Minute)
			st := w.sender.Stats()
			if st.Accepted != st.Created || st.Duplicates != 0 || st.Backlog != 0 {
				t.Errorf("%s: created %d, accepted %d, duplicates %d, backlog %d", verb, st.Created, st.Accepted, st.Duplicates, st.Backlog)
			}
			if st.WhatsApp.Ready < 3 {
				t.Errorf("%s: %d replicas are ready, want 3", verb, st.WhatsApp.Ready)
			}
		})
	}
	inBubble(t, func(t *testing.T) { // the end of a kill, a pause or a partition of a copy that scaling has removed
		w := hardenedWorld(t, "whatsapp: {replicas: {min: 3}}")
		defer w.close()
		for _, verbs := range [][2]string{{"kill", "start"}, {"pause", "resume"}, {"partition", "heal"}} {
			if err := w.sender.Act("scale", "whatsapp", 3); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute)
			if err := w.sender.Act(verbs[0], "whatsapp/3", 0); err != nil {
				t.Fatal(err)
			}
			if err := w.sender.Apply([]byte("whatsapp: {replicas: {min: 1, max: 2}}")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute)
			if err := w.sender.Act(verbs[1], "whatsapp/3", 0); err != nil {
				t.Errorf("%s after %s: %v", verbs[1], verbs[0], err)
			}
		}
	})
	if err := (&Sender{}).Act("kill", "moon/1", 0); err == nil {
		t.Error("an unknown target is no error")
	}
}

func TestSettingsChangeWholeOrNotAtAll(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		defer w.close()
		before := w.sender.Effective()["drafts.rate_limit"]
		status, body, _ := w.call("PATCH", "/v1/settings", "drafts: {rate_limit: 300/min, burst: 0}")
		if status != 422 || code(body) != "bad_settings" || w.sender.Effective()["drafts.rate_limit"] != before {
			t.Errorf("half a change: %d %s, rate limit %s", status, body, w.sender.Effective()["drafts.rate_limit"])
		}
		if status, body, _ := w.call("PATCH", "/v1/settings?dry_run=1", "drafts: {rate_limit: 300/min}"); status != 200 || w.sender.Effective()["drafts.rate_limit"] != before {
			t.Errorf("dry run: %d %.80s", status, body)
		}
		if status, _, _ := w.call("PATCH", "/v1/settings", `{"drafts":{"rate_limit":"300/min"}}`); status != 200 || w.sender.Effective()["drafts.rate_limit"] != "300/min" {
			t.Errorf("change: %d, rate limit %s", status, w.sender.Effective()["drafts.rate_limit"])
		}
		if status, body, _ := w.call("PATCH", "/v1/settings", "drafts: {rate_limitt: 1/s}"); status != 422 || !strings.Contains(body, "rate_limit?") {
			t.Errorf("misspelt: %d %s", status, body)
		}
		for _, queue := range []string{"dispatch: {lease: 10m}", "idempotency: {window: 1h}", "backlog: {max: 300000}", "backlog: {max: 0}"} {
			if status, body, _ := w.call("PATCH", "/v1/settings", "drafts: {"+queue+"}"); status != 422 || code(body) != "bad_settings" {
				t.Errorf("%s, which the queue was opened with: %d %s", queue, status, body)
			}
		}
		for _, room := range []string{"100", "200000"} {
			if status, body, _ := w.call("PATCH", "/v1/settings", "drafts: {backlog: {max: "+room+"}}"); status != 200 {
				t.Errorf("a backlog of %s: %d %s", room, status, body)
			}
		}
	})
}

func TestMetricsAndHealth(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		defer w.close()
		w.post(t.Context(), "m1", 1, text("m1"))
		settle(10 * time.Second)
		_, body, _ := w.call("GET", "/metrics", "")
		for _, want := range []string{
			"aftershock_sender_accepted_total 1\n", "aftershock_sender_backlog 0\n", "aftershock_sender_backlog_per_replica 0\n",
			`aftershock_sender_replicas_ready{service="whatsapp"} 3`, "aftershock_sender_send_seconds_count 1\n",
		} {
			if !strings.Contains(body, want) {
				t.Errorf("metrics lack %q", want)
			}
		}
		if status, body, _ := w.call("GET", "/readyz?level=keeping_up", ""); status != 200 {
			t.Errorf("readyz: %d %s", status, body)
		}
		if status, _, _ := w.call("GET", "/healthz", ""); status != 200 {
			t.Errorf("healthz: %d", status)
		}
		if status, body, _ := w.call("GET", "/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=v&hub.challenge=42", ""); status != 200 || body != "42" {
			t.Errorf("verification: %d %s", status, body)
		}
	})
}

func TestPresetsAreWhole(t *testing.T) {
	for _, name := range Presets() {
		c := preset(t, name)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		again, err := ParseConfig(name, []byte("preset: "+name))
		if err != nil || fmt.Sprint(again.Effective()) != fmt.Sprint(c.Effective()) {
			t.Errorf("%s: parsed it differs: %v", name, err)
		}
	}
	if _, err := ParseConfig("x.yaml", []byte("preset: hardened\ndrafts: {rate_limitt: 400/min}")); err == nil || !strings.Contains(err.Error(), "rate_limit?") {
		t.Errorf("misspelt key: %v", err)
	}
	if bytes.Contains([]byte(fmt.Sprint(Keys())), []byte("*")) {
		t.Errorf("a setting has no fixed key: %v", Keys())
	}
}
