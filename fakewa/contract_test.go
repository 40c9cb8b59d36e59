package fakewa

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

// contractCase is one published request and its documented answer.
type contractCase struct {
	Name        string `yaml:"name"`
	Source      string `yaml:"source"`
	Settings    any    `yaml:"settings"`
	Token       string `yaml:"token"` // default EAAtest; none for no token
	Path        string `yaml:"path"`  // default /v24.0/106540352242922/messages
	Get         string `yaml:"get"`
	ContentType string `yaml:"content_type"`
	Chunked     bool   `yaml:"chunked"`
	Body        any    `yaml:"body"`
	JSON        string `yaml:"json"`
	Status      int    `yaml:"status"`
	Code        int    `yaml:"code"`
	Answer      any    `yaml:"answer"`
	Most        int    `yaml:"most"`
	Beyond      any    `yaml:"beyond"`
}

// contractCases reads a file of cases; a file without any is a mistake.
func contractCases(t *testing.T, file string) []contractCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "contract", file))
	if err != nil {
		t.Fatal(err)
	}
	var list []contractCase
	if err := strict.Decode(file, data, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatalf("%s holds no cases", file)
	}
	return list
}

// backend is one way of reaching a fake.
type backend struct {
	s    *Server
	base string
	http *http.Client
}

// backends runs f against a fresh fake in process, over HTTP and over TLS.
func backends(t *testing.T, f func(t *testing.T, b backend)) {
	t.Helper()
	fresh := func(t *testing.T) *Server {
		s, err := NewServer(Config{}, Wiring{SpillDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	listen := func(t *testing.T, s *Server, wrap func(net.Listener) net.Listener) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		srv, done := Serving(s), make(chan error, 1)
		go func() { done <- srv.Serve(wrap(s.Listener(ln))) }()
		t.Cleanup(func() { srv.Close(); <-done })
		return ln.Addr().String()
	}
	t.Run("process", func(t *testing.T) {
		s := fresh(t)
		f(t, backend{s, "http://graph.test", &http.Client{Transport: pipe{s}}})
	})
	t.Run("http", func(t *testing.T) {
		s := fresh(t)
		f(t, backend{s, "http://" + listen(t, s, func(l net.Listener) net.Listener { return l }), &http.Client{Transport: &http.Transport{}}})
	})
	t.Run("tls", func(t *testing.T) {
		s := fresh(t)
		pair, pem, err := Certificate("127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		addr := listen(t, s, func(l net.Listener) net.Listener {
			return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}})
		})
		f(t, backend{s, "https://" + addr, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}})
	})
}

// reader that hides its length makes a request chunked.
type unsized struct{ io.Reader }

func (b backend) do(t *testing.T, method, path, token, contentType, body string, chunked bool) (*http.Response, string) {
	t.Helper()
	url := path
	if !strings.HasPrefix(path, "http") {
		url = b.base + path
	}
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
		if chunked {
			in = unsized{in}
		}
	}
	req, err := http.NewRequest(method, url, in)
	if err != nil {
		t.Fatal(err)
	}
	switch token {
	case "none":
	case "":
		req.Header.Set("Authorization", "Bearer EAAtest")
	default:
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := b.http.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(out)
}

func (b backend) run(t *testing.T, c contractCase) {
	t.Helper()
	if c.Settings != nil {
		n, err := strict.Encode(c.Settings)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.s.Set(n.YAML()); err != nil {
			t.Fatal(err)
		}
		defer b.s.Set([]byte("{tokens: [], numbers: [], templates: [], limits: {window: false}}"))
	}
	method, path := "POST", "/v24.0/106540352242922/messages"
	or(&c.Path, path)
	if path = c.Path; c.Get != "" {
		method, path = "GET", c.Get
	}
	body := c.JSON
	if c.Body != nil {
		j, err := json.Marshal(c.Body)
		if err != nil {
			t.Fatal(err)
		}
		body = string(j)
	}
	or(&c.ContentType, "application/json")
	res, got := b.do(t, method, path, c.Token, c.ContentType, body, c.Chunked)
	or(&c.Status, 200)
	if res.StatusCode != c.Status {
		t.Errorf("status %d, want %d: %s", res.StatusCode, c.Status, got)
		return
	}
	if ct := res.Header.Get("Content-Type"); ct != "application/json; charset=UTF-8" {
		t.Errorf("content type %q", ct)
	}
	var v any
	if err := json.Unmarshal([]byte(got), &v); err != nil {
		t.Fatalf("not JSON: %v: %s", err, got)
	}
	if c.Answer != nil {
		if err := alike(c.Answer, v); err != nil {
			t.Errorf("%v\ngot %s", err, got)
		}
	}
	if c.Code != 0 && codeOf(v) != c.Code {
		t.Errorf("code %d, want %d: %s", codeOf(v), c.Code, got)
	}
}

