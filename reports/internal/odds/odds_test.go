package odds

import (
	"math"
	"testing"

	"github.com/aftershock-dev/aftershock/internal/chance"
)

// Quantiles of tables that anybody can look up.
func TestStudentAgreesWithTheTables(t *testing.T) {
	for _, c := range []struct{ t, df, p float64 }{
		{12.706, 1, 0.05}, {2.228, 10, 0.05}, {3.169, 10, 0.01}, {4.604, 4, 0.01}, {2.750, 30, 0.01},
	} {
		if p := student(c.t, 1, c.df); math.Abs(p-c.p) > 1e-4 {
			t.Errorf("t=%g with %g degrees of freedom: p=%g, want %g", c.t, c.df, p, c.p)
		}
		if q := quantile(c.p, int(c.df)); math.Abs(q-c.t) > 1e-3 {
			t.Errorf("p=%g with %g degrees of freedom: t=%g, want %g", c.p, c.df, q, c.t)
		}
	}
	if p := Signs([]float64{1, 2, 3, 4, 5, 6, 7, -1}); math.Abs(p-2*9.0/256) > 1e-12 {
		t.Errorf("7 of 8 signs: p=%g", p)
	}
	if p := smallestRankP(5, 5); math.Abs(p-2.0/252) > 1e-12 {
		t.Errorf("the least p of 5 and 5: %g", p)
	}
}

// normal is a quantile of the standard normal distribution.
func normal(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// draws are values around 1 that scatter by noise; tails is how heavy their tails are.
func draws(src chance.Source, round, side uint64, n int, noise float64, skewed bool) []float64 {
	out := make([]float64, n)
	for i := range out {
		z := normal(min(max(src.Float(round, side, uint64(i)), 1e-9), 1-1e-9))
		if skewed { // a run in ten meets something that slows it down a lot
			if src.Float(round, side, uint64(i), 7) < 0.1 {
				z = 4 + math.Abs(3*z)
			}
			out[i] = math.Exp(noise * z)
			continue
		}
		out[i] = 1 + noise*z
	}
	return out
}

// At every size equal groups are told apart no more often than the level says, also when their noise is skewed.
func TestEqualGroupsAreRarelyToldApart(t *testing.T) {
	const rounds, level = 4000, 0.01
	src := chance.New(1).For("equal")
	for _, skewed := range []bool{false, true} {
		for _, size := range [][2]int{{1, 5}, {1, 10}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {3, 8}, {10, 10}, {10, 4}} {
			alarms := 0
			for r := range uint64(rounds) {
				if Apart(draws(src, r, 1, size[0], 0.05, skewed), draws(src, r, 2, size[1], 0.05, skewed), level) < level {
					alarms++
				}
			}
			// Skewed noise breaks what a single value against a few assumes: one slow run in ten is beyond any interval.
			limit := 1.6 * level
			if skewed && min(size[0], size[1]) == 1 {
				limit = 8 * level
			}
			if got := float64(alarms) / rounds; got > limit {
				t.Errorf("%d and %d runs, skewed %v: told apart in %.4f of comparisons", size[0], size[1], skewed, got)
			}
		}
	}
}

// What Needed asks for is enough, and not many times too much.
func TestNeededIsEnough(t *testing.T) {
	src := chance.New(2).For("needed")
	const rounds, level, smallest = 600, 0.002, 0.10
	for _, noise := range []float64{0.02, 0.05, 0.1} {
		long := draws(src, 0, 9, 400, noise, false)
		n := Needed(long, long, smallest, level)
		found := 0
		for r := range uint64(rounds) {
			b := draws(src, r+1, 2, n, noise, false)
			for i := range b {
				b[i] *= 1 + smallest
			}
			if Apart(draws(src, r+1, 1, n, noise, false), b, level) < level {
				found++
			}
		}
		if got := float64(found) / rounds; got < Power-0.05 {
			t.Errorf("noise %g: with %d values a group %.3f are found", noise, n, got)
		}
		if !Enough(long, long, smallest, level) || Enough(long[:2], long[2:4], smallest/100, level) {
			t.Errorf("noise %g: %d a group are needed, and 400 are not enough, or two are for a hundredth", noise, n)
		}
		pairs := NeededPairs(long, smallest, level)
		found = 0
		for r := range uint64(rounds) {
			d := draws(src, r+1, 3, pairs, noise, false)
			for i := range d {
				d[i] += smallest - 1
			}
			if Paired(d) < level {
				found++
			}
		}
		if got := float64(found) / rounds; got < Power-0.05 {
			t.Errorf("noise %g: with %d pairs %.3f are found", noise, pairs, got)
		}
	}
}

func TestWhatCannotBeTold(t *testing.T) {
	for name, p := range map[string]float64{
		"one against one":        Apart([]float64{1}, []float64{2}, 0.01),
		"nothing":                Apart(nil, []float64{2}, 0.01),
		"groups that overlap":    Apart([]float64{1, 2, 3}, []float64{3, 4, 5}, 0.01),
		"the same values":        Apart([]float64{9e9, 9e9}, []float64{9e9, 9e9}, 0.01),
		"one difference":         Paired([]float64{1}),
		"differences of nothing": Paired([]float64{0, 0, 0}),
	} {
		if p != 1 {
			t.Errorf("%s: p=%g", name, p)
		}
	}
	if Enough([]float64{1}, []float64{2}, 10, 0.01) {
		t.Error("one against one is enough")
	}
	if n := Needed([]float64{1}, []float64{2}, 0.1, 0.01); n != 0 {
		t.Errorf("how many runs it takes is told without knowing any spread: %d", n)
	}
}
