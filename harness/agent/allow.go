package agent

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/admit"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// Allow is what an agent does for whoever may order it about; the zero Allow sends nowhere and reads nothing. An order
// comes over a network, and names URLs, environment variables and files of this machine.
type Allow struct {
	Loopback bool     // hosts of this machine may be sent to
	Hosts    []string // hosts that may be sent to, such as sender.staging.example or *.staging.example
	Secrets  []string // environment variables and files (by their absolute paths) that may be read for a target's secrets
	Traces   []string // folders whose files may be read as traces
}

// host reports whether messages may be sent to a host.
func (a Allow) host(name string) bool {
	name = strings.ToLower(name)
	return a.Loopback && admit.Loopback(name) || slices.ContainsFunc(a.Hosts, func(h string) bool {
		h = strings.ToLower(h)
		if tail, any := strings.CutPrefix(h, "*"); any {
			return strings.HasSuffix(name, tail) && len(name) > len(tail)
		}
		return h == name
	})
}

// check refuses an order for its first wish that is not allowed, with the flag that would.
func (a Allow) check(o Order, sc *scenarios.Scenario) error {
	if err := a.target(o, sc); err != nil {
		return err
	}
	if sc.Target != nil {
		for name, from := range sc.Target.Secrets {
			what := from.Env
			if what == "" {
				what = from.File
			}
			if !slices.Contains(a.Secrets, what) {
				return fmt.Errorf("this agent may not read %s for the secret %s: it was not started with --allow-secret %s", what, name, what)
			}
		}
	}
	if o.Trace != "" && !slices.ContainsFunc(a.Traces, func(dir string) bool { return below(dir, o.Trace) }) {
		return fmt.Errorf("this agent may not read the trace %s: it was not started with --allow-trace %s", o.Trace, filepath.Dir(o.Trace))
	}
	return nil
}

// target refuses hosts that can be read off the order; what templates make of the rest meets the fence.
func (a Allow) target(o Order, sc *scenarios.Scenario) error {
	urls := []string{o.URL}
	if sc.Target != nil && strings.Contains(sc.Target.URL, "://") {
		urls = append(urls, sc.Target.URL)
	}
	for _, where := range urls {
		if where == "" || strings.Contains(where, "{{") {
			continue
		}
		u, err := url.Parse(where)
		if err != nil {
			return errors.New("the order's URL is none")
		}
		if host := u.Hostname(); !a.host(host) {
			return fmt.Errorf("this agent may not send to %s: it was not started with --allow-host %s", host, host)
		}
	}
	return nil
}

// below reports whether a file lies in a folder, or deeper.
func below(dir, file string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// fence lets requests through to allowed hosts alone, whatever the templates of a target make of them.
type fence struct {
	allow   Allow
	through http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (f fence) RoundTrip(r *http.Request) (*http.Response, error) {
	if !f.allow.host(r.URL.Hostname()) {
		return nil, fmt.Errorf("this agent may not send to %s", r.URL.Hostname())
	}
	return f.through.RoundTrip(r)
}
