package main

import (
	"bytes"
	"testing"
)

// TestEveryModuleHasALicence: what is linked in may be passed on, and its notice is.
func TestEveryModuleHasALicence(t *testing.T) {
	text, n, err := gather("../..")
	if err != nil {
		t.Fatal(err)
	}
	if n < 20 {
		t.Errorf("%d modules: most are missing", n)
	}
	for _, want := range []string{"\nGo: LICENSE\n", "github.com/nats-io/nats-server/v2", "gonum.org/v1/plot", "github.com/spf13/cobra"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("%q is not in it", want)
		}
	}
}
