package fakewa

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"
)

// part is one part of a form.
type part struct{ name, file, mime, data string }

func form(parts ...part) (contentType, body string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + p.name + `"`}}
		if p.file != "" {
			h.Set("Content-Disposition", `form-data; name="`+p.name+`"; filename="`+p.file+`"`)
		}
		if p.mime != "" {
			h.Set("Content-Type", p.mime)
		}
		out, err := w.CreatePart(h)
		if err != nil {
			panic(err) // writing to memory does not fail
		}
		out.Write([]byte(p.data))
	}
	w.Close()
	return w.FormDataContentType(), b.String()
}

const uploadPath = "/v24.0/106540352242922/media"

var product = part{name: "messaging_product", data: "whatsapp"}

func png(n int) part { return part{"file", "a.png", "image/png", strings.Repeat("p", n)} }

// TestContractUploads holds the shapes in which clients were seen to upload.
func TestContractUploads(t *testing.T) {
	backends(t, func(t *testing.T, b backend) {
		for name, c := range map[string]struct {
			query  string
			parts  []part
			status int
			says   string
		}{
			"Meta's curl, no type":                {"", []part{product, png(10)}, 200, ""},
			"type as MIME (piusalfred/whatsapp)":  {"", []part{product, {name: "type", data: "image/png"}, png(10)}, 200, ""},
			"type as kind (kapso)":                {"", []part{{name: "type", data: "image"}, product, png(10)}, 200, ""},
			"product in the query (whatsapp-api)": {"?messaging_product=whatsapp", []part{png(10)}, 200, ""},
			"file before the fields":              {"", []part{png(10), product}, 200, ""},
			"type of the file in the field":       {"", []part{product, {name: "type", data: "image/png"}, {"file", "a.png", "application/octet-stream", "x"}}, 200, ""},
			"no product":                          {"", []part{png(10)}, 400, "(#100) The parameter messaging_product is required."},
			"another product":                     {"", []part{{name: "messaging_product", data: "telegram"}, png(10)}, 400, "messaging_product must be one of {WHATSAPP}"},
			"no file":                             {"", []part{product}, 400, "(#100) The parameter file is required."},
			"gif":                                 {"", []part{product, {"file", "a.gif", "image/gif", "GIF"}}, 400, "(#100) Param file must be a file with one of the following types: text/plain, video/mp4,"},
			"type with a parameter":               {"", []part{product, {"file", "a.ogg", "audio/ogg; codecs=opus", "x"}}, 400, "Received file of type 'audio/ogg; codecs=opus'."},
			"image at 5 MB":                       {"", []part{product, png(5 << 20)}, 200, ""},
			"image above 5 MB":                    {"", []part{product, png(5<<20 + 1)}, 400, "is at most 5 MB"},
			"sticker above 500 KB":                {"", []part{product, {"file", "a.webp", "image/webp", strings.Repeat("w", 500<<10+1)}}, 400, "is at most 500 KB"},
		} {
			t.Run(name, func(t *testing.T) {
				ct, body := form(c.parts...)
				for _, chunked := range []bool{false, true} {
					res, got := b.do(t, "POST", uploadPath+c.query, "", ct, body, chunked)
					if res.StatusCode != c.status || !strings.Contains(got, c.says) {
						t.Errorf("got %d %s", res.StatusCode, got)
					}
					if c.status == 200 {
						var v map[string]string
						if err := json.Unmarshal([]byte(got), &v); err != nil || len(v) != 1 || !digits(v["id"]) || len(v["id"]) > 32 {
							t.Errorf("got %s, want an id of digits and nothing else", got)
						}
					}
				}
			})
		}
		for name, c := range map[string]struct{ contentType, body string }{
			"not a form":             {"application/json", `{"file":"x"}`},
			"no boundary":            {"multipart/form-data", "x"},
			"no closing":             {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: image/png\r\n\r\nxx"},
			"no parts":               {"multipart/form-data; boundary=b", ""},
			"headers without a body": {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\""},
		} {
			t.Run(name, func(t *testing.T) {
				res, got := b.do(t, "POST", uploadPath, "", c.contentType, c.body, false)
				if res.StatusCode != 400 || !strings.Contains(got, `"code":100`) {
					t.Errorf("got %d %s", res.StatusCode, got)
				}
			})
		}
	})
}

// TestContractMediaRoundTrip follows a file from upload to delete.
func TestContractMediaRoundTrip(t *testing.T) {
	backends(t, func(t *testing.T, b backend) {
		data := string(bytes.Repeat([]byte{0, 1, 2, 250}, 5000))
		ct, body := form(product, part{"file", "a.jpg", "image/jpeg", data})
		_, got := b.do(t, "POST", uploadPath, "", ct, body, false)
		var up struct{ ID string }
		if err := json.Unmarshal([]byte(got), &up); err != nil {
			t.Fatal(err, got)
		}
		var meta struct {
			Product  string `json:"messaging_product"`
			URL      string
			MIME     string `json:"mime_type"`
			SHA256   string
			FileSize json.Number `json:"file_size"`
			ID       string
		}
		metadata := func() {
			t.Helper()
			res, got := b.do(t, "GET", "/v24.0/"+up.ID+"?phone_number_id=106540352242922", "", "application/json", `{"ignored":1}`, false)
			dec := json.NewDecoder(strings.NewReader(got))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&meta); err != nil || res.StatusCode != 200 {
				t.Fatalf("metadata: %d %s: %v", res.StatusCode, got, err)
			}
		}
		metadata()
		sum := sha256.Sum256([]byte(data))
		if meta.Product != "whatsapp" || meta.MIME != "image/jpeg" || meta.SHA256 != hex.EncodeToString(sum[:]) || meta.FileSize.String() != strconv.Itoa(len(data)) || meta.ID != up.ID {
			t.Errorf("metadata: %+v", meta)
		}
		if !strings.HasPrefix(meta.URL, b.base+"/whatsapp_business/attachments/?mid="+up.ID+"&ext=") {
			t.Errorf("url %s", meta.URL)
		}
		res, got := b.do(t, "GET", meta.URL, "", "", "", false)
		if res.StatusCode != 200 || got != data || res.Header.Get("Content-Type") != "image/jpeg" {
			t.Errorf("download: %d, %d bytes of %s", res.StatusCode, len(got), res.Header.Get("Content-Type"))
		}
		if res, _ := b.do(t, "GET", meta.URL, "none", "", "", false); res.StatusCode != 401 {
			t.Errorf("download without a token: %d", res.StatusCode)
		}
		if res, _ := b.do(t, "GET", meta.URL+"0", "", "", "", false); res.StatusCode != 404 {
			t.Errorf("download with another hash: %d", res.StatusCode)
		}
		image := `{"messaging_product":"whatsapp","to":"16505551234","type":"image","image":{"id":"` + up.ID + `"}}`
		if res, got := b.do(t, "POST", "/v24.0/106540352242922/messages", "", "application/json", image, false); res.StatusCode != 200 {
			t.Errorf("send: %s", got)
		}
		res, got = b.do(t, "POST", "/v24.0/222/messages", "", "application/json", image, false)
		if res.StatusCode != 400 || !strings.HasSuffix(messageOf(got), "is not a valid whatsapp business account media attachment ID") {
			t.Errorf("send from another number: %d %s", res.StatusCode, got)
		}
		if res, got := b.do(t, "DELETE", "/v24.0/"+up.ID, "", "", "", false); res.StatusCode != 200 || got != `{"success":true}` {
			t.Errorf("delete: %d %s", res.StatusCode, got)
		}
		for _, method := range []string{"GET", "DELETE"} {
			res, got := b.do(t, method, "/v24.0/"+up.ID, "", "", "", false)
			if res.StatusCode != 400 || !strings.Contains(got, `"error_subcode":33`) || !strings.Contains(got, "GraphMethodException") {
				t.Errorf("%s after delete: %d %s", method, res.StatusCode, got)
			}
		}
		if res, _ := b.do(t, "GET", meta.URL, "", "", "", false); res.StatusCode != 404 {
			t.Errorf("download after delete: %d", res.StatusCode)
		}
	})
}

