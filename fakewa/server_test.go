package fakewa

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
)

// pipe is a transport without sockets: it runs the handler on its own goroutine and honours the request's context.
type pipe struct{ h http.Handler }

func (p pipe) RoundTrip(r *http.Request) (*http.Response, error) {
	type result struct {
		w       *httptest.ResponseRecorder
		aborted bool
	}
	done := make(chan result, 1)
	go func() {
		w := httptest.NewRecorder()
		defer func() { done <- result{w, recover() != nil} }()
		in := r.Clone(r.Context())
		if in.Body == nil {
			in.Body = http.NoBody
		}
		if in.Host == "" {
			in.Host = in.URL.Host
		}
		p.h.ServeHTTP(w, in)
	}()
	select {
	case res := <-done:
		if res.aborted {
			return nil, io.ErrUnexpectedEOF
		}
		return res.w.Result(), nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// start runs a server in a bubble until the test ends.
func start(t *testing.T, cfg Config, w Wiring) *Server {
	t.Helper()
	s, err := NewServer(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Close()
	})
	return s
}

// call makes one request and returns status and body.
func call(t *testing.T, h http.Handler, method, path, contentType, body string) (int, string) {
	t.Helper()
	return callFor(t, h, time.Hour, method, path, contentType, body)
}

func callFor(t *testing.T, h http.Handler, timeout time.Duration, method, path, contentType, body string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://graph.test"+path, in)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer EAAtest")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := pipe{h}.RoundTrip(req)
	if err != nil {
		return 0, err.Error()
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return res.StatusCode, err.Error()
	}
	return res.StatusCode, string(b)
}

func upload(t *testing.T, h http.Handler, number, mime string, data []byte) string {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	w.WriteField("messaging_product", "whatsapp")
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="a"`}, "Content-Type": {mime}})
	if err != nil {
		t.Fatal(err)
	}
	part.Write(data)
	w.Close()
	status, body := call(t, h, "POST", "/v24.0/"+number+"/media", w.FormDataContentType(), form.String())
	var out struct{ ID string }
	if err := json.Unmarshal([]byte(body), &out); err != nil || status != 200 {
		t.Fatalf("upload: %d %s", status, body)
	}
	return out.ID
}

const number = "106540352242922"

func text(to, body, callback string) string {
	return `{"messaging_product":"whatsapp","to":"` + to + `","type":"text","text":{"body":"` + body + `"},"biz_opaque_callback_data":"` + callback + `"}`
}

func TestSendInVirtualTime(t *testing.T) {
	c := &callback{}
	bubble(t, Defaults(), c, Wiring{Seed: 1}, func(t *testing.T, s *Server) {
		begin := time.Now()
		status, body := call(t, s, "POST", "/v24.0/"+number+"/messages", "application/json", text("+16505551234", "hi [ref:m1]", "d1.1"))
		if status != 200 || !strings.Contains(body, `"wa_id":"16505551234"`) {
			t.Fatalf("send: %d %s", status, body)
		}
		if took := time.Since(begin); took < 50*time.Millisecond || took > 5*time.Second {
			t.Errorf("the answer took %v", took)
		}
		pass(time.Hour)
		if got := strings.Join(c.statuses(t), " "); got != "sent delivered" {
			t.Fatalf("webhooks: %s", got)
		}
		got := s.After(0, 0)
		if len(got) != 2 || got[0].Message != "m1" || got[0].Callback != "d1.1" || !got[0].Accepted || got[0].Answered != 200 || got[1].Status != "delivered" || got[1].WAMID != got[0].WAMID {
			t.Fatalf("ledger: %+v", got)
		}
	})
}

func TestExpiredMediaIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Media: Media{UploadLife: time.Hour}}, Wiring{})
		id := upload(t, s, number, "image/jpeg", []byte("picture"))
		image := `{"messaging_product":"whatsapp","to":"16505551234","type":"image","image":{"id":"` + id + `","caption":"[ref:m2]"}}`
		if status, body := call(t, s, "POST", "/"+number+"/messages", "application/json", image); status != 200 {
			t.Fatalf("fresh: %d %s", status, body)
		}
		pass(2 * time.Hour)
		status, body := call(t, s, "POST", "/"+number+"/messages", "application/json", image)
		if status != 400 || !strings.Contains(body, "is not a valid whatsapp business account media attachment ID") {
			t.Fatalf("expired: %d %s", status, body)
		}
		var last Entry
		for _, e := range s.After(0, 0) {
			if e.Status == "" {
				last = e
			}
		}
		if !last.Expired || last.Slack != -time.Hour || last.Code != 100 || last.Message != "m2" {
			t.Errorf("ledger: %+v", last)
		}
		if err := s.Set([]byte("media.upload_life: 3h")); err != nil {
			t.Fatal(err)
		}
		if status, _ := call(t, s, "POST", "/"+number+"/messages", "application/json", image); status != 200 {
			t.Error("a longer upload_life did not bring the id back")
		}
	})
}

func TestReplyLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{}, Wiring{Lanes: instant.Lanes{On: true}})
		for _, how := range []string{"dropped", "late", "reset", "error"} {
			if err := s.Apply("lost", []byte("{kind: reply-lost, how: "+how+"}")); err != nil {
				t.Fatal(err)
			}
			status, _ := callFor(t, s, 10*time.Second, "POST", "/"+number+"/messages", "application/json", text("16505551234", "hello "+how, ""))
			if how == "error" && status != 500 || how != "error" && status != 0 {
				t.Errorf("%s: the client saw %d", how, status)
			}
			if err := s.Clear("lost"); err != nil {
				t.Fatal(err)
			}
			if status, body := call(t, s, "POST", "/"+number+"/messages", "application/json", text("16505551234", "hello "+how, "")); status != 200 {
				t.Errorf("%s: again: %d %s", how, status, body)
			}
		}
		pass(time.Hour)
		sum := s.Summary()
		if sum.Accepted != 8 || sum.Messages != 4 || sum.Copies != 4 || sum.Duplicated != 4 || sum.Withheld != 4 {
			t.Errorf("summary: %+v", sum)
		}
	})
}
