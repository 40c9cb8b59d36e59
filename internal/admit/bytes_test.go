package admit

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestBytes: what is held is bounded, is given back, and nobody is answered 200 for a body that was not read.
func TestBytes(t *testing.T) {
	bodies := &Bytes{Most: 100, Each: 60}
	read := make(chan int, 1)
	inside, leave := make(chan struct{}), make(chan struct{})
	h := bodies.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			close(inside)
			<-leave
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return // as a handler does whose caller has gone
		}
		read <- len(b)
	}), func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) })
	ask := func(path string, length int, chunked bool) int {
		r := httptest.NewRequest("POST", path, strings.NewReader(strings.Repeat("x", length)))
		if chunked {
			r.ContentLength = -1
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	held := make(chan int)
	go func() { held <- ask("/hold", 60, false) }()
	<-inside
	for _, c := range []struct {
		name    string
		length  int
		chunked bool
		want    int
	}{
		{"it fits", 40, false, 200}, {"it does not", 41, false, 503}, {"nothing", 0, false, 200},
		{"as it comes", 40, true, 200}, {"too much as it comes", 41, true, 503}, {"more than any handler reads", 1000, false, 503},
	} {
		if got := ask("/", c.length, c.chunked); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		} else if got == 200 {
			if n := <-read; n != c.length {
				t.Errorf("%s: %d bytes were read", c.name, n)
			}
		}
	}
	close(leave)
	if got := <-held; got != 200 || <-read != 60 {
		t.Errorf("the one that was there first: %d", got)
	}
	if got := ask("/", 1000, false); got != 200 || <-read != 1000 { // its handler would have stopped reading
		t.Errorf("a long body when nobody else is there: %d", got)
	}
	if n := bodies.held.Load(); n != 0 {
		t.Errorf("%d bytes are still held when nobody is there", n)
	}
}
