package fakewa

import (
	"net/http"
	"strconv"
	"strings"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// object serves an id without an edge: media, a number or an account.
func (s *Server) object(w http.ResponseWriter, r *http.Request) {
	req := s.request(r, Metadata)
	query := r.URL.Query()
	req.Number = query.Get("phone_number_id")
	s.mu.Lock()
	number := s.core.isNumber(req.Node, query.Has("fields"))
	s.mu.Unlock()
	switch {
	case r.Method == http.MethodPost:
		req.Endpoint = NumberSet
		s.settle(w, r, req)
		return
	case number && req.Number == "" && r.Method == http.MethodGet:
		req.Endpoint, req.Fields = NumberInfo, query.Get("fields")
	case r.Method == http.MethodDelete:
		req.Endpoint = Delete
	default:
		req.Base = s.base(r)
	}
	s.serve(w, r, req)
}

// base is where download URLs point to.
func (s *Server) base(r *http.Request) string {
	if base := s.settings().Media.BaseURL; base != "" {
		return strings.TrimSuffix(base, "/")
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// download serves the URLs that metadata gives out.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	req := s.request(r, Download)
	query := r.URL.Query()
	req.Node, req.Ticket = query.Get("mid"), query.Get("hash")
	s.serve(w, r, req)
}

// management serves calls that apps make when they start.
func (s *Server) management(e Endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		req := s.request(r, e)
		req.Fields = r.URL.Query().Get("fields")
		if e == History {
			limit, _ := strconv.Atoi(r.URL.Query().Get("limit")) // a limit that is none leaves the usual one
			page, err := s.history(req.Node, r.URL.Query().Get("message_id"), limit)
			if err != nil {
				req.Problem = fail(131000, "")
			}
			req.Page = page
		}
		if r.Method == http.MethodPost {
			s.settle(w, r, req)
			return
		}
		s.serve(w, r, req)
	}
}
