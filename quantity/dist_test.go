package quantity

import (
	"math"
	"testing"
	"time"
)

// TestExponential: parsed, printed, sampled by its inverse, squeezed.
func TestExponential(t *testing.T) {
	d, err := ParseDist("exponential(mean=90ms)")
	if err != nil || d.String() != "exponential(mean=90ms)" {
		t.Fatalf("%v %v", d, err)
	}
	var sum float64
	const n = 10_000
	for i := range n {
		sum += d.Sample((float64(i)+.5)/n).Seconds() / n
	}
	if math.Abs(sum-.09) > .0002 || d.Sample(0) != 0 || d.Sample(.5).Round(time.Microsecond) != 62383*time.Microsecond {
		t.Errorf("mean %v, median %v", sum, d.Sample(.5))
	}
	if half := d.Divide(2); half.String() != "exponential(mean=45ms)" {
		t.Errorf("divided: %v", half)
	}
	for _, bad := range []string{"exponential()", "exponential(p50=1s)", "exponential(mean=-1s)", "exponential(1s, 2s)"} {
		if _, err := ParseDist(bad); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
