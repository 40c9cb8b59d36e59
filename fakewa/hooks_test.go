package fakewa

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/quantity"
)

// callback is a receiver of webhooks that keeps what it got.
type callback struct {
	mu     sync.Mutex
	posts  []string // bodies
	at     []time.Time
	sigs   []string
	answer func(n int) int // status of the nth post; nil means 200
	takes  time.Duration
}

func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	c.posts, c.at, c.sigs = append(c.posts, string(b)), append(c.at, time.Now()), append(c.sigs, r.Header.Get("X-Hub-Signature-256"))
	n, answer := len(c.posts), c.answer
	c.mu.Unlock()
	time.Sleep(c.takes)
	if answer != nil {
		w.WriteHeader(answer(n))
	}
}

// envelope is a webhook as a receiver reads it.
type envelope struct {
	Object string
	Entry  []struct {
		ID      string
		Changes []struct {
			Field string
			Value struct {
				Product  string `json:"messaging_product"`
				Metadata struct {
					Display string `json:"display_phone_number"`
					ID      string `json:"phone_number_id"`
				}
				Contacts []map[string]any
				Statuses []map[string]any
				Messages []map[string]any
			}
		}
	}
}

func read(t *testing.T, body string) envelope {
	t.Helper()
	var e envelope
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return e
}

// statuses lists the statuses in the order in which they came.
func (c *callback) statuses(t *testing.T) (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.posts {
		for _, e := range read(t, b).Entry {
			for _, s := range e.Changes[0].Value.Statuses {
				out = append(out, fmt.Sprint(s["status"]))
			}
		}
	}
	return out
}

// pass lets time pass, and whatever is due then happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

const hooksPath = "/v24.0/106540352242922/messages"

func bubble(t *testing.T, cfg Config, c *callback, w Wiring, f func(t *testing.T, s *Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w.Webhook, w.AppSecret, w.VerifyToken = "http://sender.test/hook", "s3cret", "t0ken"
		if w.Transport == nil {
			w.Transport = pipe{c}
		}
		w.Lanes = instant.Lanes{On: true}
		f(t, start(t, cfg, w))
	})
}

func TestStatusWebhook(t *testing.T) {
	c := &callback{}
	bubble(t, Config{Statuses: Statuses{ReadShare: 1, Read: quantity.Constant(time.Minute)}}, c, Wiring{}, func(t *testing.T, s *Server) {
		call(t, s, "POST", hooksPath, "application/json", text("+16505551234", "hi", "order ä 😀"))
		pass(time.Hour)
		if got := strings.Join(c.statuses(t), " "); got != "sent delivered read" {
			t.Fatalf("got %s", got)
		}
		for i, body := range c.posts {
			mac := hmac.New(sha256.New, []byte("s3cret"))
			mac.Write([]byte(body))
			if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); c.sigs[i] != want {
				t.Errorf("signature %s, want %s", c.sigs[i], want)
			}
			for _, r := range body {
				if r > 0x7e {
					t.Fatalf("a character that is not escaped: %q", body)
				}
			}
		}
		e := read(t, c.posts[0])
		v := e.Entry[0].Changes[0].Value
		st := v.Statuses[0]
		if e.Object != "whatsapp_business_account" || e.Entry[0].Changes[0].Field != "messages" || v.Product != "whatsapp" || v.Metadata.ID != number || v.Metadata.Display != "15550783881" {
			t.Errorf("envelope: %s", c.posts[0])
		}
		if st["biz_opaque_callback_data"] != "order ä 😀" || st["recipient_id"] != "16505551234" || !wamidForm.MatchString(fmt.Sprint(st["id"])) {
			t.Errorf("status: %v", st)
		}
		if ts, ok := st["timestamp"].(string); !ok || ts != fmt.Sprint(c.at[0].Unix()) {
			t.Errorf("timestamp %v, want a string of seconds", st["timestamp"])
		}
		if p, ok := st["pricing"].(map[string]any); !ok || p["pricing_model"] != "PMP" {
			t.Errorf("pricing: %v", st["pricing"])
		}
		if took := c.at[2].Sub(c.at[1]); took < time.Minute || took > time.Minute+time.Second {
			t.Errorf("read came %v after delivered", took)
		}
	})
}

