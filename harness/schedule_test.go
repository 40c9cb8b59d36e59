package harness

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/scenarios"
)

func perMinute(n float64) quantity.Rate { return quantity.Rate{Count: n, Per: time.Minute} }

var surge = scenarios.Load{Phases: []scenarios.Phase{
	{Name: "calm", For: 10 * time.Minute, Rate: perMinute(60)},
	{Name: "rise", For: 10 * time.Minute, From: perMinute(60), To: perMinute(600)},
	{Name: "quiet", For: time.Minute},
	{Name: "fall", For: 10 * time.Minute, From: perMinute(600), To: perMinute(0)},
}}

func TestEvenArrivalsFollowTheRate(t *testing.T) {
	at, err := schedule(surge, 1)
	if err != nil {
		t.Fatal(err)
	}
	// 600 + 3300 + 0 + 3000 expected; the first hit comes one step in, so the sum is not passed.
	if n := len(at); n < 6898 || n > 6900 {
		t.Errorf("%d hits, want 6900 less the last step", n)
	}
	if !slices.IsSorted(at) {
		t.Error("hits are out of order")
	}
	count := func(from, to time.Duration) (n int) {
		for _, d := range at {
			if d >= from && d < to {
				n++
			}
		}
		return n
	}
	for _, w := range []struct {
		from, to time.Duration
		want     int
	}{
		{0, 10 * time.Minute, 600}, {10 * time.Minute, 15 * time.Minute, 975}, {15 * time.Minute, 20 * time.Minute, 2325},
		{20 * time.Minute, 21 * time.Minute, 0}, {21 * time.Minute, 26 * time.Minute, 2250}, {26 * time.Minute, 31 * time.Minute, 750},
	} {
		if got := count(w.from, w.to); got < w.want-2 || got > w.want+2 {
			t.Errorf("%v to %v: %d hits, want %d", w.from, w.to, got, w.want)
		}
	}
}

func TestPoissonArrivals(t *testing.T) {
	load := scenarios.Load{Arrivals: "poisson", Phases: []scenarios.Phase{{For: time.Hour, Rate: perMinute(600)}}}
	a, _ := schedule(load, 1)
	b, _ := schedule(load, 1)
	c, _ := schedule(load, 2)
	if !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Error("the seed alone must decide the arrivals")
	}
	if n := float64(len(a)); math.Abs(n-36000) > 4*math.Sqrt(36000) {
		t.Errorf("%v hits in an hour of 600/min", n)
	}
	var sum, squares float64
	for i := 1; i < len(a); i++ {
		g := (a[i] - a[i-1]).Seconds()
		sum += g
		squares += g * g
	}
	mean := sum / float64(len(a)-1)
	if cv := math.Sqrt(squares/float64(len(a)-1)-mean*mean) / mean; cv < .95 || cv > 1.05 {
		t.Errorf("gaps vary by %.3f of their mean; exponential gaps vary by 1", cv)
	}
}

func TestLanesKeepHitsApart(t *testing.T) {
	at, _ := schedule(surge, 1)
	start := time.Date(2025, 6, 6, 0, 0, 0, 0, time.UTC)
	before := slices.Clone(at)
	onLanes(at, start, instant.Lanes{On: true})
	for i := range at {
		if i > 0 && at[i] == at[i-1] {
			t.Fatalf("hits %d and %d tie at %v", i-1, i, at[i])
		}
		if d := at[i] - before[i]; d < -instant.Grid || d > instant.Grid {
			t.Fatalf("hit %d moved by %v", i, d)
		}
	}
}