func messageOf(body string) string {
	var v struct{ Error struct{ Message string } }
	if json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	return v.Error.Message
}

// Settings say what Meta documents in two ways.
func TestContractTwoWays(t *testing.T) {
	backends(t, func(t *testing.T, b backend) {
		if err := b.s.Set([]byte("{media.file_size: string, media.download: optional, answers.missing_token: 200, answers.message_status: always, limits: {throughput: 1/h, status: 429, retry_after: true}}")); err != nil {
			t.Fatal(err)
		}
		ct, body := form(product, png(10))
		_, got := b.do(t, "POST", uploadPath, "", ct, body, false)
		var up, meta struct {
			ID, URL string
			Size    any `json:"file_size"`
		}
		json.Unmarshal([]byte(got), &up)
		_, got = b.do(t, "GET", "/"+up.ID, "", "", "", false)
		if json.Unmarshal([]byte(got), &meta); meta.Size != "10" {
			t.Errorf("file_size: %v in %s", meta.Size, got)
		}
		if res, got := b.do(t, "GET", meta.URL, "none", "", "", false); res.StatusCode != 200 || len(got) != 10 {
			t.Errorf("download without a token: %d %s", res.StatusCode, got)
		}
		const hi = `{"messaging_product":"whatsapp","to":"16505551234","text":{"body":"hi"}}`
		if res, got := b.do(t, "POST", "/106540352242922/messages", "none", "application/json", hi, false); res.StatusCode != 403 || messageOf(got) != "Provide valid app ID" {
			t.Errorf("no token: %d %s", res.StatusCode, got)
		}
		if _, got := b.do(t, "POST", "/106540352242922/messages", "", "application/json", hi, false); !strings.Contains(got, `"message_status":"accepted"`) {
			t.Errorf("message_status: %s", got)
		}
		res, got := b.do(t, "POST", "/106540352242922/messages", "", "application/json", hi, false)
		if res.StatusCode != 429 || res.Header.Get("Retry-After") == "" || codeOfBody(got) != 130429 {
			t.Errorf("throttled: %d %v %s", res.StatusCode, res.Header, got)
		}
	})
}