// Anything but a 200 is retried, at 1, 2, 4 … s, until For is over; the message is delivered once all the same.
func TestWebhookRetries(t *testing.T) {
	c := &callback{answer: func(n int) int {
		return map[bool]int{true: 200, false: 204}[n == 4]
	}}
	cfg := Config{Webhook: Webhook{Statuses: []string{"delivered"}}}
	bubble(t, cfg, c, Wiring{}, func(t *testing.T, s *Server) {
		call(t, s, "POST", hooksPath, "application/json", text("16505551234", "hi", ""))
		pass(time.Hour)
		if len(c.posts) != 4 {
			t.Fatalf("%d posts", len(c.posts))
		}
		for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			if got := c.at[i+1].Sub(c.at[i]); got < want || got > want+50*time.Millisecond {
				t.Errorf("try %d came after %v, want %v", i+2, got, want)
			}
		}
		if w := s.Summary().Webhooks; w.Posts != 4 || w.OK != 1 || w.Failed != 3 || w.Updates != 1 || w.Waiting != 0 {
			t.Errorf("counts: %+v", w)
		}
	})
}

func TestWebhookGivesUpAfterSevenDays(t *testing.T) {
	c := &callback{answer: func(int) int { return 500 }}
	bubble(t, Config{Webhook: Webhook{Statuses: []string{"delivered"}}}, c, Wiring{}, func(t *testing.T, s *Server) {
		call(t, s, "POST", hooksPath, "application/json", text("16505551234", "hi", ""))
		pass(10 * 24 * time.Hour)
		if first, last := c.at[0], c.at[len(c.at)-1]; last.Sub(first) > 7*24*time.Hour || last.Sub(first) < 6*24*time.Hour {
			t.Errorf("%d tries over %v", len(c.at), last.Sub(first))
		}
		if w := s.Summary().Webhooks; w.Given != 1 || w.Waiting != 0 {
			t.Errorf("counts: %+v", w)
		}
	})
}

// A receiver that hangs never slows a send, and holds no more updates than the queue allows.
func TestDeadReceiver(t *testing.T) {
	c := &callback{takes: 24 * time.Hour}
	cfg := Config{Webhook: Webhook{Workers: 2, Queue: 10, Timeout: time.Minute, Retry: Retry{For: time.Hour}}}
	bubble(t, cfg, c, Wiring{}, func(t *testing.T, s *Server) {
		for i := range 50 {
			begin := time.Now()
			if status, body := call(t, s, "POST", hooksPath, "application/json", text("16505551234", fmt.Sprint(i), "")); status != 200 {
				t.Fatal(body)
			}
			if took := time.Since(begin); took > 10*time.Millisecond {
				t.Errorf("send %d took %v", i, took)
			}
		}
		pass(time.Second)
		w := s.Summary().Webhooks
		if w.Waiting > 10 || w.InFlight > 2 || w.Dropped != 100-w.Waiting {
			t.Errorf("held: %+v", w)
		}
		if got := s.Summary().Delivered; got != 50 {
			t.Errorf("%d delivered", got)
		}
		pass(25 * time.Hour)
	})
}

func TestBatches(t *testing.T) {
	c := &callback{}
	cfg := Config{Webhook: Webhook{Batch: 10, Linger: 5 * time.Second, Statuses: []string{"delivered"}}}
	bubble(t, cfg, c, Wiring{}, func(t *testing.T, s *Server) {
		for i := range 25 {
			call(t, s, "POST", hooksPath, "application/json", text("16505551234", fmt.Sprint(i), ""))
		}
		pass(time.Minute)
		var sizes []int
		seen := map[string]bool{}
		for _, b := range c.posts {
			list := read(t, b).Entry[0].Changes[0].Value.Statuses
			sizes = append(sizes, len(list))
			for _, st := range list {
				seen[fmt.Sprint(st["id"])] = true
			}
		}
		if fmt.Sprint(sizes) != "[10 10 5]" || len(seen) != 25 {
			t.Errorf("batches of %v with %d messages", sizes, len(seen))
		}
	})
}

