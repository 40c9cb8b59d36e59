package dash

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// canned answers every request with one body.
type canned string

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(c)))}, nil
}

// FuzzStream: whatever a server says of a run, a viewer takes it in or says that it cannot, and comes to an end.
func FuzzStream(f *testing.F) {
	f.Add("id: 1\ndata: {\"gauge\":{\"at_ns\":1}}\n\nevent: end\n\n")
	f.Add(": alive\n\nid: 9\nevent: failed\ndata: no\n\n")
	f.Add("data: {\"info\":{\"phases\":[{\"from_ns\":9223372036854775807}]}}\n\nevent: end\ndata: 1\n\n")
	f.Add("data: {\n\n")
	f.Fuzz(func(t *testing.T, body string) {
		r := &Remote{base: "http://run", silent: time.Minute, retry: time.Hour, client: &http.Client{Transport: canned(body)}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		taken := 0
		for it, err := range r.Items(ctx, "") {
			if err != nil || it.Lost != "" {
				break
			}
			taken++
		}
		if ctx.Err() != nil {
			t.Fatal("a stream that has ended is still waited for")
		}
		if lines := strings.Count(body, "\n") + 1; taken > lines {
			t.Fatalf("%d items from %d lines", taken, lines)
		}
	})
}
