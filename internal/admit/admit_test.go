package admit

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestWhy(t *testing.T) {
	local := Rule{Local: true, Hosts: []string{"sender.example"}, Exempt: []string{"/webhooks/whatsapp"}}
	for _, c := range []struct {
		name   string
		rule   Rule
		method string
		url    string
		header http.Header
		ok     bool
	}{
		{"an address", local, "PUT", "http://127.0.0.1:8081/faults", nil, true},
		{"IPv6", local, "PUT", "http://[::1]:8081/faults", nil, true},
		{"a name", local, "GET", "http://localhost:8081/ledger", nil, true},
		{"a rebound name", local, "GET", "http://evil.example/ledger", nil, false},
		{"a rebound name with a port", local, "POST", "http://evil.example:8081/reset", nil, false},
		{"a name that was allowed", local, "POST", "http://sender.example/v1/messages", nil, true},
		{"a path that checks for itself", local, "POST", "http://tunnel.example/webhooks/whatsapp", nil, true},
		{"not a local listener", Rule{}, "POST", "http://sender:8090/v1/messages", nil, true},
		{"a page's form", local, "POST", "http://127.0.0.1:8081/reset", http.Header{"Origin": {"https://evil.example"}}, false},
		{"a page's form, elsewhere", Rule{}, "POST", "http://sender:8090/v1/messages", http.Header{"Origin": {"https://evil.example"}}, false},
		{"a page without a name", local, "POST", "http://127.0.0.1:8081/reset", http.Header{"Origin": {"null"}}, false},
		{"another port of this machine", local, "POST", "http://127.0.0.1:8081/reset", http.Header{"Origin": {"http://127.0.0.1:3000"}}, false},
		{"our own page", local, "POST", "http://127.0.0.1:8081/inbound", http.Header{"Origin": {"http://127.0.0.1:8081"}, "Sec-Fetch-Site": {"same-origin"}}, true},
		{"no origin, but the browser says", local, "POST", "http://127.0.0.1:8081/reset", http.Header{"Sec-Fetch-Site": {"cross-site"}}, false},
		{"a link that was followed", local, "GET", "http://127.0.0.1:8081/", http.Header{"Sec-Fetch-Site": {"cross-site"}}, true},
	} {
		q := httptest.NewRequest(c.method, c.url, nil)
		q.Header = c.header
		if q.Header == nil {
			q.Header = http.Header{}
		}
		if why := c.rule.Why(q); (why == "") != c.ok {
			t.Errorf("%s: %q", c.name, why)
		}
	}
}