// However full a batch may be, its POST stays below 3 MB.
func TestBatchesStaySmall(t *testing.T) {
	c := &callback{}
	bubble(t, Config{Webhook: Webhook{Batch: 1000, Linger: time.Minute, Statuses: []string{"sent"}}}, c, Wiring{}, func(t *testing.T, s *Server) {
		for i := range 1000 {
			call(t, s, "POST", hooksPath, "application/json", text(fmt.Sprint(16500000000+i), "x", strings.Repeat("ä", 512)))
		}
		pass(time.Hour)
		n := 0
		for _, body := range c.posts {
			n += strings.Count(body, `"status":"sent"`)
			if len(body) > 3<<20 {
				t.Errorf("%d bytes", len(body))
			}
		}
		if n != 1000 || len(c.posts) < 2 {
			t.Errorf("%d updates in %d posts", n, len(c.posts))
		}
	})
}

func TestFailedWebhook(t *testing.T) {
	c := &callback{}
	bubble(t, Config{}, c, Wiring{}, func(t *testing.T, s *Server) {
		if err := s.Apply("f", []byte("{kind: error, code: 131049, as: webhook}")); err != nil {
			t.Fatal(err)
		}
		call(t, s, "POST", hooksPath, "application/json", text("16505551234", "hi", "cb"))
		pass(time.Minute)
		if len(c.posts) != 1 {
			t.Fatalf("posts: %v", c.posts)
		}
		want := `"errors":[{"code":131049,"title":"This message was not delivered to maintain healthy ecosystem engagement.","message":"This message was not delivered to maintain healthy ecosystem engagement.","error_data":{"details":"In order to maintain a healthy ecosystem engagement, the message failed to be delivered."},"href":"/documentation/business-messaging/whatsapp/support/error-codes"}]`
		if !strings.Contains(c.posts[0], want) || !strings.Contains(c.posts[0], `"status":"failed"`) {
			t.Errorf("got %s", c.posts[0])
		}
		last := s.After(1, 0)
		if len(last) != 1 || last[0].Status != "failed" || last[0].Code != 131049 || last[0].Fault != "f" {
			t.Errorf("ledger: %+v", last)
		}
	})
}

