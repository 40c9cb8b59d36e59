package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/internal/offlimits"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

func TestTargetRequest(t *testing.T) {
	sc := &scenarios.Scenario{Target: &scenarios.Target{
		Method: "PUT", URL: "http://sender.local/send?key={{.Key}}", Body: `{"to":"{{.To}}","text":"{{.Text}}","api":"{{.FakeWA}}"}`,
		Headers: map[string]string{"X-Key": "{{.Key}}"}, Success: []int{201},
	}}
	f, err := newTargeted(sc, "http://127.0.0.1:9000", "http://127.0.0.1:8080", offlimits.Check)
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

// A run whose sender takes nothing, or whose copies nobody can tell, proves nothing.
func TestRunsThatProveNothing(t *testing.T) {
	refused := row{fired: true, finished: true, status: 403, accepted: record.Never, delivered: record.Never}
	taken, late := refused, refused
	taken.status, late.copies = 202, 1
	sent := taken
	sent.api = 1
	for _, c := range []struct {
		name   string
		rows   []row
		strays int64
		want   string
		warns  string
	}{
		{"all refused", []row{refused, refused}, 0, "the sender took none of the 2 messages: refused with 403", ""},
		{"one taken", []row{refused, taken}, 0, "", "took 1 messages and asked the fake Cloud API for none of them: is its base URL http://127.0.0.1:8080?"},
		{"one asked for", []row{taken, sent}, 0, "", ""},
		{"one sent, though its caller was told nothing", []row{refused, late}, 0, "", ""},
		{"copies without a marker", []row{taken, taken}, 3, "the API accepted 3 messages that carry no marker", ""},
	} {
		r := &Runner{System: System{FakeURL: "http://127.0.0.1:8080"}, Scenario: &scenarios.Scenario{Target: &scenarios.Target{URL: "http://127.0.0.1:9000"}}}
		f, err := newTargeted(r.Scenario, "", "", offlimits.Check)
		if err != nil {
			t.Fatal(err)
		}
		r.believe(&table{rows: c.rows, strays: c.strays}, f, []record.Message{{Reason: "refused with 403"}, {Reason: "refused with 403"}})
		if got := strings.Join(r.invalid, "; "); (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if got := strings.Join(r.warnings, "; "); (got == "") != (c.warns == "") || !strings.Contains(got, c.warns) {
			t.Errorf("%s: warns %q, want %q", c.name, got, c.warns)
		}
	}
	own := &Runner{Scenario: &scenarios.Scenario{}}
	if own.believe(&table{strays: 1}, nil, nil); !strings.Contains(strings.Join(own.invalid, "; "), "nobody asked for") {
		t.Errorf("a message that nobody asked for: %v", own.invalid)
	}
	tab := newTable(time.Now(), make([]time.Duration, 2))
	for _, e := range []Entry{{Message: "m000001", Accepted: true}, {Message: "hello", Accepted: true}, {Accepted: true}, {}, {Status: "delivered"}} {
		tab.fold(e)
	}
	if tab.strays != 2 {
		t.Errorf("%d strays, want those 2 that were accepted without a marker of ours", tab.strays)
	}
}

func TestTargetRefusesBrokenTemplates(t *testing.T) {
	sc := &scenarios.Scenario{Target: &scenarios.Target{URL: "http://x/{{.Nope}}"}}
	if _, err := newTargeted(sc, "", "", offlimits.Check); err == nil {
		t.Error("a template with an unknown field was taken")
	}
	sc = &scenarios.Scenario{Target: &scenarios.Target{URL: `{{with .To}}https://graph.facebook.com{{end}}/v24.0/1/messages`}}
	if _, err := newTargeted(sc, "", "", offlimits.Check); !errors.Is(err, offlimits.ErrMeta) {
		t.Errorf("a template that becomes Meta's address: %v", err)
	}
}

// Sends that carry no marker are told by recipient and text: the first text for the first message to a recipient, the same
// text for a copy, and a text too many for a copy that was written anew.
func TestNamelessSends(t *testing.T) {
	tab := newTable(time.Now(), make([]time.Duration, 4))
	to := map[uint64]string{1: "1555", 2: "1555", 3: "1777", 4: "1999"}
	tab.nameless = newNameless(func(n uint64) string { return to[n] })
	for n := range uint64(3) {
		tab.rows[n].fired = true // the fourth is not due yet
	}
	for _, e := range []Entry{
		{To: "1555", Key: 10}, // refused, and tried again
		{To: "1555", Key: 10, Accepted: true}, {To: "1555", Key: 11, Accepted: true},
		{To: "1777", Key: 12, Accepted: true}, {To: "1777", Key: 12, Accepted: true},
		{To: "1555", Key: 13, Accepted: true},
		{To: "1555", Key: 11, Status: "delivered"},
		{To: "1999", Key: 14, Accepted: true}, {To: "1888", Key: 15, Accepted: true}, {Accepted: true},
	} {
		tab.fold(e)
	}
	var copies []int
	for i := range tab.rows {
		copies = append(copies, int(tab.rows[i].copies))
	}
	if got := fmt.Sprint(copies, tab.strays, tab.nameless.found, tab.nameless.unsure, tab.rows[1].delivered != record.Never); got != "[1 2 2 0] 3 5 1 true" {
		t.Errorf("copies of each, strays, found, unsure, delivered: %s", got)
	}
	if says := tab.nameless.says(); !strings.Contains(says, "5 sends carried no marker") || !strings.Contains(says, "1 were more") {
		t.Error(says)
	}
}
