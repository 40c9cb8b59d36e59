package fakewa

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/gorilla/mux"
)

// Every route that is served is described, and nothing else is.
func TestOpenAPI(t *testing.T) {
	s, err := NewServer(Config{}, Wiring{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var described []string
	for path, ops := range doc.Paths {
		for method := range ops {
			if method != "parameters" {
				described = append(described, strings.ToUpper(method)+" "+path)
			}
		}
	}
	var served []string
	pattern := regexp.MustCompile(`:[^{}]*(\{[^{}]*\})?[^{}]*\}`)
	for _, h := range []http.Handler{s.routes, s.Control()} {
		h.(*mux.Router).Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
			path, _ := r.GetPathTemplate()
			methods, _ := r.GetMethods()
			path = pattern.ReplaceAllString(path, "}")
			switch {
			case strings.HasPrefix(path, "/{node}"):
				return nil // without a version: described as a way of writing the same
			case strings.HasPrefix(path, "/{version}"):
				path = strings.TrimSuffix(path, "/")
			}
			for _, m := range methods {
				if m != "HEAD" {
					served = append(served, m+" "+path)
				}
			}
			return nil
		})
	}
	sort.Strings(described)
	sort.Strings(served)
	if served = slices.Compact(served); !slices.Equal(described, served) {
		t.Errorf("described:\n%s\nserved:\n%s", strings.Join(described, "\n"), strings.Join(served, "\n"))
	}
	for _, ref := range regexp.MustCompile(`"#/components/([a-zA-Z]+)/([a-zA-Z]+)"`).FindAllStringSubmatch(string(raw), -1) {
		if !strings.Contains(string(raw), `"`+ref[2]+`":{`) {
			t.Errorf("%s is not there", ref[0])
		}
	}
	for _, kind := range sortedKinds() {
		if !strings.Contains(string(raw), `"`+kind+`"`) {
			t.Errorf("fault %s is not described", kind)
		}
	}
}

