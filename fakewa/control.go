package fakewa

import "net/http"

// Control returns the doors that drive the fake while it runs.
func (s *Server) Control() http.Handler { return http.NotFoundHandler() }
