package fakewa

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/strict"
)

// fuzzServer is a fake that knows a template and lets everything through.
func fuzzServer(f *testing.F) *Server {
	callback := pipe{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.FormValue("hub.challenge")) })}
	s, err := NewServer(Config{Templates: []Template{{Name: "order", Body: "{{1}}"}}}, Wiring{SpillDir: f.TempDir(), Transport: callback})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	return s
}

// answers sends a request and checks that the answer is one that the API gives: JSON, and a success or an error whose
// code is in the catalog.
func answers(t *testing.T, s http.Handler, r *http.Request) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var v struct {
		Error *struct {
			Message string
			Type    string
			Code    int
			Trace   string `json:"fbtrace_id"`
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("answer is not JSON: %v: %s", err, w.Body)
	}
	if (w.Code == 200) != (v.Error == nil) {
		t.Fatalf("status %d with %s", w.Code, w.Body)
	}
	if e := v.Error; e != nil {
		if _, ok := documented(e.Code); !ok && e.Code != 803 && e.Code != 2200 && e.Code != 2500 {
			t.Fatalf("code %d is not documented: %s", e.Code, w.Body)
		}
		if e.Message == "" || e.Type == "" || e.Trace == "" {
			t.Fatalf("incomplete: %s", w.Body)
		}
	}
}

// corpus adds the bodies of the contract suite.
func corpus(f *testing.F) (n int) {
	files, err := filepath.Glob("testdata/contract/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var list []contractCase
		if err := strict.Decode(file, data, &list); err != nil {
			f.Fatal(err)
		}
		for _, c := range list {
			body := []byte(c.JSON)
			if c.Body != nil {
				if body, err = json.Marshal(c.Body); err != nil {
					f.Fatal(err)
				}
			}
			f.Add(body, "application/json")
			n++
		}
	}
	f.Add([]byte("messaging_product=whatsapp&to=1&text={}"), "application/x-www-form-urlencoded")
	return n
}

func FuzzMessages(f *testing.F) {
	if corpus(f) == 0 {
		f.Fatal("no seeds")
	}
	s := fuzzServer(f)
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		r := httptest.NewRequest("POST", hooksPath, strings.NewReader(string(body)))
		r.Header["Content-Type"] = []string{contentType}
		r.Header.Set("Authorization", "Bearer EAAfuzz")
		answers(t, s, r)
	})
}

func FuzzUpload(f *testing.F) {
	ct, body := form(product, png(10))
	f.Add([]byte(body), ct)
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=file\r\n\r\n--b--"), "multipart/form-data; boundary=b")
	f.Add([]byte(body), "multipart/mixed")
	s := fuzzServer(f)
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		r := httptest.NewRequest("POST", uploadPath, strings.NewReader(string(body)))
		r.Header["Content-Type"] = []string{contentType}
		r.Header.Set("Authorization", "Bearer EAAfuzz")
		answers(t, s, r)
	})
}

// Any path with any token and any body, overrides of the callback among them.
func FuzzPath(f *testing.F) {
	for _, p := range []string{"/v24.0/1/messages", "/1", "/v1.0/x?fields=a,b{c}", "/whatsapp_business/attachments/?mid=1&hash=1-2", "//", "/v24.0/1/message_history?limit=-1&message_id=x", "/v24.0/1/subscribed_apps", "/1?access_token=x"} {
		f.Add("GET", p, "Bearer EAAfuzz", "")
		f.Add("DELETE", p, "Bearer", "")
		f.Add("POST", p, "OAuth EAAfuzz", `{"webhook_configuration":{"override_callback_uri":"http://callback/x","verify_token":"t"}}`)
		f.Add("POST", p, "Bearer EAAfuzz", `{"override_callback_uri":"://","verify_token":1}`)
	}
	s := fuzzServer(f)
	f.Fuzz(func(t *testing.T, method, path, authorization, body string) {
		r, err := http.NewRequest(method, "http://x/"+path, strings.NewReader(body))
		if err != nil || r.URL.Host != "x" {
			return
		}
		r.Header["Authorization"] = []string{authorization}
		if strings.HasPrefix(r.URL.Path, "/whatsapp_business/attachments/") || strings.HasPrefix(r.URL.Path, "//whatsapp_business") {
			s.ServeHTTP(httptest.NewRecorder(), r) // answers bytes, or text
			return
		}
		answers(t, s, r)
	})
}

// Settings and faults either are refused with a place, or work and print as what reads the same.
func FuzzSettings(f *testing.F) {
	for _, y := range []string{"latency: 5ms", "{media: {upload_life: 1h}, limits.throughput: 80/s}", "tokens: [{token: a}]", "- 1", "webhook: {retry: {first: -1s}}", "a: &a [*a]"} {
		f.Add(y)
	}
	f.Fuzz(func(t *testing.T, y string) {
		cfg, err := ParseConfig("fuzz", []byte(y))
		if err != nil {
			return
		}
		n, err := strict.Encode(cfg)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseConfig("again", n.YAML())
		if err != nil {
			t.Fatalf("%v\n%s", err, n.YAML())
		}
		a, b := strict.Flatten(cfg), strict.Flatten(again)
		for k := range a {
			if a[k] != b[k] {
				t.Fatalf("%s: %q, then %q", k, a[k], b[k])
			}
		}
	})
}

