// Package admit keeps web pages out of servers that are meant for the programs of this machine: one question, Why, and
// a handler that asks it.
//
// A page open in somebody's browser may send simple requests to 127.0.0.1, and may read the answers through a name that
// it points there (DNS rebinding). The first kind carries an Origin, the second a Host that is not ours.
package admit

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Rule says whose requests are answered. The zero Rule looks at where a request comes from alone.
type Rule struct {
	Local bool     // the listener is for this machine: requests have to name it (127.0.0.1, ::1, localhost)
	Hosts []string // other names that may stand for the listener, such as a reverse proxy's

	// Exempt names paths that anybody may name as he likes, because they check their callers themselves.
	Exempt []string
}

// Why returns why a request is not answered, or "".
func (r Rule) Why(q *http.Request) string {
	if slices.Contains(r.Exempt, q.URL.Path) {
		return ""
	}
	host := name(q.Host)
	if r.Local && !Loopback(host) && !r.named(host) {
		return "requests to this machine have to name it: the Host is " + clip(host)
	}
	if origin := q.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Host, q.Host) && !r.named(u.Hostname()) {
			return "the request comes from a web page of " + clip(origin)
		}
	}
	if site := q.Header.Get("Sec-Fetch-Site"); (site == "cross-site" || site == "same-site") && q.Method != http.MethodGet && q.Method != http.MethodHead {
		return "the request comes from another site's web page"
	}
	return ""
}

func (r Rule) named(host string) bool {
	return slices.ContainsFunc(r.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// Handler answers 403 by refuse, with the reason, to whom the rule does not admit.
func (r Rule) Handler(h http.Handler, refuse func(w http.ResponseWriter, why string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if why := r.Why(q); why != "" {
			refuse(w, why)
			return
		}
		h.ServeHTTP(w, q)
	})
}

// Loopback reports whether a host name or address is this machine's own.
func Loopback(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

// name is a host without its port.
func name(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}

func clip(s string) string {
	if len(s) > 128 {
		return s[:128] + "…"
	}
	return s
}
