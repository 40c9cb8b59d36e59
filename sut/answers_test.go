package sut

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestWhateverTheProviderAnswers: answers that no documentation tells of, for five minutes. What was not taken arrives
// afterwards, and what may have been taken is sent once more, and not again.
func TestWhateverTheProviderAnswers(t *testing.T) {
	const html = "<html><head><title>503 Service Temporarily Unavailable</title></head></html>"
	const doubt = "unknown: outcome unknown"
	for _, c := range []struct {
		name   string
		status int
		body   string
		after  string
		want   string // how the message stands an hour later
		most   int    // calls
	}{
		{"throttled for a day", 429, `{"error":{"code":130429,"message":"slow down"}}`, "86400", "delivered", 2},
		{"throttled until a date", 429, `{"error":{"code":130429,"message":"slow down"}}`, "Tue, 03 Feb 2054 00:00:00 GMT", "delivered", 2},
		{"throttled, nobody knows until when", 429, "", "when it is over", "delivered", 1000},
		{"a page of a proxy", 503, html, "", doubt, 2},
		{"half an error", 500, `{"error":{"code":1310`, "", doubt, 2},
		{"a token that was changed", 401, "", "", "delivered", 50},
		{"a token that was changed, said by a proxy", 403, html, "", "delivered", 50},
		{"a token that has expired", 401, `{"error":{"code":190,"message":"expired"}}`, "", "delivered", 50},
		{"an error that is none", 500, `{"error":null}`, "", doubt, 2},
		{"an error with a list for a code", 500, `{"error":{"code":[1,2],"message":7}}`, "", doubt, 2},
		{"longer than an answer may be", 500, strings.Repeat("x", 2<<20), "", doubt, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWorld(t, laid(t, plain))
				defer w.close()
				calls, end := new(calls), time.Now().Add(5*time.Minute)
				if c.after != "" {
					w.api.header = http.Header{"Retry-After": {c.after}}
				}
				w.api.decide = func(uint64, string) (int, string, bool) {
					calls.add()
					if time.Now().Before(end) {
						return c.status, c.body + " ", false
					}
					return 200, "", false
				}
				w.post(t.Context(), "m1", 1, text("m1"))
				settle(time.Hour)
				if w.state("m1") != c.want || w.count("m1") != map[bool]int{true: 0, false: 1}[c.want == doubt] || calls.n() > c.most {
					t.Errorf("%s, taken %d times, %d calls; want %s, %d calls at the most", w.state("m1"), w.count("m1"), calls.n(), c.want, c.most)
				}
			})
		})
	}
}