func TestControlComplaints(t *testing.T) {
	s, err := NewServer(Config{}, Wiring{})
	if err != nil {
		t.Fatal(err)
	}
	doors := s.Control()
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/nothing", "", 404, "no such door"},
		{"POST", "/faults", "", 405, "GET / lists the doors"},
		{"PUT", "/settings", "latensy: 1s", 400, "did you mean latency?"},
		{"PUT", "/settings", strings.Repeat(" ", maxBody+1), 413, "above 1048576 bytes"},
		{"PUT", "/faults/x", "{kind: latency, file: /etc/hosts}", 400, "cannot be read from here"},
		{"PUT", "/faults", "- 1", 400, "block"},
		{"PUT", "/faults", "{'a b': {kind: reset}}", 400, "printable"},
		{"GET", "/faults/x", "", 404, "no such fault"},
		{"GET", "/ledger?after=x", "", 400, "after"},
		{"GET", "/ledger?limit=-1", "", 400, "limit"},
		{"POST", "/inbound", "{", 400, "inbound"},
		{"POST", "/inbound", `{"from":"1","txt":"x"}`, 400, "txt"},
		{"POST", "/inbound", `{"from":"16505551234"}`, 400, "text: is missing"},
		{"POST", "/webhook/verify", "", 409, "--webhook"},
	} {
		w := httptest.NewRecorder()
		doors.ServeHTTP(w, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
		var v complaint
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != c.status || !strings.Contains(v.Error, c.says) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
}

func TestMetrics(t *testing.T) {
	s, err := NewServer(Config{}, Wiring{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		call(t, s, "POST", hooksPath, "application/json", text("16505551234", "[ref:m1]", ""))
	}
	call(t, s, "POST", hooksPath, "application/json", "{}")
	srv := httptest.NewServer(s.Control())
	defer srv.Close()
	res, err := http.Get(srv.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`fakewa_accepted_total 2`, `fakewa_copies_total 1`, `fakewa_messages_total 1`, `fakewa_requests_total{endpoint="messages"} 3`, `fakewa_attempts_total{code="100"} 1`, `fakewa_answers_total{status="400"} 1`} {
		if !strings.Contains(string(body), want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
}

func TestHistory(t *testing.T) {
	c := &callback{}
	bubble(t, Config{}, c, Wiring{}, func(t *testing.T, s *Server) {
		_, one := call(t, s, "POST", hooksPath, "application/json", text("16505551234", "one", ""))
		call(t, s, "POST", hooksPath, "application/json", text("16505551234", "two", ""))
		pass(1e9)
		id := regexp.MustCompile(`wamid[^"]*`).FindString(one)
		var v struct {
			Data []struct {
				ID        string
				MessageID string `json:"message_id"`
				Events    struct {
					Data []struct {
						Status string `json:"delivery_status"`
						At     int64  `json:"timestamp"`
					}
				}
			}
		}
		for path, n := range map[string]int{"/message_history": 2, "/message_history?limit=1": 1, "/message_history?message_id=" + strings.ReplaceAll(id, "+", "%2B"): 1, "/message_history?message_id=x": 0} {
			status, body := call(t, s, "GET", "/v24.0/"+number+path, "", "")
			if err := json.Unmarshal([]byte(body), &v); err != nil || status != 200 || len(v.Data) != n {
				t.Errorf("%s: %d %s", path, status, body)
			}
			if strings.Contains(path, "wamid") && (v.Data[0].MessageID != id || len(v.Data[0].Events.Data) != 2 || v.Data[0].Events.Data[1].Status != "DELIVERED") {
				t.Errorf("%s: %+v", path, v)
			}
		}
	})
}

// TestLocalDoors: a web page of somebody else can neither change the fake nor read its ledger.
func TestLocalDoors(t *testing.T) {
	s, err := NewServer(Config{}, Wiring{})
	if err != nil {
		t.Fatal(err)
	}
	doors := Local(s.Control())
	ask := func(method, url, origin string) int {
		r := httptest.NewRequest(method, url, nil)
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		doors.ServeHTTP(w, r)
		return w.Code
	}
	for url, want := range map[string]int{"http://127.0.0.1:8081": 200, "http://localhost:8081": 200, "http://evil.example:8081": 403} {
		if got := ask("GET", url+"/ledger", ""); got != want {
			t.Errorf("GET %s: %d", url, got)
		}
	}
	if got := ask("POST", "http://127.0.0.1:8081/reset", "https://evil.example"); got != 403 {
		t.Errorf("a page's reset: %d", got)
	}
	if got := ask("POST", "http://127.0.0.1:8081/reset", ""); got != 200 {
		t.Errorf("our own reset: %d", got)
	}
}

// TestCallbacksStayAtHome: a client cannot make the fake call hosts that its owner did not name.
func TestCallbacksStayAtHome(t *testing.T) {
	for _, c := range []struct {
		callback string
		hosts    []string
		called   bool
	}{
		{"http://127.0.0.1:1/x", nil, true},
		{"http://[::ffff:127.0.0.1]:1/x", nil, true},
		{"http://hooks.example:1/other", nil, true}, // the webhook's own host
		{"http://metadata.example/latest", nil, false},
		{"http://metadata.example/latest", []string{"metadata.example"}, true},
		{"http://169.254.169.254/latest", nil, false},
		{"http://127.0.0.1@metadata.example/", nil, false},
		{"://", nil, false},
	} {
		s, err := NewServer(Config{}, Wiring{Webhook: "http://hooks.example/hook", CallbackHosts: c.hosts})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.calls(c.callback); got != c.called {
			t.Errorf("%s with %v: %v", c.callback, c.hosts, got)
		}
		if c.called {
			continue
		}
		body := `{"webhook_configuration":{"override_callback_uri":"` + c.callback + `","verify_token":"t"}}`
		if status, answer := call(t, s, "POST", "/v24.0/106540352242922", "application/json", body); status != 400 || !strings.Contains(answer, "alone") {
			t.Errorf("%s: %d %s", c.callback, status, answer)
		}
	}
}
