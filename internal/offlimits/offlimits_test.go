package offlimits

import (
	"context"
	"errors"
	"net/netip"
	"testing"
)

func TestCheck(t *testing.T) {
	lookup := func(_ context.Context, _, host string) ([]netip.Addr, error) {
		switch host {
		case "graph.fake.example":
			return []netip.Addr{netip.MustParseAddr("192.0.2.7")}, nil
		case "graph.staging.example":
			return []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("::ffff:157.240.22.19")}, nil
		}
		return nil, errors.New("no such host")
	}
	for url, meta := range map[string]bool{
		"http://127.0.0.1:8080/v24.0":         false,
		"http://whatsapp.sender":              false,
		"http://notfacebook.com":              false,
		"http://graph.fake.example":           false,
		"/messages":                           false,
		"https://graph.facebook.com/v24.0":    true,
		"https://GRAPH.Facebook.com./":        true,
		"https://lookaside.fbsbx.com/x":       true,
		"http://157.240.1.35:80":              true,
		"http://[2a03:2880:f10c:83::25de]/":   true,
		"http://graph.staging.example:8080/x": true,
	} {
		if err := check(t.Context(), url, lookup); errors.Is(err, ErrMeta) != meta || err != nil && !meta {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// Names and literal addresses are told without a look-up; what a name resolves to is not asked.
func TestCheckName(t *testing.T) {
	for url, meta := range map[string]bool{
		"http://sender.acme.internal/x":    false,
		"http://localhost:9000":            false,
		"https://graph.facebook.com/v24.0": true,
		"http://157.240.1.35:80":           true,
	} {
		if err := CheckName(t.Context(), url); errors.Is(err, ErrMeta) != meta || err != nil && !meta {
			t.Errorf("%s: %v", url, err)
		}
	}
}