func FuzzFault(f *testing.F) {
	for _, kind := range sortedKinds() {
		f.Add("{kind: "+kind+", share: 50%, burst: {for: 1s, every: 5s}}", `{"messaging_product":"whatsapp","to":"1650555","text":{"body":"x"}}`)
	}
	f.Add("{kind: error, code: 2, every: 2}", "{}")
	f.Add("{kind: latency, samples: ['1s, 2', 5ms], ramp: 1s, capacity: 3/s}", "{}")
	f.Add("{kind: latency, where: 'media, metadata', add: 'pareto(p50=1s, p99=5s)', type: image}", "{}")
	f.Add("{kind: webhook, how: duplicated}", "{}")
	f.Fuzz(func(t *testing.T, y, body string) {
		a, err := remoteFault("f", []byte(y))
		if err != nil {
			return
		}
		core, err := NewCore(Config{}, 1, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		core.faults.apply(time.Unix(0, 0), "f", a)
		for i := range 5 {
			r := &Request{Endpoint: Messages, Method: "POST", Node: "1", Token: "EAA", Message: Message{To: "16505551234", WAID: "16505551234", Type: "text", Content: uint64(len(body))}}
			if d := core.Decide(time.Unix(int64(i), 0), r); d.Delay < 0 || d.Status() < 200 || d.Status() > 599 {
				t.Fatalf("decided %+v", d)
			}
		}
	})
}

func FuzzControl(f *testing.F) {
	f.Add("POST", "/inbound", `{"from":"16505551234","text":"hello"}`)
	f.Add("POST", "/inbound", `{"from":"1","type":"image","media":{"mime_type":"image/png","data":"AAAA"}}`)
	f.Add("PUT", "/faults", `{"a":{"kind":"reset"}}`)
	f.Add("PUT", "/settings", "latency: 1ms")
	f.Add("GET", "/ledger?after=1&limit=2", "")
	s := fuzzServer(f)
	doors := s.Control()
	f.Fuzz(func(t *testing.T, method, path, body string) {
		r, err := http.NewRequest(method, "http://x"+path, io.NopCloser(strings.NewReader(body)))
		if err != nil || !strings.HasPrefix(path, "/") || r.URL.Query().Has("follow") {
			return
		}
		w := httptest.NewRecorder()
		doors.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusBadGateway {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	})
}

// An entry reads as it was written, from the ledger's blocks and from JSON.
func FuzzEntry(f *testing.F) {
	f.Add("m1", "d1.1", "wamid.x", "16505551234", int64(5), 1, uint64(7))
	f.Add(strings.Repeat("m", 128), strings.Repeat("ä", 512), "", "", int64(-5), 1<<30, uint64(1)<<63)
	f.Fuzz(func(t *testing.T, message, callback, id, to string, slack int64, code int, key uint64) {
		rnd := rand.New(rand.NewPCG(key, uint64(slack)))
		e := Entry{Seq: 9, Status: statusNames[rnd.IntN(len(statusNames))], Message: clip(message, maxMarker), Callback: clip(callback, 4*maxCallback), WAMID: clip(id, 256), To: clip(to, 256),
			Number: "1", Type: "text", Key: key, Copy: rnd.IntN(9), At: time.Unix(rnd.Int64N(1<<33), rnd.Int64N(1e9)), Accepted: rnd.IntN(2) == 0, Answered: rnd.IntN(600), Code: code & 0x7fffffff,
			Media: true, Slack: time.Duration(slack), Expired: rnd.IntN(2) == 0, Fault: "f"}
		e.Done = e.At.Add(time.Duration(rnd.Int64N(1e12)))
		var names interner
		b := appendEntry(nil, &e, &names)
		if len(b) > maxEntry {
			t.Fatalf("%d bytes", len(b))
		}
		rest, record := cutEntry(append(b, "next"...))
		if got := readEntry(record, 9, &names); got != e || string(rest) != "next" {
			t.Fatalf("got %+v, want %+v", got, e)
		}
		if slack > 1<<50 || slack < -1<<50 || !utf8.ValidString(e.Message) || !utf8.ValidString(e.Callback) || !utf8.ValidString(e.WAMID) || !utf8.ValidString(e.To) {
			return
		}
		j, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var got Entry
		if err := json.Unmarshal(j, &got); err != nil {
			t.Fatal(err)
		}
		if d := got.Slack - e.Slack; d < -time.Microsecond || d > time.Microsecond {
			t.Fatalf("slack %v, want %v", got.Slack, e.Slack)
		}
		got.Slack, got.At, got.Done = e.Slack, e.At, e.Done
		if got != e {
			t.Fatalf("got %+v, want %+v in %s", got, e, j)
		}
	})
}

func FuzzWamid(f *testing.F) {
	f.Add("wamid.HBgLMTY0NjcwNDM1OTUVAgARGBI1RjQyNUE3NEYxMzAzMzQ5MkEA", "16505551234", uint64(7))
	f.Add("wamid.gBGGFlaJICASGBIA", "1", uint64(0))
	f.Fuzz(func(t *testing.T, foreign, waID string, unique uint64) {
		id := chance.New(1)
		knownWamid(id, foreign)
		waID = clip(waID, 20)
		for _, dir := range []byte{toUser, fromUser} {
			w := wamid(id, waID, dir, unique)
			if got, ok := knownWamid(id, w); !ok || got != dir || len(w) > 128 {
				t.Fatalf("%s is not known", w)
			}
		}
	})
}
