package fakewa

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
)

// maxUploading bounds the bytes of uploads being read at once, so that many large uploads cannot exhaust memory.
const maxUploading = 512 * mib

// upload serves media uploads.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	req := s.request(r, Upload)
	size := r.ContentLength
	if size < 0 || size > maxUpload {
		size = 64 << 10
	}
	if s.uploads.Add(size) > maxUploading {
		req.Problem = fail(2, "Too many uploads at once.")
	} else if req.Problem == nil {
		req.Upload, req.Problem = readUpload(r)
	}
	s.uploads.Add(-size)
	s.serve(w, r, req)
}

// readUpload reads the form: file, messaging_product (in the form or in the query) and type (or none).
func readUpload(r *http.Request) (*Content, *apiError) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, required("file")
	}
	form := multipart.NewReader(io.LimitReader(r.Body, maxUpload+maxBody), params["boundary"])
	product, declared := r.URL.Query().Get("messaging_product"), r.URL.Query().Get("type")
	var file *Content
	var partMIME string
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
			data, err := readPart(part, r.ContentLength)
			if err != nil {
				if errors.Is(err, errTooLarge) {
					return nil, tooBig(partType(part), maxUpload)
				}
				return nil, fail(100, "The multipart body is broken")
			}
			partMIME = partType(part)
			c := NewContent(partMIME, part.FileName(), data)
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

// readPart reads a file, with room for what the request announced.
func readPart(p io.Reader, announced int64) ([]byte, error) {
	var buf bytes.Buffer
	if announced > 0 && announced <= 1<<20 {
		buf.Grow(int(announced))
	}
	n, err := buf.ReadFrom(io.LimitReader(p, maxUpload+1))
	if err != nil {
		return nil, err
	}
	if n > maxUpload {
		return nil, errTooLarge
	}
	return bytes.Clone(buf.Bytes()), nil
}
