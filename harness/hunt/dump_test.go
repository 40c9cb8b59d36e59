package hunt_test

import (
	"context"
	"os"
	"strconv"
	"testing"

	"github.com/aftershock-dev/aftershock/harness/hunt"
)

func TestDump(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("DUMP"))
	if err != nil {
		t.Skip()
	}
	trial := &hunt.Trial{Dir: t.TempDir()}
	h := &hunt.Hunt{Base: reference(t), Ours: true, Try: trial.Run}
	found, err := h.Run(context.Background(), hunt.Range(int64(n), int64(n)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		os.WriteFile("/tmp/dump.yaml", f.Scenario.YAML(), 0o644)
	}
}
