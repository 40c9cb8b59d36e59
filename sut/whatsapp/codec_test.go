package whatsapp

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

// TestNotice reads webhooks as Meta publishes them.
func TestNotice(t *testing.T) {
	const published = `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp",
"metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},
"statuses":[{"id":"wamid.A","status":"sent","timestamp":"1750030073","recipient_id":"16505551234","biz_opaque_callback_data":"m1-1.2",
 "pricing":{"billable":true,"pricing_model":"PMP"}},
{"id":"wamid.B","status":"failed","timestamp":1751142888,"recipient_id":"16505551234","errors":[{"code":131049,"title":"This message was not delivered",
 "message":"This message was not delivered","error_data":{"details":"In order to maintain a healthy ecosystem"},"href":"x"}]}]},"field":"messages"},
{"value":{"messages":[{"from":"1","id":"wamid.C","type":"text","text":{"body":"hi"}}]},"field":"messages"}]}]}`
	got, err := readNotice([]byte(published))
	if err != nil {
		t.Fatal(err)
	}
	want := []wire.Status{
		{Callback: "m1-1.2", WAMID: "wamid.A", State: "sent", At: 1750030073},
		{WAMID: "wamid.B", State: "failed", At: 1751142888, Code: 131049, Detail: "In order to maintain a healthy ecosystem"},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("read %+v", got)
	}
}

// TestReply reads answers as they were seen.
func TestReply(t *testing.T) {
	var r reply
	if err := r.UnmarshalJSON([]byte(`{"messaging_product":"whatsapp","contacts":[{"input":"1","wa_id":"1"}],"messages":[{"id":"wamid.A","message_status":"accepted"}]}`)); err != nil || r.ID != "wamid.A" {
		t.Errorf("accepted: %+v, %v", r, err)
	}
	r = reply{}
	if err := r.UnmarshalJSON([]byte(`{"error":{"message":"(#130429) Rate limit hit","type":"OAuthException","code":130429,"error_data":{"messaging_product":"whatsapp","details":"throughput"},"error_subcode":2494055}}`)); err != nil ||
		r.Error == nil || r.Error.Code != 130429 || r.Error.detail() != "throughput" {
		t.Errorf("refused: %+v, %v", r.Error, err)
	}
	r = reply{}
	if err := r.UnmarshalJSON([]byte(`{"error":{"message":"x","code":1,"error_data":"a string"}}`)); err != nil || r.Error.detail() != "x" {
		t.Errorf("refused with a string: %+v, %v", r.Error, err)
	}
	if err := new(reply).UnmarshalJSON([]byte(`<html>`)); err == nil {
		t.Error("HTML was read")
	}
}

func FuzzNotice(f *testing.F) {
	for _, seed := range []string{`{}`, `{"entry":[{"changes":[{"value":{"statuses":[{"id":"x","errors":[{"code":1}]}]}}]}]}`, `{"entry":null}`, `[]`, `{"entry":[{"changes":{}}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := readNotice(b)
		if err != nil {
			return
		}
		again, err := wire.ReadStatuses(wire.WriteStatuses(list))
		if err != nil || len(again) != len(list) {
			t.Fatalf("%q gives %d statuses, of which %d come back: %v", b, len(list), len(again), err)
		}
	})
}

func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		`{"to":"+15551234567","text":"x"}`, `{"to":"1","type":"image","media":{"link":"http://a/b"}}`, `{"template":{"name":"x"}}`,
		`{"send_at":"2026-01-01T00:00:00Z"}`, `{"to":null}`, `{"x":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		if m.UnmarshalJSON(b) != nil {
			return
		}
		out := outgoing{To: m.To, Type: "text", Text: m.Text, Callback: "x-1.1"}
		if len(m.Template) > 0 {
			out.Type, out.Template = "template", m.Template
		}
		body, err := out.MarshalJSON()
		if err != nil || !json.Valid(body) {
			t.Fatalf("%q would be sent as %q: %v", b, body, err)
		}
	})
}

func TestCompose(t *testing.T) {
	for kind, want := range map[string]string{
		"text":     `"text":{"body":"hi"}`,
		"image":    `"image":{"id":"7","caption":"hi"}`,
		"document": `"document":{"id":"7","caption":"hi","filename":"a.pdf"}`,
		"audio":    `"audio":{"id":"7"}`,
		"sticker":  `"sticker":{"id":"7"}`,
		"template": `"template":{"name":"x"}`,
	} {
		d := wire.Draft{To: "1", Type: kind, Text: "hi", Template: json.RawMessage(`{"name":"x"}`)}
		b, err := compose(&d, wire.Media{ID: "7", Filename: "a.pdf"}, "m1-1.1", false)
		if err != nil || !strings.Contains(string(b), want) || !json.Valid(b) {
			t.Errorf("%s is sent as %s, want %s in it: %v", kind, b, want, err)
		}
	}
	b, _ := compose(&wire.Draft{Type: "image", To: "1"}, wire.Media{Link: "http://x/y"}, "m1-1.1", false)
	if !strings.Contains(string(b), `"link":"http://x/y"`) || strings.Contains(string(b), `"id"`) {
		t.Errorf("by link: %s", b)
	}
}