func codeOf(v any) int {
	m, _ := v.(map[string]any)
	e, _ := m["error"].(map[string]any)
	code, _ := e["code"].(float64)
	return int(code)
}

var wamidForm = regexp.MustCompile(`^wamid\.[A-Za-z0-9+/]+={0,2}$`)

// alike holds an answer against what was documented: the same members, and the same values where they are not said
// by their form.
func alike(want, got any) error {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("got %v, want an object", got)
		}
		for k := range g {
			if _, ok := w[k]; !ok {
				return fmt.Errorf("member %q is one too many", k)
			}
		}
		for k, x := range w {
			if _, ok := g[k]; !ok {
				return fmt.Errorf("member %q is missing", k)
			}
			if err := alike(x, g[k]); err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Errorf("got %v, want %d elements", got, len(w))
		}
		for i := range w {
			if err := alike(w[i], g[i]); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
	default:
		g, text := fmt.Sprint(got), fmt.Sprint(want)
		switch {
		case text == "<wamid>" && wamidForm.MatchString(g) && len(g) <= 128, text == "<trace>" && len(g) == 23 && g[0] == 'A':
		case text != g:
			return fmt.Errorf("got %q, want %q", g, text)
		}
	}
	return nil
}

func TestContract(t *testing.T) {
	backends(t, func(t *testing.T, b backend) {
		for _, file := range []string{"messages.yaml", "access.yaml"} {
			for _, c := range contractCases(t, file) {
				t.Run(c.Name, func(t *testing.T) { b.run(t, c) })
			}
		}
	})
}

func TestContractFieldLimits(t *testing.T) {
	backends(t, func(t *testing.T, b backend) {
		for _, c := range contractCases(t, "limits.yaml") {
			t.Run(c.Name, func(t *testing.T) {
				form := c.JSON
				at, beyond := c, c
				at.JSON, at.Code, at.Status = strings.Replace(form, "{N}", long(c.Most), 1), 0, 200
				b.run(t, at)
				beyond.JSON, beyond.Status, beyond.Answer = strings.Replace(form, "{N}", long(c.Most+1), 1), 400, c.Beyond
				b.run(t, beyond)
			})
		}
	})
}

// long is a text of n characters.
func long(n int) string { return strings.Repeat("ab\u00e9", n/3+1)[:n+n/3] }

func TestLong(t *testing.T) {
	for _, n := range []int{20, 21, 24, 60, 4096, 4097} {
		if got := len([]rune(long(n))); got != n {
			t.Errorf("long(%s) has %d characters", strconv.Itoa(n), got)
		}
	}
	if !bytes.Contains([]byte(long(3)), []byte("é")) {
		t.Error("no wide characters")
	}
}

// Whatever their requests announce, the bodies that are being read hold a bounded amount of memory.
func TestRequestsAtOnce(t *testing.T) {
	backends(t, func(t *testing.T, b backend) {
		const path = "/v24.0/106540352242922/messages"
		const body = `{"messaging_product":"whatsapp","to":"15551234567","type":"text","text":{"body":"hello"}}`
		for _, chunked := range []bool{false, true} {
			b.s.reading.Store(maxReading)
			if res, got := b.do(t, "POST", path, "", "application/json", body, chunked); res.StatusCode != 503 || codeOfBody(got) != 2 {
				t.Errorf("one too many: %d %s", res.StatusCode, got)
			}
			b.s.reading.Store(0)
			if res, got := b.do(t, "POST", path, "", "application/json", body, chunked); res.StatusCode != 200 || b.s.reading.Load() != 0 {
				t.Errorf("%d %s, and %d bytes are counted", res.StatusCode, got, b.s.reading.Load())
			}
		}
	})
}
