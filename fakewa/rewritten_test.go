package fakewa

import "testing"

// A marker is found in what a sender has made of a text, and a number that was cut off is not taken for another.
func TestRewrittenMarker(t *testing.T) {
	for text, want := range map[string]string{
		"Your order [ref:m000017]":                               "m000017",
		"YOUR ORDER [REF:M000017]":                               "m000017",
		"  Your order  [ref: m000017 ] \u2014 x":                 "m000017",
		"*Your order* \\[ref:m000017\\]":                         "m000017",
		"Your order (ref:m000017)":                               "m000017",
		"Your order \uff3b\uff52\uff45\uff46\uff1am000017\uff3d": "m000017", // fullwidth
		"Your order ref:m000017":                                 "m000017",
		"Your order [ref:m1234567":                               "m1234567",
		"Your order [ref:m00001":                                 "",
		"Your order [ref:m0":                                     "",
		"xref:m000017":                                           "",
		"ref:17":                                                 "",
		"":                                                       "",
	} {
		r := reader{m: &Message{}}
		r.scan([]byte(text))
		if r.m.Marker != want {
			t.Errorf("%q: %q, want %q", text, r.m.Marker, want)
		}
	}
}

func TestPlainly(t *testing.T) {
	const want = `{"body":"grüssedich"}`
	for _, text := range []string{`{"body": "Grüsse dich"}`, "{\"body\":\" gru\u0308sse\u00a0DICH \"}", `{"body":"Grüsse\ndich "}`} {
		if got := string(plainly([]byte(text))); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// With identity text, sends with the same recipient and text are copies, whatever white space and case were made of it.
func TestIdentityOfTexts(t *testing.T) {
	key := func(to, raw, marker string) uint64 {
		return (&Message{WAID: to, Type: "text", raw: []byte(raw), Marker: marker}).identity("text")
	}
	if key("1", `{"body":"Your code is 17"}`, "") != key("1", `{"body": " your CODE is 17\n"}`, "") {
		t.Error("the same text, written in another way, is another message")
	}
	if key("1", `{"body":"17"}`, "") == key("2", `{"body":"17"}`, "") || key("1", `{"body":"17"}`, "") == key("1", `{"body":"18"}`, "") {
		t.Error("another recipient or text is a copy")
	}
	if key("1", `{"body":"a"}`, "m000001") != key("1", `{"body":"b"}`, "m000001") || key("1", "", "m000001") == key("2", "", "m000001") {
		t.Error("a marker settles it, with the recipient")
	}
}
