package remote

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// A sender that runs already is ready when its port takes a connection, or when the path that ready names answers 200,
// whatever the scheme of its URL.
func TestKnock(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	for _, c := range []struct {
		url, ready string
		there      bool
	}{
		{plain.URL + "/messages", "", true},
		{plain.URL + "/messages", "/healthz", true},
		{plain.URL + "/messages", "/nothing", false},
		{secure.URL + "/messages", "", true},
		{"http://127.0.0.1:1/messages", "", false},
	} {
		s := &System{opts: Options{Scenario: &scenarios.Scenario{Target: &scenarios.Target{URL: c.url, Ready: c.ready, Within: 200 * time.Millisecond}}}}
		err := s.knock(t.Context())
		if (err == nil) != c.there {
			t.Errorf("%s, ready %q: %v", c.url, c.ready, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "no sender answers at") || !strings.Contains(err.Error(), "within 200ms")) {
			t.Errorf("%s: %v", c.url, err)
		}
	}
}
