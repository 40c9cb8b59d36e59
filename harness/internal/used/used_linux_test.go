package used

import (
	"runtime"
	"testing"
	"time"
)

func TestMachineHasBeenBusy(t *testing.T) {
	before, cores, err := Machine()
	if err != nil {
		t.Fatal(err)
	}
	if cores < runtime.NumCPU() { // those that this process may use
		t.Errorf("%d cores, and this process may use %d", cores, runtime.NumCPU())
	}
	for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
	}
	if after, _, err := Machine(); err != nil || before <= 0 || after <= before {
		t.Errorf("busy for %v before and %v after some work, %v", before, after, err)
	}
}
