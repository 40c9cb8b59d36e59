//go:build unix

package fakewa

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// cpu returns the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFakewaRatio holds the fake against the bare handler, round by round in turn, so that whatever else the
// machine does strikes both. It reports what share of the bare handler's rate is left, as the median of the rounds:
// by the clock, and by the processor time used, which other work on the machine disturbs less.
func BenchmarkFakewaRatio(b *testing.B) {
	plain, fake := newWire(b, bare{benchAnswer()}), newWire(b, benchServer(b))
	const n = 800
	plain.round(b, n)
	fake.round(b, n)
	var wall, used []float64
	b.ResetTimer()
	for b.Loop() {
		c0 := cpu(b)
		p := plain.round(b, n)
		c1 := cpu(b)
		f := fake.round(b, n)
		c2 := cpu(b)
		wall = append(wall, float64(p)/float64(f))
		used = append(used, float64(c1-c0)/float64(c2-c1))
	}
	slices.Sort(wall)
	slices.Sort(used)
	b.ReportMetric(100*wall[len(wall)/2], "%-of-bare")
	b.ReportMetric(100*used[len(used)/2], "%-of-bare-by-cpu")
}
