package reports

import (
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
)

// TestSurgesOfTraces: a burst in a trace is found to the minute, and arrivals that only scatter are none.
func TestSurgesOfTraces(t *testing.T) {
	src := chance.New(3).For("surge")
	arrivals := func(length time.Duration, rate func(t time.Duration) float64) []time.Duration { // a second
		var out []time.Duration
		for at, i := time.Duration(0), uint64(0); at < length; at, i = at+100*time.Millisecond, i+1 {
			if src.Float(i) < rate(at)/10 {
				out = append(out, at)
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		length   time.Duration
		rate     func(time.Duration) float64
		from, to time.Duration
	}{
		"an hour of one rate": {time.Hour, func(time.Duration) float64 { return 1 }, 0, 0},
		"few arrivals":        {time.Hour, func(time.Duration) float64 { return 0.02 }, 0, 0},
		"a burst of ten minutes": {2 * time.Hour, func(t time.Duration) float64 {
			if t >= 30*time.Minute && t < 40*time.Minute {
				return 8
			}
			return 1
		}, 30 * time.Minute, 40 * time.Minute},
		"silence around a burst": {time.Hour, func(t time.Duration) float64 {
			if t >= 20*time.Minute && t < 25*time.Minute {
				return 2
			}
			return 0
		}, 20 * time.Minute, 25 * time.Minute},
		"a short trace": {2 * time.Minute, func(t time.Duration) float64 {
			if t >= time.Minute && t < 80*time.Second {
				return 9
			}
			return 1
		}, time.Minute, 80 * time.Second},
		"no time at all": {0, func(time.Duration) float64 { return 0 }, 0, 0},
	} {
		from, to := tracedSurge(arrivals(c.length, c.rate), c.length)
		if near := max(time.Minute, c.length/60); (from-c.from).Abs() > near || (to-c.to).Abs() > near || c.to == 0 && to != 0 {
			t.Errorf("%s: from %v to %v, want %v to %v", name, from, to, c.from, c.to)
		}
	}
}
