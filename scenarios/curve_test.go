package scenarios_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/scenarios"
)

func perMinute(n float64) quantity.Rate { return quantity.Rate{Count: n, Per: time.Minute} }

var surge = scenarios.Load{Phases: []scenarios.Phase{
	{Name: "calm", For: 30 * time.Minute, Rate: perMinute(150)},
	{Name: "rise", For: 5 * time.Minute, From: perMinute(150), To: perMinute(1100)},
	{Name: "silence", For: 10 * time.Minute, Rate: perMinute(0)},
	{Name: "fall", For: 10 * time.Minute, From: perMinute(1100), To: perMinute(0)},
}}

func TestCurve(t *testing.T) {
	c := surge.Curve()
	for _, x := range []struct {
		at       time.Duration
		rate     float64 // a minute
		arrivals float64
	}{
		{-time.Second, 0, 0}, {0, 150, 0}, {10 * time.Minute, 150, 1500}, {30 * time.Minute, 150, 4500},
		{32*time.Minute + 30*time.Second, 625, 4500 + 2.5*(150+625)/2}, {35 * time.Minute, 0, 4500 + 3125},
		{44 * time.Minute, 0, 7625}, {45 * time.Minute, 1100, 7625}, {50 * time.Minute, 550, 7625 + 5*(1100+550)/2},
		{55 * time.Minute, 0, 13125}, {9 * time.Hour, 0, 13125},
	} {
		if got := c.RateAt(x.at) * 60; math.Abs(got-x.rate) > 1e-9 {
			t.Errorf("rate at %v = %v, want %v", x.at, got, x.rate)
		}
		if got := surge.RateAt(x.at) * 60; math.Abs(got-x.rate) > 1e-9 {
			t.Errorf("Load.RateAt(%v) = %v, want %v", x.at, got, x.rate)
		}
		if got := c.Arrivals(x.at); math.Abs(got-x.arrivals) > 1e-6 {
			t.Errorf("arrivals before %v = %v, want %v", x.at, got, x.arrivals)
		}
	}
	if got := surge.Duration(); got != 55*time.Minute {
		t.Error(got)
	}
	if at, ok := c.When(7625); !ok || at != 35*time.Minute {
		t.Errorf("the last before the silence comes at %v, %v", at, ok)
	}
	if at, ok := c.When(13125); !ok || at != 55*time.Minute {
		t.Errorf("the last comes at %v, %v", at, ok)
	}
	if at, ok := c.When(13126); ok {
		t.Errorf("one more comes at %v", at)
	}
	if _, ok := (scenarios.Load{}).Curve().When(0); ok {
		t.Error("an empty load has arrivals")
	}
}

// When is the inverse of Arrivals wherever something arrives, and never goes back.
func TestCurveInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l scenarios.Load
		for range rapid.IntRange(1, 8).Draw(t, "phases") {
			rate := func(name string) quantity.Rate { return perMinute(float64(rapid.IntRange(0, 100000).Draw(t, name))) }
			p := scenarios.Phase{For: time.Duration(rapid.Int64Range(1, int64(3*time.Hour)).Draw(t, "for"))}
			if rapid.Bool().Draw(t, "constant") {
				p.Rate = rate("rate")
			} else {
				p.From, p.To = rate("from"), rate("to")
			}
			l.Phases = append(l.Phases, p)
		}
		c := l.Curve()
		last := time.Duration(0)
		for i := range 101 {
			n := c.Total() * float64(i) / 100
			at, ok := c.When(n)
			if !ok || at < last || at > l.Duration() {
				t.Fatalf("When(%v) = %v, %v after %v", n, at, ok, last)
			}
			last = at
			if back := c.Arrivals(at); math.Abs(back-n) > 1e-6*max(1, c.Total())+c.RateAt(at)*1e-6 {
				t.Fatalf("Arrivals(When(%v)) = %v", n, back)
			}
		}
	})
}
