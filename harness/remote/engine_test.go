package remote

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A part that is not ready is told with what it answered.
func TestNotReadyYet(t *testing.T) {
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer busy.Close()
	p := Part{Name: "target/1", Doors: []string{"http"}, Ready: "/healthz", Within: 100 * time.Millisecond}
	ctx, cancel := p.Deadline(t.Context())
	defer cancel()
	err := Await(ctx, p, func(string) string { return busy.URL }, func() error { return nil })
	if err == nil || !strings.Contains(err.Error(), `no answer from "/healthz" within 100ms but 503 Service Unavailable; 200 says that it is ready`) {
		t.Error(err)
	}
}
