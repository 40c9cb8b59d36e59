package reports

import (
	"math"
	"slices"
	"time"
)

// Percentile returns the smallest value that at least the share q of all values does not exceed; values are ascending.
func Percentile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	// The product may come out a hair above a whole number (0.99 × 300): that is not another rank.
	rank := int(math.Ceil(q*float64(len(values)) - 1e-9))
	return values[min(max(rank, 1), len(values))-1]
}

func percentileFloat(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	rank := int(math.Ceil(q*float64(len(values)) - 1e-9))
	return values[min(max(rank, 1), len(values))-1]
}

func orNaN(v float64, ok bool) float64 {
	if !ok {
		return math.NaN()
	}
	return v
}

// mean returns the mean of values; they are not empty.
func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func ascending(values []time.Duration) []time.Duration {
	slices.Sort(values)
	return values
}

// median returns the middle of values, or the mean of the middle two, which is never when the upper one is; values are not
// empty and stay as they are.
func median(values []float64) float64 {
	v := slices.Clone(values)
	slices.Sort(v)
	n := len(v)
	if n%2 == 1 || isNever(v[n/2]) {
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}
