package fakewa

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/gorilla/mux"
)

// FuzzStraight holds the short cut for sends and uploads against the routes that it goes round.
func FuzzStraight(f *testing.F) {
	for _, path := range []string{
		"/v24.0/123/messages", "/v24.0/123/media", "/v24/123/messages", "/v24./123/messages", "/v24.0.1/123/messages", "/v24.0/me/messages",
		"/v24.0//messages", "//123/messages", "/123/messages", "/v24.0/123/messages/", "/v24.0/123/media/x", "/V24.0/123/messages", "/", "", "v",
	} {
		f.Add(path)
	}
	s, err := NewServer(Config{}, Wiring{})
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	routes := s.routes.(*mux.Router)
	f.Fuzz(func(t *testing.T, path string) {
		version, node, edge, ok := straight(path)
		if !ok || edge != "messages" && edge != "media" {
			return
		}
		r := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: path}}
		var m mux.RouteMatch
		if !routes.Match(r, &m) || m.Vars["version"] != version || m.Vars["node"] != node {
			t.Errorf("%q is version %q, id %q; the routes say %v", path, version, node, m.Vars)
		}
		template, err := m.Route.GetPathTemplate()
		if err != nil || len(template) < len(edge) || template[len(template)-len(edge):] != edge {
			t.Errorf("%q is the edge %q; the routes say %q, %v", path, edge, template, err)
		}
	})
}
