package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/internal/tap"
)

// plain is Draft without its own codec, for encoding/json to read and write by reflection.
type plain Draft

func TestDraftCodecAgreesWithEncodingJSON(t *testing.T) {
	for _, d := range []Draft{
		{ID: "m1-1", To: "1555", Type: "text"},
		{
			ID: "m1.2-3", Request: "m1.2", To: "1555", Type: "image", Text: "a \"quoted\" ü <b> \u2028 \x01", Class: "bulk", Tenant: "t/1",
			Number: "9", Conversation: "c", Media: &Media{Link: "http://x/y?a=1&b=2", MIME: "image/jpeg", Filename: "a b.jpg", ID: "7"},
			Template: json.RawMessage(`{"name":"x","components":[{"type":"body"}]}`), Created: 1, Expires: 2, SendAt: 3, Key: "k",
			Print: 1<<64 - 1, WindowEnds: 4, Trace: "00-1-2-01",
		},
	} {
		b, err := d.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var byReflection plain
		if err := json.Unmarshal(b, &byReflection); err != nil || !reflect.DeepEqual(Draft(byReflection), d) {
			t.Errorf("written as %s: read by encoding/json: %+v, %v", b, byReflection, err)
		}
		p := plain(d)
		ref, err := json.Marshal(&p)
		if err != nil {
			t.Fatal(err)
		}
		var own Draft
		if err := own.UnmarshalJSON(ref); err != nil || !reflect.DeepEqual(own, d) {
			t.Errorf("encoding/json wrote %s: read as %+v, %v", ref, own, err)
		}
	}
}

func FuzzDraft(f *testing.F) {
	for _, seed := range []string{
		`{"id":"m1-1","to":"1555","type":"text","text":"x"}`, `{"media":null,"template":{"a":[1]},"print":18446744073709551615}`,
		`{"media":{"link":"x","y":{}}}`, `null`, `[]`, `{"id":1}`, `{"id":"a"} x`, `{"text":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Draft
		if d.UnmarshalJSON(b) != nil || len(d.Template) > 0 && !json.Valid(d.Template) {
			return
		}
		once, err := d.MarshalJSON()
		if err != nil || !json.Valid(once) {
			t.Fatalf("%q is written as %q: %v", b, once, err)
		}
		var again Draft
		if err := again.UnmarshalJSON(once); err != nil {
			t.Fatalf("%q is written as %q and not read: %v", b, once, err)
		}
		if twice, _ := again.MarshalJSON(); !bytes.Equal(once, twice) {
			t.Fatalf("%q, then %q", once, twice)
		}
	})
}

func TestStatusesRoundTrip(t *testing.T) {
	in := []Status{{Callback: "m1-1.1", WAMID: "w", State: "sent", At: 7}, {WAMID: "v", State: "failed", Code: 131026, Detail: "x"}}
	b := WriteStatuses(in)
	out, err := ReadStatuses(b)
	if err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("%s was read as %+v, %v", b, out, err)
	}
	if _, err := ReadStatuses([]byte(`[{"wamid":"x"}`)); err == nil {
		t.Error("half a batch is no error")
	}
}

func TestSendResultRoundTrip(t *testing.T) {
	in := SendResult{WAMID: "w", Class: "accepted", Scope: 2, Code: 4, Detail: "d", After: 5, Spent: 6, Replica: "whatsapp/1"}
	b, err := in.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var out SendResult
	if err := out.UnmarshalJSON(b); err != nil || out != in {
		t.Errorf("%s was read as %+v, %v", b, out, err)
	}
}

func TestNames(t *testing.T) {
	for id, want := range map[string]bool{
		"m000001": true, "m000001.2": true, "a-b_c.12": true, "": false, ".1": false, "a.b": false, "a.1.2": false, "a b": false,
		"a/b": false, "ü": false, string(bytes.Repeat([]byte{'a'}, 100)): false,
	} {
		if ValidRequest(id) != want {
			t.Errorf("ValidRequest(%q) is %v", id, !want)
		}
	}
	draft := DraftID("m000001.2", 3)
	if draft != "m000001.2-3" || MessageOf(draft) != "m000001" || MessageOf("a-b-1") != "a-b" {
		t.Errorf("draft %s of message %s", draft, MessageOf(draft))
	}
	id, n, ok := SplitCallback(Callback(draft, 4))
	if id != draft || n != 4 || !ok {
		t.Errorf("callback %s is %s, %d, %v", Callback(draft, 4), id, n, ok)
	}
	for _, strange := range []string{"", "x", "x.1", "-1.1", "a-1.x", "a-1."} {
		if id, _, ok := SplitCallback(strange); ok {
			t.Errorf("callback %q names %q", strange, id)
		}
	}
}

func TestCallLeavesInOneWrite(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	var dialer tap.Dialer
	transport := &http.Transport{DialContext: dialer.DialContext}
	defer transport.CloseIdleConnections()
	to, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := NewCaller(transport).Post(t.Context(), to, nil, []byte(`{"text":"hello"}`))
	if err != nil || answer.Status != http.StatusOK {
		t.Fatalf("%d, %v", answer.Status, err)
	}
	answer.Release()
	if n := dialer.Writes.Load(); n != 1 {
		t.Errorf("headers and body left in %d writes", n)
	}
}

func TestRetryAfter(t *testing.T) {
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for said, want := range map[string][2]time.Duration{
		"": {0, 0}, "30": {30 * time.Second, 30 * time.Second}, "-5": {0, 0}, "soon": {0, 0}, "1.5": {0, 0},
		"86400": {longestHint, longestHint}, "99999999999999999999": {longestHint, longestHint}, "18446744073709551615": {longestHint, longestHint},
		in(time.Minute): {55 * time.Second, time.Minute}, in(-time.Hour): {0, 0}, in(24 * time.Hour): {longestHint, longestHint},
	} {
		if got := RetryAfter(http.Header{"Retry-After": {said}}); got < want[0] || got > want[1] {
			t.Errorf("Retry-After %q is %v, want %v to %v", said, got, want[0], want[1])
		}
	}
}
