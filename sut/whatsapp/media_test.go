package whatsapp

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"testing"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

// FuzzForm holds the form of an upload against the reader that servers use.
func FuzzForm(f *testing.F) {
	f.Add([]byte("\x89PNG"), "image/png", "a b.png", "/x/y.png")
	f.Add([]byte{}, "text/plain\r\nX: y", "a\"; name=\"type\"\r\n\r\nx", "/")
	f.Add([]byte("x"), "image/png", "\x7f", "/")
	f.Fuzz(func(t *testing.T, content []byte, kind, name, path string) {
		if bytes.Contains(content, []byte(boundary)) {
			return
		}
		body := formOf(content, kind, &wire.Media{Filename: name}, &url.URL{Path: path})
		_, params, err := mime.ParseMediaType(formType[0])
		if err != nil {
			t.Fatal(err)
		}
		form := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		for _, want := range []string{"messaging_product", "type", "file"} {
			part, err := form.NextRawPart()
			if err != nil {
				t.Fatalf("%q: %v", body, err)
			}
			got, err := io.ReadAll(part)
			if err != nil || part.FormName() != want && want != "file" {
				t.Fatalf("%q: part %q in place of %q, %v", body, part.FormName(), want, err)
			}
			if want == "file" && !bytes.Equal(got, content) {
				t.Errorf("%q: the file is %q, want %q", body, got, content)
			}
		}
		if _, err := form.NextRawPart(); err != io.EOF {
			t.Errorf("%q has more than three parts: %v", body, err)
		}
	})
}
