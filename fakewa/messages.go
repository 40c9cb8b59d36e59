package fakewa

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aftershock-dev/aftershock/fakewa/internal/tree"
)

const (
	maxBody    = 1 << 20  // the largest body of a call other than an upload
	maxReading = 32 * mib // of all that are being read at once, so that many that never end cannot exhaust memory
)

// scratch is what one request needs for a moment: its body and the tree over it.
type scratch struct {
	body []byte
	tree tree.Tree
}

var scratches = sync.Pool{New: func() any { return &scratch{body: make([]byte, 0, 4096)} }}

func (sc *scratch) free() {
	sc.tree.Forget()
	if cap(sc.body) <= 64<<10 {
		scratches.Put(sc)
	}
}

// read reads a body into the scratch, or says what is wrong with it.
func (sc *scratch) read(r *http.Request, reading *atomic.Int64) *apiError {
	sc.body = sc.body[:0]
	if r.ContentLength > maxBody {
		return tooLarge()
	}
	body := metered{from: r.Body, most: maxReading, total: reading}
	defer func() { reading.Add(-body.held) }()
	for {
		if len(sc.body) == cap(sc.body) {
			sc.body = append(sc.body, 0)[:len(sc.body)]
		}
		n, err := body.Read(sc.body[len(sc.body):cap(sc.body)])
		sc.body = sc.body[:len(sc.body)+n]
		if body.crowded {
			return fail(2, "Too many requests at once.")
		}
		if len(sc.body) > maxBody {
			return tooLarge()
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return incomplete()
		}
	}
}

func tooLarge() *apiError {
	return &apiError{status: 413, code: 1, kind: oauth, message: "(#1) The request body is too large"}
}

func incomplete() *apiError {
	return &apiError{status: 400, code: 1, kind: oauth, message: "(#1) The request body could not be read"}
}

// messages serves sends, and mark-as-read.
func (s *Server) messages(w http.ResponseWriter, r *http.Request) {
	req := s.request(r, Messages)
	sc := scratches.Get().(*scratch)
	if problem := sc.read(r, &s.reading); problem != nil {
		req.Problem = problem
	} else if root, problem := sc.parse(r); problem != nil {
		req.Problem = problem
	} else {
		readMessage(&req.Message, root, s.settings().Answers.ListBody)
		if strings.HasSuffix(strings.TrimSuffix(r.URL.Path, "/"), "/marketing_messages") && req.Message.Type != "template" && req.Message.problem == nil {
			req.Message.problem = fail(131055, "")
		}
	}
	sc.free()
	if s.settings().Media.BadLink == "reply" && req.Message.problem == nil {
		for _, link := range req.Message.Links {
			if problem, _ := s.hooks.get(r.Context(), link, req.Message.Type); problem != nil && req.Message.problem == nil {
				req.Message.problem = problem
			}
		}
	}
	s.serve(w, r, req)
}

// parse reads a body as JSON, or as a form whose values may be JSON, which the Graph API takes too.
func (sc *scratch) parse(r *http.Request) (tree.Node, *apiError) {
	if kind := r.Header["Content-Type"]; len(kind) > 0 && strings.HasPrefix(kind[0], "application/x-www-form-urlencoded") && !looksJSON(sc.body) {
		form, err := url.ParseQuery(string(sc.body))
		if err != nil {
			return tree.Node{}, fail(100, "The request body is not a valid form")
		}
		sc.body = formJSON(sc.body[:0], form)
	}
	if len(sc.body) == 0 {
		return tree.Node{}, nil
	}
	root, err := sc.tree.Parse(sc.body)
	if err != nil {
		return tree.Node{}, fail(100, "The request body is not valid JSON")
	}
	return root, nil
}

func looksJSON(b []byte) bool {
	for _, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			return c == '{'
		}
	}
	return false
}

// formJSON writes a form as a JSON object.
func formJSON(b []byte, form url.Values) []byte {
	b = append(b, '{')
	for key, values := range form {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(appendString(b, key, false), ':')
		v := values[len(values)-1]
		var t tree.Tree
		if n, err := t.Parse([]byte(v)); err == nil && (n.Kind() == tree.Object || n.Kind() == tree.Array) {
			b = append(b, v...)
		} else {
			b = appendString(b, v, false)
		}
	}
	return append(b, '}')
}
