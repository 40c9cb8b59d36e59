package harness

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/aftershock-dev/aftershock/internal/offlimits"
	"github.com/aftershock-dev/aftershock/scenarios"
)

func TestTargetRequest(t *testing.T) {
	sc := &scenarios.Scenario{Target: &scenarios.Target{
		Method: "PUT", URL: "http://sender.local/send?key={{.Key}}", Body: `{"to":"{{.To}}","text":"{{.Text}}","api":"{{.FakeWA}}"}`,
		Headers: map[string]string{"X-Key": "{{.Key}}"}, Success: []int{201},
	}}
	f, err := newTargeted(sc, "http://127.0.0.1:9000", "http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	req, err := f.request(context.Background(), message{number: 7, to: "15550000001", kind: "text"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(req.Body)
	if got := req.Method + " " + req.URL.String(); got != "PUT http://127.0.0.1:9000/send?key=m000007" {
		t.Errorf("request is %s", got)
	}
	if want := `{"to":"15550000001","text":"Your order is on its way [ref:m000007]","api":"http://127.0.0.1:8080"}`; string(body) != want {
		t.Errorf("body is %s, want %s", body, want)
	}
	if req.Header.Get("X-Key") != "m000007" || f.taken(200) || !f.taken(201) {
		t.Errorf("headers %v, taken(200)=%v, taken(201)=%v", req.Header, f.taken(200), f.taken(201))
	}
}

func TestTargetRefusesBrokenTemplates(t *testing.T) {
	sc := &scenarios.Scenario{Target: &scenarios.Target{URL: "http://x/{{.Nope}}"}}
	if _, err := newTargeted(sc, "", ""); err == nil {
		t.Error("a template with an unknown field was taken")
	}
	sc = &scenarios.Scenario{Target: &scenarios.Target{URL: `{{with .To}}https://graph.facebook.com{{end}}/v24.0/1/messages`}}
	if _, err := newTargeted(sc, "", ""); !errors.Is(err, offlimits.ErrMeta) {
		t.Errorf("a template that becomes Meta's address: %v", err)
	}
}
