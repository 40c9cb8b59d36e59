package control

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/fakewa"
)

func open(t *testing.T) (*fakewa.Server, *Client) {
	t.Helper()
	s, err := fakewa.NewServer(fakewa.Config{}, fakewa.Wiring{})
	if err != nil {
		t.Fatal(err)
	}
	doors := httptest.NewServer(fakewa.Guard("s3cret", s.Control()))
	t.Cleanup(doors.Close)
	t.Cleanup(func() { s.Close() })
	return s, &Client{URL: doors.URL, Token: "s3cret", HTTP: doors.Client()}
}

func send(t *testing.T, s http.Handler, text string) {
	t.Helper()
	r := httptest.NewRequest("POST", "/v24.0/106540352242922/messages", strings.NewReader(`{"messaging_product":"whatsapp","to":"16505551234","text":{"body":"`+text+`"}}`))
	r.Header.Set("Authorization", "Bearer EAAtest")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Fatalf("send: %d %s", w.Code, w.Body)
	}
}

func TestFaults(t *testing.T) {
	_, c := open(t)
	ctx := t.Context()
	if err := c.Apply(ctx, "slow", []byte("{kind: latency, add: 2s, share: 10%, for: 10m}")); err != nil {
		t.Fatal(err)
	}
	list, err := c.Faults(ctx)
	if err != nil || len(list) != 1 || list[0].ID != "slow" || list[0].Kind != "latency" || list[0].Until.IsZero() {
		t.Fatalf("faults: %+v, %v", list, err)
	}
	err = c.Apply(ctx, "slow", []byte("{kind: latency, ad: 2s}"))
	if e, ok := errors.AsType[*Error](err); !ok || e.Status != 400 || !strings.Contains(e.Text, "did you mean add?") {
		t.Errorf("a misspelt fault: %v", err)
	}
	err = c.Apply(ctx, "leak", []byte("{kind: latency, file: /etc/passwd}"))
	if err == nil || !strings.Contains(err.Error(), "cannot be read from here") {
		t.Errorf("a file over the network: %v", err)
	}
	if err := c.Clear(ctx, "slow"); err != nil {
		t.Error(err)
	}
	if err := c.Clear(ctx, "slow"); !errors.Is(err, fakewa.ErrNoFault) {
		t.Errorf("cleared twice: %v", err)
	}
}

func TestLedgerOverHTTP(t *testing.T) {
	s, c := open(t)
	ctx := t.Context()
	for _, text := range []string{"a [ref:m1]", "b [ref:m2]", "a again [ref:m1]"} {
		send(t, s, text)
	}
	got, err := c.After(ctx, 1, 10)
	if err != nil || len(got) != 2 || got[0].Message != "m2" || got[1].Copy != 2 {
		t.Fatalf("after 1: %+v, %v", got, err)
	}
	want := s.After(1, 10)
	for i := range got {
		want[i].At, want[i].Done = want[i].At.UTC(), want[i].Done.UTC()
		if !got[i].At.Equal(want[i].At) || !got[i].Done.Equal(want[i].Done) {
			t.Errorf("times changed: %+v, %+v", got[i], want[i])
		}
		got[i].At, got[i].Done = want[i].At, want[i].Done
		if got[i] != want[i] {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
	var copies []string
	if err := c.Each(ctx, url.Values{"copies": {"2"}}, func(e fakewa.Entry) error { copies = append(copies, e.Message); return nil }); err != nil || len(copies) != 1 || copies[0] != "m1" {
		t.Errorf("duplicates: %v, %v", copies, err)
	}
	if err := c.Each(ctx, url.Values{"befor": {"2"}}, nil); err == nil || !strings.Contains(err.Error(), "not known here") {
		t.Errorf("an unknown parameter: %v", err)
	}
	sum, err := c.Summary(ctx)
	if err != nil || sum.Accepted != 3 || sum.Copies != 1 || sum.Messages != 2 {
		t.Errorf("summary: %+v, %v", sum, err)
	}
}

func TestFollow(t *testing.T) {
	s, c := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan string)
	done := make(chan error, 1)
	go func() {
		done <- c.Each(ctx, url.Values{"follow": {"true"}}, func(e fakewa.Entry) error { seen <- e.Message; return nil })
	}()
	for _, m := range []string{"m1", "m2"} {
		send(t, s, "[ref:"+m+"]")
		if got := <-seen; got != m {
			t.Errorf("followed %q, want %q", got, m)
		}
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("the stream ended by itself")
	}
}

// A reset starts the numbers anew, so whoever follows has to start anew.
func TestFollowEndsWithAReset(t *testing.T) {
	s, c := open(t)
	send(t, s, "[ref:m1]")
	err := c.Each(t.Context(), url.Values{"follow": {"true"}}, func(fakewa.Entry) error { return c.Reset(t.Context()) })
	if err != nil {
		t.Errorf("the stream ended with %v", err)
	}
	if list, err := c.After(t.Context(), 0, 10); err != nil || len(list) != 0 {
		t.Errorf("after a reset: %v %v", list, err)
	}
}

func TestTheRest(t *testing.T) {
	s, c := open(t)
	ctx := t.Context()
	if err := c.Set(ctx, []byte("media.upload_life: 1h")); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Effective(ctx); err != nil || got["media.upload_life"] != "1h" {
		t.Errorf("settings: %v, %v", got["media.upload_life"], err)
	}
	if id, err := c.Receive(ctx, fakewa.Inbound{From: "+1 650 555 1234", Text: "hello"}); err != nil || !strings.HasPrefix(id, "wamid.") {
		t.Errorf("inbound: %q, %v", id, err)
	}
	if err := c.Verify(ctx); err == nil {
		t.Error("no callback, and yet it was verified")
	}
	send(t, s, "x")
	if err := c.Reset(ctx); err != nil {
		t.Fatal(err)
	}
	if sum, err := c.Summary(ctx); err != nil || sum.Accepted != 0 {
		t.Errorf("after a reset: %+v, %v", sum, err)
	}
	c.Token = "wrong"
	if err := c.Reset(ctx); err == nil {
		t.Error("a wrong token opened the door")
	}
	res, err := c.HTTP.Get(c.URL + "/healthz")
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("healthz: %v", err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
}
