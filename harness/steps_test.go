package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/internal/offlimits"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// door is a sender that wants a login, an upload for each message with media, and then the message as a form.
type door struct {
	t       *testing.T
	mu      sync.Mutex
	logins  int
	uploads int
	sent    []string
	expires int // messages that a token is good for
	used    int
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	token := fmt.Sprintf("token-%d", d.logins)
	switch r.URL.Path {
	case "/login":
		var in struct{ User, Password string }
		if json.Unmarshal(body, &in) != nil || in.Password != `p"ss` {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		d.logins++
		d.used = 0
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s1", Path: "/"})
		fmt.Fprintf(w, `{"data": {"access_token": "token-%d"}}`, d.logins)
	case "/upload":
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		d.uploads++
		w.Header().Set("X-Media-Id", fmt.Sprintf("media-%d", d.uploads))
		w.WriteHeader(http.StatusCreated)
	case "/send":
		if d.used++; r.Header.Get("Authorization") != "Bearer "+token || r.Header.Get("Cookie") != "sid=s1" || d.used > d.expires {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		d.sent = append(d.sent, string(body))
	}
}

// tries keeps what a caller tells.
type tries struct{ all []Try }

func (*tries) fire(uint64, time.Time)         {}
func (k *tries) tried(_ uint64, _ int, t Try) { k.all = append(k.all, t) }
func (*tries) done(Hit, time.Time)            {}

func TestStepsBeforeAMessage(t *testing.T) {
	d := &door{t: t, expires: 2}
	server := httptest.NewServer(d)
	defer server.Close()
	t.Setenv("STEPS_PASSWORD", `p"ss`)
	sc := &scenarios.Scenario{Client: scenarios.Client{Timeout: time.Second, Retries: 2}, Target: &scenarios.Target{
		URL: server.URL + "/send", Secrets: map[string]scenarios.Secret{"pw": {Env: "STEPS_PASSWORD"}},
		Headers: map[string]string{"Authorization": "Bearer {{.Taken.token}}", "Cookie": "sid={{.Taken.sid}}"},
		Form:    map[string]string{"to": "{{.To}}", "media": "{{.Taken.media}}"},
		Steps: []scenarios.Request{
			{Name: "login", Once: true, URL: "/login", Body: `{"user": "u", "password": {{json .Secret.pw}}}`, Take: map[string]string{"token": "$.data.access_token", "sid": "cookie:sid"}},
			{Name: "upload", When: "{{.MediaURL}}", URL: "/upload", Headers: map[string]string{"Authorization": "Bearer {{.Taken.token}}"}, Success: []int{201}, Take: map[string]string{"media": "header:X-Media-Id"}},
		},
	}}
	f, err := newTargeted(sc, "", "", offlimits.Check)
	if err != nil {
		t.Fatal(err)
	}
	kept := &tries{}
	c := &caller{ctx: t.Context(), next: http.DefaultTransport, client: sc.Client, form: f, start: time.Now(), told: kept}
	for i, media := range []string{"", "http://m/1", "", ""} { // the third finds the token expired, and logs in anew when asked again
		status, err := c.deliver(message{number: uint64(i + 1), to: fmt.Sprint(i), media: media})
		if want := 200; err != nil || status != want && i != 2 {
			t.Errorf("message %d: %d, %v", i, status, err)
		}
	}
	if got := strings.Join(d.sent, " "); got != "media=&to=0 media=media-1&to=1 media=&to=3" || d.logins != 2 || d.uploads != 1 {
		t.Errorf("sent %q with %d logins and %d uploads", got, d.logins, d.uploads)
	}
	if n := len(kept.all); n != 4 {
		t.Errorf("%d attempts, want 4: a 401 is an answer", n)
	}
}

// A step that fails is told by its name and its status, never by what was sent or taken.
func TestStepThatFails(t *testing.T) {
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if answer == "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, answer)
	}))
	defer server.Close()
	sc := &scenarios.Scenario{Client: scenarios.Client{Timeout: time.Second}, Target: &scenarios.Target{
		URL: server.URL, Steps: []scenarios.Request{{URL: "/x", Take: map[string]string{"id": "$.id"}}},
	}}
	f, err := newTargeted(sc, "", "", offlimits.Check)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		answer, err string
		status      int
	}{
		{"", "", 403}, {"no json", "step 1: its answer is not JSON", 0}, {`{"other": "secret"}`, "step 1: its answer has no $.id", 0},
		{`{"id": "` + strings.Repeat("secret", 20_000) + `"}`, "step 1: what its answer has at $.id is too long", 0},
	} {
		answer = want.answer
		c := &caller{ctx: t.Context(), next: http.DefaultTransport, client: sc.Client, form: f, start: time.Now(), told: &tries{}}
		status, err := c.deliver(message{number: 1})
		if status != want.status || (err == nil) != (want.err == "") || err != nil && err.Error() != want.err {
			t.Errorf("%.20q: %d, %v", want.answer, status, err)
		}
	}
	sc.Target.Steps[0].URL = "https://graph.facebook.com/x"
	if _, err := newTargeted(sc, "", "", offlimits.Check); err == nil || !strings.Contains(err.Error(), "Meta's own server") {
		t.Errorf("a step to Meta: %v", err)
	}
	sc.Target.Steps[0] = scenarios.Request{URL: "/x", Take: map[string]string{"next": "$.next"}}
	sc.Target.Steps = append(sc.Target.Steps, scenarios.Request{URL: "{{.Taken.next}}"})
	answer = `{"next": "https://graph.facebook.com/steal"}`
	if f, err = newTargeted(sc, "", "", offlimits.Check); err != nil {
		t.Fatal(err)
	}
	c := &caller{ctx: t.Context(), next: http.DefaultTransport, client: sc.Client, form: f, start: time.Now(), told: &tries{}}
	if _, err := c.deliver(message{number: 1}); err == nil || err.Error() != "step 2: its url cannot be used" {
		t.Errorf("an answer that leads to Meta: %v", err)
	}
}
