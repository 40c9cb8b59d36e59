package harness

import (
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/internal/offlimits"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// TestNoSecretInAnError: whatever a template makes of a secret that does not fit, the error does not show it.
func TestNoSecretInAnError(t *testing.T) {
	const secret = "s3cr3t:9%zz"
	t.Setenv("TARGET_SECRET", secret)
	for name, target := range map[string]scenarios.Target{
		"in a path":        {URL: "http://127.0.0.1:1/{{.Secret.k}}"},
		"as a host":        {URL: "http://{{.Secret.k}}/m"},
		"as a port":        {URL: "http://127.0.0.1:{{.Secret.k}}/m"},
		"as userinfo":      {URL: "http://{{.Secret.k}}@127.0.0.1:1/m"},
		"as it stands":     {URL: "{{.Secret.k}}"},
		"in a function":    {URL: "http://127.0.0.1:1/m", Body: "{{pad .Secret.k 3}}{{index .Text .Secret.k}}"},
		"in a header":      {URL: "http://127.0.0.1:1/m", Headers: map[string]string{"X": "{{slice .Text .Secret.k}}"}},
		"as a step's path": {URL: "http://127.0.0.1:1/m", Steps: []scenarios.Request{{Name: "login", URL: "/{{.Secret.k}}"}}},
	} {
		target.Secrets = map[string]scenarios.Secret{"k": {Env: "TARGET_SECRET"}}
		if target.Method == "" {
			target.Method = "POST"
		}
		_, err := newTargeted(&scenarios.Scenario{Target: &target}, "", "", offlimits.Check)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, part := range []string{secret, "s3cr3t", "9%zz", "%zz"} {
			if strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
	}
}

// TestPartsOfSecrets: of two secrets one may be a part of the other, and nothing of the longer one is left.
func TestPartsOfSecrets(t *testing.T) {
	for range 20 { // maps have no order
		if got := without("x abcdef abc", map[string]string{"a": "abc", "b": "abcdef", "none": ""}); strings.Contains(got, "def") || strings.Contains(got, "abc") {
			t.Fatal(got)
		}
	}
}
