package fakewa

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync/atomic"
)

// maxUploading bounds the bytes of uploads being read at once, so that many large uploads cannot exhaust memory.
const maxUploading = 512 * mib

// upload serves media uploads.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	req := s.request(r, Upload)
	if req.Problem == nil {
		body := &metered{from: io.LimitReader(r.Body, maxUpload+maxBody), most: maxUploading, total: &s.uploads}
		req.Upload, req.Problem = readUpload(r, body)
		if body.crowded {
			req.Upload, req.Problem = nil, fail(2, "Too many uploads at once.")
		}
		body.total.Add(-body.held)
		io.Copy(io.Discard, body.from) // a client that is still writing would miss why its file was refused
	}
	s.serve(w, r, req)
}

// metered counts the bytes that all requests of a kind read into memory, and ends where they are too many.
type metered struct {
	from    io.Reader
	most    int64
	total   *atomic.Int64
	held    int64
	crowded bool
}

// Read implements io.Reader.
func (m *metered) Read(p []byte) (int, error) {
	if m.crowded {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := m.from.Read(p)
	m.held += int64(n)
	m.crowded = m.total.Add(int64(n)) > m.most
	return n, err
}

// readUpload reads the form: file, messaging_product (in the form or in the query) and type (or none).
func readUpload(r *http.Request, body io.Reader) (*Content, *apiError) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, required("file")
	}
	form := multipart.NewReader(body, params["boundary"])
	product, declared := r.URL.Query().Get("messaging_product"), r.URL.Query().Get("type")
	var file *Content
	for parts := 0; ; parts++ {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil || parts > 32 {
			return nil, fail(100, "The multipart body is broken")
		}
		switch part.FormName() {
		case "file":
			kind, most := partType(part), maxUpload
			if known, ok := mediaKinds[strings.ToLower(kind)]; ok {
				most = known.most
			}
			data, err := readPart(part, r.ContentLength, most)
			if errors.Is(err, errTooLarge) {
				return nil, tooBig(kind, most)
			}
			if err != nil {
				return nil, fail(100, "The multipart body is broken")
			}
			c := NewContent(kind, part.FileName(), data)
			file = &c
		case "messaging_product":
			product = smallPart(part)
		case "type":
			declared = smallPart(part)
		}
	}
	switch {
	case product == "":
		return nil, required("messaging_product")
	case product != "whatsapp":
		return nil, invalid(`Param messaging_product must be one of {WHATSAPP} - got "` + clip(product, 64) + `".`)
	case file == nil:
		return nil, required("file")
	}
	return checkFile(file, declared)
}

// checkFile settles the file's type: its part's own type counts, a declared MIME type stands in where the part has
// none or only a general one.
func checkFile(file *Content, declared string) (*Content, *apiError) {
	if cleanMIME(file.MIME) == "" || file.MIME == "application/octet-stream" {
		if strings.Contains(declared, "/") {
			file.MIME = declared
		}
	}
	or(&file.MIME, "application/octet-stream")
	known, ok := mediaKinds[strings.ToLower(file.MIME)]
	if !ok {
		return nil, invalid("Param file must be a file with one of the following types: " + mediaKindNames + ". Received file of type '" + clip(file.MIME, 128) + "'.")
	}
	if file.Size > known.most {
		return nil, tooBig(known.mime, known.most)
	}
	return file, nil
}

func tooBig(kind string, most int64) *apiError {
	return invalid("Param file is too large: a file of type '" + clip(kind, 128) + "' is at most " + sizeText(most) + ".")
}

func sizeText(n int64) string {
	if n%mib == 0 {
		return itoa(n/mib) + " MB"
	}
	return itoa(n>>10) + " KB"
}

func partType(p *multipart.Part) string { return strings.TrimSpace(p.Header.Get("Content-Type")) }

func smallPart(p *multipart.Part) string {
	b, err := io.ReadAll(io.LimitReader(p, 256))
	if err != nil {
		return ""
	}
	return string(b)
}

var errTooLarge = errors.New("too large")

// readPart reads a file of at most so many bytes, with room for what the request announced.
func readPart(p io.Reader, announced, most int64) ([]byte, error) {
	var buf bytes.Buffer
	if announced > 0 && announced <= 1<<20 {
		buf.Grow(int(announced))
	}
	n, err := buf.ReadFrom(io.LimitReader(p, most+1))
	if err != nil {
		return nil, err
	}
	if n > most {
		return nil, errTooLarge
	}
	return bytes.Clone(buf.Bytes()), nil
}