func codeOfBody(s string) int {
	var v any
	if json.Unmarshal([]byte(s), &v) != nil {
		return -1
	}
	return codeOf(v)
}

func TestHeaders(t *testing.T) {
	backends(t, func(t *testing.T, b backend) {
		for path, version := range map[string]string{"/v19.0/106540352242922/messages": "v19.0", "/106540352242922/messages": "v24.0"} {
			res, _ := b.do(t, "POST", path, "", "application/json", `{"messaging_product":"whatsapp","to":"16505551234","text":{"body":"hi"}}`, false)
			if got := res.Header.Get("facebook-api-version"); got != version {
				t.Errorf("%s: version %q", path, got)
			}
			if res.Header.Get("Retry-After") != "" {
				t.Error("Retry-After, which Meta does not send")
			}
		}
		res, _ := b.do(t, "POST", "/106540352242922/messages", "none", "application/json", "{}", false)
		if got := res.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `OAuth "Facebook Platform" "invalid_token" "`) {
			t.Errorf("www-authenticate: %s", got)
		}
	})
}

// A body that is too large, or never comes, costs a bounded amount of memory and time.
func TestBadBodies(t *testing.T) {
	backends(t, func(t *testing.T, b backend) {
		big := `{"messaging_product":"whatsapp","text":{"body":"` + strings.Repeat("x", maxBody) + `"}}`
		for _, chunked := range []bool{false, true} {
			if res, got := b.do(t, "POST", "/106540352242922/messages", "", "application/json", big, chunked); res.StatusCode != http.StatusRequestEntityTooLarge || codeOfBody(got) != 1 {
				t.Errorf("a megabyte: %d %s", res.StatusCode, got)
			}
		}
		deep := `{"messaging_product":` + strings.Repeat("[", 100_000)
		if res, got := b.do(t, "POST", "/106540352242922/messages", "", "application/json", deep, false); res.StatusCode != 400 || codeOfBody(got) != 100 {
			t.Errorf("brackets: %d %s", res.StatusCode, got)
		}
		for _, method := range []string{"PUT", "PATCH", "OPTIONS"} {
			if res, got := b.do(t, method, "/v24.0/106540352242922/messages", "", "", "", false); res.StatusCode != 400 {
				t.Errorf("%s: %d %s", method, res.StatusCode, got)
			}
		}
	})
}

// Whatever their requests announce, uploads hold a bounded amount of memory.
func TestUploadsAtOnce(t *testing.T) {
	backends(t, func(t *testing.T, b backend) {
		ct, body := form(product, png(1000))
		for _, chunked := range []bool{false, true} {
			b.s.uploads.Store(maxUploading)
			if res, got := b.do(t, "POST", uploadPath, "", ct, body, chunked); res.StatusCode != 503 || codeOfBody(got) != 2 {
				t.Errorf("one too many: %d %s", res.StatusCode, got)
			}
			b.s.uploads.Store(0)
			if res, got := b.do(t, "POST", uploadPath, "", ct, body, chunked); res.StatusCode != 200 || b.s.uploads.Load() != 0 {
				t.Errorf("%d %s, and %d bytes are counted", res.StatusCode, got, b.s.uploads.Load())
			}
		}
		ct, body = form(product, png(20<<20)) // four times too large: the answer comes all the same
		if res, got := b.do(t, "POST", uploadPath, "", ct, body, true); res.StatusCode != 400 || !strings.Contains(got, "is at most 5 MB") {
			t.Errorf("20 MB: %d %s", res.StatusCode, got)
		}
	})
}

func TestSlowWriterIsCutOff(t *testing.T) {
	if s := Serving(nil); s.ReadHeaderTimeout > 30*time.Second || s.ReadTimeout == 0 || s.ReadTimeout > 5*time.Minute || s.MaxHeaderBytes > 1<<20 {
		t.Errorf("a slow writer may hold a connection: %+v", s)
	}
}
