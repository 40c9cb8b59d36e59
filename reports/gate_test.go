package reports

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestGateFindsWhatItMustAndNothingElse(t *testing.T) {
	var out bytes.Buffer
	if err := GateTest(&out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if n := strings.Count(out.String(), "  ok"); n < 12 {
		t.Errorf("only %d checks were made:\n%s", n, out.String())
	}
	t.Log("\n" + out.String())
}

// TestGatePowerTable: the page for CI shows what the command prints.
func TestGatePowerTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	if err := Power(&want); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "`aftershock doctor --power`: "+want.String()) {
		t.Errorf("docs/ci.md does not show what doctor --power prints:\n%s", want.String())
	}
}