func TestInbound(t *testing.T) {
	c := &callback{}
	bubble(t, Config{Limits: Limits{Window: true, WindowBy: "reply"}}, c, Wiring{}, func(t *testing.T, s *Server) {
		hello := text("16505551234", "hello", "")
		if status, _ := call(t, s, "POST", hooksPath, "application/json", hello); status != 400 {
			t.Error("a closed window let a text through")
		}
		id, err := s.Receive(t.Context(), Inbound{From: "+1 650 555 1234", Name: "Päblo", Text: "Hi “there”"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(t.Context(), Inbound{From: "16505551234", Type: "image", Text: "look", Media: &InboundMedia{MIME: "image/jpeg", Data: []byte("jpeg")}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(t.Context(), Inbound{From: "16505551234", Type: "button", Content: json.RawMessage(`{"payload":"p","text":"Ja, schön 😀"}`), Context: "wamid.x"}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if len(c.posts) != 3 {
			t.Fatalf("posts: %v", c.posts)
		}
		v := read(t, c.posts[0]).Entry[0].Changes[0].Value
		m := v.Messages[0]
		if m["from"] != "16505551234" || m["id"] != id || m["type"] != "text" || m["text"].(map[string]any)["body"] != "Hi “there”" || v.Contacts[0]["wa_id"] != "16505551234" {
			t.Errorf("text: %s", c.posts[0])
		}
		if status, body := call(t, s, "POST", hooksPath, "application/json", hello); status != 200 {
			t.Errorf("an open window: %s", body)
		}
		image := read(t, c.posts[1]).Entry[0].Changes[0].Value.Messages[0]["image"].(map[string]any)
		if image["caption"] != "look" || image["mime_type"] != "image/jpeg" {
			t.Errorf("image: %v", image)
		}
		if status, body := call(t, s, "GET", "/v24.0/"+image["id"].(string), "", ""); status != 200 || !strings.Contains(body, `"file_size":4`) {
			t.Errorf("inbound media: %d %s", status, body)
		}
		for _, body := range []string{`{"status":"read"}`, `{"status":"read","typing_indicator":{"type":"text"}}`} {
			body = `{"messaging_product":"whatsapp","message_id":"` + id + `",` + body[1:]
			if status, got := call(t, s, "POST", hooksPath, "application/json", body); status != 200 || got != `{"success":true}` {
				t.Errorf("mark as read: %d %s", status, got)
			}
		}
		button := read(t, c.posts[2]).Entry[0].Changes[0].Value.Messages[0]
		if strings.ContainsFunc(c.posts[2], func(r rune) bool { return r > '~' }) || button["button"].(map[string]any)["text"] != "Ja, schön 😀" {
			t.Errorf("button: %s", c.posts[2])
		}
		if got := button["context"].(map[string]any); got["id"] != "wamid.x" || got["from"] != "15550783881" {
			t.Errorf("context: %v", got)
		}
		if _, err := s.Receive(t.Context(), Inbound{From: "x"}); err == nil {
			t.Error("a message from nobody")
		}
	})
}

func TestCallbackVerificationAndOverride(t *testing.T) {
	main, other := &callback{}, &callback{}
	asked := ""
	receiver := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case r.Method == "GET" && q.Get("hub.mode") == "subscribe" && q.Get("hub.verify_token") == "t0ken":
			asked += r.URL.Path + " "
			io.WriteString(w, q.Get("hub.challenge"))
		case r.Method == "GET":
			w.WriteHeader(403)
		case r.URL.Path == "/override":
			other.ServeHTTP(w, r)
		default:
			main.ServeHTTP(w, r)
		}
	})
	bubble(t, Config{Webhook: Webhook{Statuses: []string{"delivered"}}}, nil, Wiring{Transport: pipe{receiver}}, func(t *testing.T, s *Server) {
		if err := s.VerifyWebhook(t.Context()); err != nil {
			t.Error(err)
		}
		set := func(path, body string) (int, string) { return call(t, s, "POST", path, "application/json", body) }
		if status, body := set("/v24.0/"+number, `{"webhook_configuration":{"override_callback_uri":"http://sender.test/override","verify_token":"wrong"}}`); status != 400 || !strings.Contains(body, "HTTP Status Code = 403") {
			t.Errorf("a wrong verify token: %d %s", status, body)
		}
		send := func() { set(hooksPath, text("16505551234", "hi", "")); pass(time.Second) }
		send()
		if status, body := set("/v24.0/"+number, `{"webhook_configuration":{"override_callback_uri":"http://sender.test/override","verify_token":"t0ken"}}`); status != 200 {
			t.Errorf("override: %d %s", status, body)
		}
		send()
		if _, body := call(t, s, "GET", "/v24.0/"+number+"?fields=webhook_configuration", "", ""); !strings.Contains(body, `"phone_number":"http://sender.test/override"`) {
			t.Errorf("configuration: %s", body)
		}
		set("/v24.0/"+number, `{"webhook_configuration":{"override_callback_uri":""}}`)
		send()
		set("/v24.0/"+defaultWABA+"/subscribed_apps", `{"override_callback_uri":"http://sender.test/override","verify_token":"t0ken"}`)
		send()
		if len(main.posts) != 2 || len(other.posts) != 2 || asked != "/hook /override /override " {
			t.Errorf("the app's callback got %d, the override %d; asked %s", len(main.posts), len(other.posts), asked)
		}
	})
}

// Links: fetched from allowed hosts only, once in ten minutes, and failing asynchronously.
func TestLinks(t *testing.T) {
	c, fetches := &callback{}, 0
	world := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "sender.test" {
			c.ServeHTTP(w, r)
			return
		}
		fetches++
		switch r.URL.Path {
		case "/gone":
			w.WriteHeader(403)
		case "/hangs":
			<-r.Context().Done()
		case "/page":
			w.Header().Set("Content-Type", "video/mp4")
		default:
			w.Header().Set("Content-Type", "image/png")
			io.WriteString(w, "png")
		}
	})
	bubble(t, Config{}, c, Wiring{Transport: pipe{world}, MediaHosts: []string{"media.test:9000"}}, func(t *testing.T, s *Server) {
		send := func(link string) string {
			t.Helper()
			before := len(c.posts)
			status, body := call(t, s, "POST", hooksPath, "application/json", `{"messaging_product":"whatsapp","to":"16505551234","type":"image","image":{"link":"`+link+`"}}`)
			if status != 200 {
				t.Fatalf("%s: %d %s", link, status, body)
			}
			pass(time.Minute)
			return strings.Join(c.posts[before:], "\n")
		}
		for link, want := range map[string]string{
			"http://media.test/gone":    "Downloading media from weblink failed with http code 403, status message Forbidden",
			"http://media.test/page":    "is of type video/mp4, which is not supported for image messages",
			"http://media.test/hangs":   "http code 0",
			"https://elsewhere.test/a":  "fakewa does not fetch from elsewhere.test",
			"http://169.254.169.254/ok": "fakewa does not fetch from 169.254.169.254",
		} {
			if got := send(link); !strings.Contains(got, `"code":131053`) || !strings.Contains(got, want) {
				t.Errorf("%s: %s", link, got)
			}
		}
		fetches = 0
		for range 3 {
			if got := send("http://media.test/a.png?ref=m9"); strings.Contains(got, "failed") || !strings.Contains(got, "delivered") {
				t.Errorf("a good link: %s", got)
			}
		}
		send("http://media.test/a.png?ref=m10")
		if fetches != 2 {
			t.Errorf("two links within ten minutes were fetched %d times", fetches)
		}
		pass(10 * time.Minute)
		if send("http://media.test/a.png?ref=m9"); fetches != 3 {
			t.Errorf("after ten minutes: fetched %d times", fetches)
		}
		var expired int
		for _, e := range s.After(0, 0) {
			if e.Expired && e.Status == "failed" && e.Code == 131053 {
				expired++
			}
		}
		if expired != 1 {
			t.Errorf("%d messages failed because their link had expired", expired)
		}
		if err := s.Set([]byte("{media.unlisted: trust, media.bad_link: reply}")); err != nil {
			t.Fatal(err)
		}
		if got := send("https://elsewhere.test/a"); !strings.Contains(got, "delivered") {
			t.Errorf("a trusted link: %s", got)
		}
		if status, body := call(t, s, "POST", hooksPath, "application/json", `{"messaging_product":"whatsapp","to":"16505551234","type":"image","image":{"link":"http://media.test/gone"}}`); status != 400 || codeOfBody(body) != 131053 {
			t.Errorf("told at once: %d %s", status, body)
		}
	})
}

