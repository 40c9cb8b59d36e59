package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/piusalfred/whatsapp/config"
	"github.com/piusalfred/whatsapp/media"
	"github.com/piusalfred/whatsapp/message"
	werrors "github.com/piusalfred/whatsapp/pkg/errors"
	whttp "github.com/piusalfred/whatsapp/pkg/http"
	"github.com/piusalfred/whatsapp/webhooks"
)

func reader(graph, token string) config.Reader {
	return config.ReaderFunc(func(context.Context) (*config.Config, error) {
		return &config.Config{BaseURL: graph, APIVersion: "v22.0", AccessToken: token, PhoneNumberID: number, AppSecret: appSecret, SecureRequests: true}, nil
	})
}

func sender(t *testing.T, graph, token string) *message.BaseClient {
	t.Helper()
	c, err := message.NewBaseClient(whttp.NewSender[message.Message](), reader(graph, token))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// code returns the Cloud API code of an error as the client decoded it.
func code(t *testing.T, err error) *werrors.Error {
	t.Helper()
	e, ok := errors.AsType[*whttp.ResponseError](err)
	if !ok {
		t.Fatalf("the client did not decode %v", err)
	}
	return e.Err
}

// The client decodes strictly: a member that Meta does not send fails it.
func TestText(t *testing.T) {
	graph, _, hooks := fake(t)
	c := sender(t, graph, "EAAacceptance")
	res, err := c.SendText(t.Context(), message.NewRequest("+16505551234", &message.Text{Body: "hello", PreviewURL: true}))
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Messages) != 1 || !strings.HasPrefix(res.Messages[0].ID, "wamid.") || res.Contacts[0].WhatsappID != "16505551234" || res.Contacts[0].Input != "+16505551234" {
		t.Errorf("got %+v", res)
	}
	for _, status := range []string{"sent", "delivered"} {
		h := <-hooks
		if err := webhooks.ValidatePayloadSignature(h.header, h.body, appSecret); err != nil {
			t.Errorf("signature: %v", err)
		}
		var n webhooks.Notification
		if err := json.Unmarshal(h.body, &n); err != nil {
			t.Fatal(err)
		}
		s := n.Entry[0].Changes[0].Value.Statuses[0]
		if s.ID != res.Messages[0].ID || s.StatusValue != status || s.RecipientID != "16505551234" {
			t.Errorf("want %s of %s, got %+v", status, res.Messages[0].ID, s)
		}
	}
}

func TestOtherTypes(t *testing.T) {
	graph, _, _ := fake(t)
	c := sender(t, graph, "EAAacceptance")
	const to = "16505551234"
	if _, err := c.SendLocation(t.Context(), message.NewRequest(to, &message.Location{Latitude: 37.44, Longitude: -122.16, Name: "Philz", Address: "101 Forest Ave"})); err != nil {
		t.Error(err)
	}
	if _, err := c.SendReaction(t.Context(), message.NewRequest(to, &message.Reaction{MessageID: "wamid.x", Emoji: "x"})); err != nil {
		t.Error(err)
	}
	res, err := c.SendTemplate(t.Context(), message.NewRequest(to, &message.Template{Name: "hello_world", Language: &message.TemplateLanguage{Code: "en_US"}}))
	if err != nil || res.Messages[0].MessageStatus != "accepted" {
		t.Errorf("template: %+v, %v", res, err)
	}
	body := "Where are you?"
	if _, err := c.RequestLocation(t.Context(), message.NewRequest(to, &body)); err != nil {
		t.Error(err)
	}
	if _, err := c.SendDocument(t.Context(), message.NewRequest(to, &message.Document{Link: "https://example.com/a.pdf", Filename: "a.pdf"})); err != nil {
		t.Error(err)
	}
}

func TestMediaRoundTrip(t *testing.T) {
	graph, _, _ := fake(t)
	ctx := t.Context()
	want := bytes.Repeat([]byte{0xff, 0xd8, 0, 1}, 3000)
	file := filepath.Join(t.TempDir(), "a.jpg")
	if err := os.WriteFile(file, want, 0o600); err != nil {
		t.Fatal(err)
	}
	c := media.NewBaseClient(reader(graph, "EAAacceptance"), whttp.NewAnySender())
	up, err := c.Upload(ctx, &media.UploadRequest{MediaType: media.TypeImageJPEG, Filepath: file})
	if err != nil {
		t.Fatal(err)
	}
	info, err := c.GetInfo(ctx, &media.BaseRequest{MediaID: up.ID, RestrictToOwnMedia: true})
	if err != nil || info.FileSize != int64(len(want)) || info.MimeType != "image/jpeg" || info.MessagingProduct != "whatsapp" {
		t.Fatalf("info: %+v, %v", info, err)
	}
	var got []byte
	read := whttp.ResponseDecoderFunc(func(_ context.Context, r *http.Response) (err error) {
		got, err = io.ReadAll(r.Body)
		return err
	})
	if err := c.DownloadByMediaID(ctx, &media.BaseRequest{MediaID: up.ID}, read); err != nil || !bytes.Equal(got, want) {
		t.Errorf("download: %d bytes, %v", len(got), err)
	}
	if _, err := sender(t, graph, "EAAacceptance").SendImage(ctx, message.NewRequest("16505551234", &message.Image{ID: up.ID, Caption: "look"})); err != nil {
		t.Error(err)
	}
	if res, err := c.Delete(ctx, &media.BaseRequest{MediaID: up.ID}); err != nil || !res.Success {
		t.Errorf("delete: %+v, %v", res, err)
	}
	_, err = c.GetInfo(ctx, &media.BaseRequest{MediaID: up.ID})
	if e := code(t, err); e.Code != 100 || e.Subcode != 33 || e.Type != "GraphMethodException" {
		t.Errorf("deleted: %+v", e)
	}
}

func TestErrors(t *testing.T) {
	graph, control, _ := fake(t)
	ctx := t.Context()
	c := sender(t, graph, "EAAacceptance")
	_, err := c.SendText(ctx, message.NewRequest("16505551234", &message.Text{Body: strings.Repeat("x", 4097)}))
	if e := code(t, err); e.Code != 100 || e.Message != "(#100) Param text['body'] must be at most 4096 characters long." || e.FBTraceID == "" {
		t.Errorf("too long: %+v", e)
	}
	_, err = c.SendImage(ctx, message.NewRequest("16505551234", &message.Image{ID: "1"}))
	if e := code(t, err); e.Code != 100 || !strings.HasSuffix(e.Message, "is not a valid whatsapp business account media attachment ID") {
		t.Errorf("unknown media: %+v", e)
	}
	_, err = sender(t, graph, "<token>").SendText(ctx, message.NewRequest("16505551234", &message.Text{Body: "x"}))
	if e := code(t, err); e.Code != 190 {
		t.Errorf("garbage token: %+v", e)
	}
	put, err := http.NewRequest("PUT", control+"/faults/throttled", strings.NewReader("{kind: error, code: 131056}"))
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(put); err != nil || res.StatusCode != 200 {
		t.Fatalf("fault: %v", err)
	}
	_, err = c.SendText(ctx, message.NewRequest("16505551234", &message.Text{Body: "x"}))
	if e := code(t, err); e.Code != 131056 || e.Data == nil || !strings.Contains(e.Data.Details, "too many messages sent from this phone number to the same phone number") {
		t.Errorf("fault: %+v", e)
	}
}
