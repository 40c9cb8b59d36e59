// Package odds says how likely chance alone explains a difference between runs, and how many runs it takes to see one.
//
// Apart compares two groups, Paired the differences of pairs; Enough says whether so many values would show a change of some
// size, Needed and NeededPairs how many of them it takes. Why these tests: docs/decisions/0011-statistics-of-comparisons.md.
package odds

import (
	"math"
	"slices"
	"sort"

	"golang.org/x/perf/benchmath"
	"gonum.org/v1/gonum/mathext"
)

// Power is how often a change of the size asked for has to be found.
const Power = 0.9

// Apart returns how likely two groups lie this far apart by chance (two-sided). Ranks decide where there are enough
// values for them to reach level; below that the groups must not overlap at all and are then compared by their means.
// 1 is returned where nothing can be told.
func Apart(a, b []float64, level float64) float64 {
	if smallestRankP(len(a), len(b)) <= level {
		t := benchmath.DefaultThresholds
		return benchmath.AssumeNothing.Compare(benchmath.NewSample(slices.Clone(a), &t), benchmath.NewSample(slices.Clone(b), &t)).P
	}
	if len(a) == 0 || len(b) == 0 || overlap(a, b) {
		return 1
	}
	return welch(a, b)
}

// smallestRankP is the least that a rank test of groups of these sizes can come to: 2 of all ways to deal the ranks.
func smallestRankP(n, m int) float64 {
	if n == 0 || m == 0 {
		return 1
	}
	ways := 1.0
	for i := 1; i <= n; i++ {
		ways *= float64(m+i) / float64(i)
	}
	return min(1, 2/ways)
}

func overlap(a, b []float64) bool {
	return slices.Max(a) >= slices.Min(b) && slices.Max(b) >= slices.Min(a)
}

// welch is Welch's test of two means. A group of one value borrows the other's spread, which makes it the question
// whether the value lies within the other's prediction interval.
func welch(a, b []float64) float64 {
	va, vb, na, nb := variance(a), variance(b), float64(len(a)), float64(len(b))
	df := na + nb - 2
	switch {
	case df < 1:
		return 1
	case len(a) == 1:
		va = vb
	case len(b) == 1:
		vb = va
	default:
		sa, sb := va/na, vb/nb
		if sa+sb > 0 {
			df = (sa + sb) * (sa + sb) / (sa*sa/(na-1) + sb*sb/(nb-1))
		}
	}
	return student(mean(a)-mean(b), math.Sqrt(va/na+vb/nb), df)
}

// Paired returns how likely differences of pairs are this far from nothing by chance (two-sided), by Student's test.
func Paired(d []float64) float64 {
	n := len(d)
	if n < 2 {
		return 1
	}
	return student(mean(d), math.Sqrt(variance(d)/float64(n)), float64(n-1))
}

// Signs is Paired for differences that have directions and no sizes: the sign test.
func Signs(d []float64) float64 {
	up, down := 0, 0
	for _, x := range d {
		switch {
		case x > 0:
			up++
		case x < 0:
			down++
		}
	}
	n, few := up+down, min(up, down)
	p, ways := 0.0, 1.0
	for k := 0; k <= few; k++ {
		p += ways
		ways *= float64(n-k) / float64(k+1)
	}
	return min(1, 2*p*math.Pow(0.5, float64(n)))
}

// student is the two-sided p of a distance in units of its error.
func student(distance, err, df float64) float64 {
	if distance == 0 {
		return 1
	}
	if err == 0 {
		return 0
	}
	t := distance / err
	if math.IsNaN(t) || !(df > 0) {
		return 1
	}
	p := mathext.RegIncBeta(df/2, 0.5, df/(df+t*t))
	if math.IsNaN(p) {
		return 1
	}
	return p
}

// Enough reports whether two groups of these sizes would show a change of smallest at level, Power of the time, from the
// spread within both.
func Enough(a, b []float64, smallest, level float64) bool {
	sd, ok := within(a, b)
	return ok && detectable(sd, 1/float64(len(a))+1/float64(len(b)), len(a)+len(b)-2, level) <= smallest
}

// Needed is how many values a group two groups need to be Enough; 0 where no spread is known, Most where it is that or more.
func Needed(a, b []float64, smallest, level float64) int {
	sd, ok := within(a, b)
	if !ok || smallest <= 0 {
		return 0
	}
	return least(func(n int) bool { return detectable(sd, 2/float64(n), 2*n-2, level) <= smallest })
}

// NeededPairs is Needed for pairs.
func NeededPairs(d []float64, smallest, level float64) int {
	df := len(d) - 1
	if df < 1 || smallest <= 0 {
		return 0
	}
	sd := spread(variance(d)*float64(df), df)
	return least(func(n int) bool { return detectable(sd, 1/float64(n), n-1, level) <= smallest })
}

// within is the spread of the values within two groups.
func within(a, b []float64) (float64, bool) {
	da, db := max(0, len(a)-1), max(0, len(b)-1)
	if da+db == 0 {
		return 0, false
	}
	return spread(variance(a)*float64(da)+variance(b)*float64(db), da+db), true
}

// detectable is the change that is found Power of the time where values scatter by sd: shares is the sum of one over each
// group's size.
func detectable(sd, shares float64, df int, level float64) float64 {
	return (quantile(level, df) + quantile(2*(1-Power), df)) * sd * math.Sqrt(shares)
}

// Most bounds the number of runs that is told: beyond it, a thousand or a million are the same answer.
const Most = 1000

// least is the smallest number from 2 to Most that is enough.
func least(enough func(n int) bool) int {
	return 2 + sort.Search(Most-2, func(i int) bool { return enough(i + 2) })
}

// quantile is how many errors Student's t is away from 0 with probability p (two-sided).
func quantile(p float64, df int) float64 {
	if df < 1 {
		return math.Inf(1)
	}
	x := mathext.InvRegIncBeta(float64(df)/2, 0.5, p)
	return math.Sqrt(float64(df) * (1 - x) / x)
}

// confidence is how sure one is that a spread is not larger than what it is taken for: as likely larger as smaller. More would
// call ten runs a side too few because one metric of twelve looks wilder than it is.
const confidence = 0.5

// spread is a standard deviation, estimated from a sum of squares.
func spread(ss float64, df int) float64 {
	chi := 2 * mathext.GammaIncRegInv(float64(df)/2, 1-confidence)
	return math.Sqrt(ss / chi)
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// variance of a sample; 0 for a single value.
func variance(v []float64) float64 {
	if len(v) < 2 {
		return 0
	}
	m, sum := mean(v), 0.0
	for _, x := range v {
		sum += (x - m) * (x - m)
	}
	return sum / float64(len(v)-1)
}