// The same seed gives the same ledger, whatever the goroutines do.
func TestSameSeedSameLedger(t *testing.T) {
	play := func(seed int64) string {
		var out strings.Builder
		c := &callback{takes: 30 * time.Millisecond, answer: func(n int) int { return 200 }}
		cfg := Defaults()
		cfg.Statuses.ReadShare = 0.5
		bubble(t, cfg, c, Wiring{Seed: seed}, func(t *testing.T, s *Server) {
			for id, f := range map[string]string{"slow": "{kind: latency, add: 'lognormal(p50=1s, p99=9s)', share: 30%}", "lost": "{kind: reply-lost, how: late, share: 10%}", "hooks": "{kind: webhook, how: duplicated, share: 20%}"} {
				if err := s.Apply(id, []byte(f)); err != nil {
					t.Fatal(err)
				}
			}
			begin := time.Now()
			var wg sync.WaitGroup
			for i := range 300 {
				wg.Go(func() {
					instant.Lanes{On: true}.Of(instant.Client, uint64(i)).Sleep(time.Duration(i) * 5 * time.Millisecond)
					ctx, cancel := context.WithDeadline(t.Context(), instant.Lanes{On: true}.Of(instant.Client, uint64(i)).Deadline(5*time.Second))
					defer cancel()
					req, _ := http.NewRequestWithContext(ctx, "POST", "http://graph.test"+hooksPath, strings.NewReader(text(fmt.Sprint(16500000000+i%7), fmt.Sprintf("[ref:m%d]", i), "")))
					req.Header.Set("Authorization", "Bearer EAAtest")
					if res, err := (pipe{s}).RoundTrip(req); err == nil {
						res.Body.Close()
					}
				})
			}
			wg.Wait()
			pass(2 * time.Hour)
			for _, e := range s.After(0, 1<<20) {
				e.At, e.Done = time.Unix(0, int64(e.At.Sub(begin))).UTC(), time.Unix(0, int64(e.Done.Sub(begin))).UTC()
				fmt.Fprintf(&out, "%+v\n", e)
			}
			fmt.Fprintf(&out, "%+v\n", s.Summary().Webhooks)
		})
		return out.String()
	}
	first := play(7)
	if second := play(7); second != first {
		a, b := strings.Split(first, "\n"), strings.Split(second, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("entry %d differs:\n%s\n%s", i, a[i], b[i])
			}
		}
		t.Fatalf("%d and %d lines", len(a), len(b))
	}
	if play(8) == first {
		t.Error("another seed gives the same ledger: the seed does nothing")
	}
}
