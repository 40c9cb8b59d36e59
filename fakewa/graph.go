package fakewa

import (
	"net/http"
	"strings"

	"github.com/gorilla/mux"
)

// ServeHTTP serves the Graph API. Sends and uploads, which are nearly all calls, do not go through the routes: matching
// them costs as much as deciding them.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, _, edge, ok := straight(r.URL.Path); ok && r.Method == http.MethodPost {
		switch edge {
		case "messages":
			s.messages(w, r)
			return
		case "media":
			s.upload(w, r)
			return
		}
	}
	s.routes.ServeHTTP(w, r)
}

// straight splits a path such as /v24.0/1234567890/messages; ok is false for paths of any other form.
func straight(path string) (version, node, edge string, ok bool) {
	rest, slash := strings.CutPrefix(path, "/")
	version, rest, _ = strings.Cut(rest, "/")
	node, edge, _ = strings.Cut(rest, "/")
	major, minor, dot := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	return version, node, edge, slash && dot && version[0] == 'v' && digits(major) && digits(minor) && digits(node)
}

// where returns the version and the id in a call's path.
func where(r *http.Request, e Endpoint) (version, node string) {
	if e == Messages || e == Upload {
		if version, node, _, ok := straight(r.URL.Path); ok {
			return version, node
		}
	}
	vars := mux.Vars(r)
	return vars["version"], vars["node"]
}

// graph returns the routes of the Graph API: a version or none, an id, and an edge or none. What an id without an
// edge stands for (media, a number, an account) is found out by looking it up.
func (s *Server) graph() http.Handler {
	r := mux.NewRouter().SkipClean(true)
	const node = "{node:[0-9A-Za-z_.:-]+}"
	for _, version := range []string{"/{version:v[0-9]+[.][0-9]+}", ""} {
		edge := func(name string, h http.HandlerFunc, methods ...string) {
			r.HandleFunc(version+"/"+node+"/"+name, h).Methods(methods...)
			r.HandleFunc(version+"/"+node+"/"+name+"/", h).Methods(methods...)
		}
		edge("messages", s.messages, "POST")
		edge("media", s.upload, "POST")
		edge("marketing_messages", s.messages, "POST")
		edge("phone_numbers", s.management(PhoneNumbers), "GET")
		edge("message_templates", s.management(TemplateList), "GET")
		edge("subscribed_apps", s.management(Subscriptions), "GET", "POST", "DELETE")
		edge("message_history", s.management(History), "GET")
	}
	r.HandleFunc("/whatsapp_business/attachments/", s.download).Methods("GET", "HEAD")
	for _, version := range []string{"/{version:v[0-9]+[.][0-9]+}", ""} {
		r.HandleFunc(version+"/"+node, s.object).Methods("GET", "POST", "DELETE")
		r.HandleFunc(version+"/"+node+"/", s.object).Methods("GET", "POST", "DELETE")
	}
	r.NotFoundHandler = http.HandlerFunc(s.elsewhere)
	r.MethodNotAllowedHandler = http.HandlerFunc(s.wrongMethod)
	return r
}

// request starts a request from what every call has in common.
func (s *Server) request(r *http.Request, e Endpoint) *Request {
	req := &Request{Endpoint: e, Method: r.Method}
	req.Version, req.Node = where(r, e)
	query := ""
	if strings.Contains(r.URL.RawQuery, "access_token=") {
		query = r.URL.Query().Get("access_token")
	}
	var header string
	if h := r.Header["Authorization"]; len(h) > 0 {
		header = h[0]
	}
	req.Token, req.TokenBad = readToken(header, query)
	if !digits(req.Node) && e != Download && e != Elsewhere {
		req.Problem = &apiError{status: 404, code: 803, kind: oauth, message: "(#803) Some of the aliases you requested do not exist: " + clip(req.Node, 64)}
	}
	return req
}

func (s *Server) elsewhere(w http.ResponseWriter, r *http.Request) {
	req := s.request(r, Elsewhere)
	req.Problem = &apiError{status: 400, code: 2500, kind: oauth, message: "Unknown path components: " + clip(r.URL.Path, 256)}
	s.serve(w, r, req)
}

func (s *Server) wrongMethod(w http.ResponseWriter, r *http.Request) {
	req := s.request(r, Elsewhere)
	node, _, _ := strings.Cut(strings.TrimPrefix(withoutVersion(r.URL.Path), "/"), "/")
	req.Problem = unknownObject(strings.ToLower(clip(r.Method, 16)), clip(node, 64))
	s.serve(w, r, req)
}

// withoutVersion cuts /v24.0 off a path.
func withoutVersion(path string) string {
	rest, ok := strings.CutPrefix(path, "/v")
	if !ok || rest == "" || rest[0] < '0' || rest[0] > '9' {
		return path
	}
	if _, after, ok := strings.Cut(rest, "/"); ok {
		return "/" + after
	}
	return path
}
