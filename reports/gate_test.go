package reports

import (
	"bytes"
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
