package quantity

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Dist is a distribution of durations, sampled by its inverse: one uniform number in, one duration out, so that a
// draw is decided by whoever keys the uniform number. The zero Dist is the constant 0.
type Dist struct {
	Kind string // "" (constant), "uniform", "normal", "lognormal", "pareto", "exponential"
	A, B float64
	text string
}

// Constant is the distribution that always gives d.
func Constant(d time.Duration) Dist { return Dist{A: float64(d)} }

const (
	z99 = 2.3263478740408408 // the standard normal's 99th percentile
	z95 = 1.6448536269514722
	z90 = 1.2815515655446004
)

// ParseDist reads
//
//	250ms
//	uniform(100ms, 300ms)
//	normal(mean=200ms, sd=50ms)
//	lognormal(p50=350ms, p99=1.5s)      p90 or p95 serve instead of p99
//	pareto(min=100ms, alpha=1.5)
//	exponential(mean=90ms)
func ParseDist(s string) (Dist, error) {
	t := strings.TrimSpace(s)
	if d, err := time.ParseDuration(t); err == nil {
		if d < 0 {
			return Dist{}, fmt.Errorf("%q is negative", s)
		}
		return Constant(d), nil
	}
	name, rest, ok := strings.Cut(t, "(")
	if !ok || !strings.HasSuffix(rest, ")") {
		return Dist{}, fmt.Errorf("%q is not a duration or a distribution: write 250ms or lognormal(p50=350ms, p99=1.5s)", s)
	}
	args := map[string]string{}
	for i, a := range strings.Split(strings.TrimSuffix(rest, ")"), ",") {
		k, v, named := strings.Cut(a, "=")
		if !named {
			k, v = strconv.Itoa(i), a
		}
		args[strings.TrimSpace(k)] = strings.TrimSpace(v)
	}
	d, err := build(strings.TrimSpace(name), args)
	if err != nil {
		return Dist{}, fmt.Errorf("%q: %w", s, err)
	}
	d.text = t
	return d, nil
}

func build(name string, args map[string]string) (Dist, error) {
	take := func(keys ...string) (time.Duration, error) {
		for _, k := range keys {
			v, ok := args[k]
			if !ok {
				continue
			}
			delete(args, k)
			d, err := time.ParseDuration(v)
			if err != nil || d < 0 {
				return 0, fmt.Errorf("%s=%q is not a duration", k, v)
			}
			return d, nil
		}
		return 0, fmt.Errorf("%s needs %s", name, keys[0])
	}
	finish := func(d Dist, errs ...error) (Dist, error) {
		for _, err := range errs {
			if err != nil {
				return Dist{}, err
			}
		}
		if len(args) > 0 {
			var left []string
			for k := range args {
				left = append(left, k)
			}
			sort.Strings(left)
			return Dist{}, fmt.Errorf("%s does not know %s", name, strings.Join(left, ", "))
		}
		return d, nil
	}
	switch name {
	case "uniform":
		lo, e1 := take("min", "0")
		hi, e2 := take("max", "1")
		if e1 == nil && e2 == nil && hi < lo {
			return Dist{}, fmt.Errorf("uniform: max %v is below min %v", hi, lo)
		}
		return finish(Dist{Kind: name, A: float64(lo), B: float64(hi)}, e1, e2)
	case "normal":
		mean, e1 := take("mean", "0")
		sd, e2 := take("sd", "1")
		return finish(Dist{Kind: name, A: float64(mean), B: float64(sd)}, e1, e2)
	case "lognormal":
		p50, e1 := take("p50", "0")
		z := z99
		if _, ok := args["p95"]; ok {
			z = z95
		} else if _, ok := args["p90"]; ok {
			z = z90
		}
		tail, e2 := take("p99", "p95", "p90", "1")
		if e1 == nil && e2 == nil && (p50 <= 0 || tail < p50) {
			return Dist{}, fmt.Errorf("lognormal: needs 0 < p50 <= p99, got p50=%v and %v", p50, tail)
		}
		return finish(Dist{Kind: name, A: math.Log(float64(p50)), B: (math.Log(float64(tail)) - math.Log(float64(p50))) / z}, e1, e2)
	case "pareto":
		lo, e1 := take("min", "0")
		alpha, err := strconv.ParseFloat(args["alpha"], 64)
		delete(args, "alpha")
		if err != nil || alpha <= 0 {
			return Dist{}, fmt.Errorf("pareto needs alpha above 0, such as alpha=1.5")
		}
		return finish(Dist{Kind: name, A: float64(lo), B: alpha}, e1)
	case "exponential":
		mean, err := take("mean", "0")
		return finish(Dist{Kind: name, A: float64(mean)}, err)
	}
	return Dist{}, fmt.Errorf("unknown distribution %q: use uniform, normal, lognormal, pareto or exponential", name)
}

// Sample turns a uniform number in [0,1) into a duration, never negative and at most a day.
func (d Dist) Sample(u float64) time.Duration {
	v := d.A
	switch d.Kind {
	case "uniform":
		v = d.A + u*(d.B-d.A)
	case "normal":
		v = d.A + d.B*probit(u)
	case "lognormal":
		v = math.Exp(d.A + d.B*probit(u))
	case "pareto":
		v = d.A / math.Pow(1-u, 1/d.B)
	case "exponential":
		v = -d.A * math.Log1p(-min(u, 1-1e-16))
	}
	return time.Duration(max(0, min(v, float64(24*time.Hour))))
}

// IsZero reports whether the distribution is the constant 0.
func (d Dist) IsZero() bool { return d.Kind == "" && d.A == 0 }

// Divide returns the distribution with every duration divided by n, for runs that squeeze time.
func (d Dist) Divide(n float64) Dist {
	out := d
	out.text = ""
	switch d.Kind {
	case "lognormal":
		out.A -= math.Log(n)
	case "pareto":
		out.A /= n
	default:
		out.A, out.B = d.A/n, d.B/n
	}
	return out
}

// String prints the distribution as it was written, or in its shortest equal form.
func (d Dist) String() string {
	if d.text != "" {
		return d.text
	}
	dur := func(v float64) string { return time.Duration(math.Round(v)).String() }
	switch d.Kind {
	case "uniform":
		return "uniform(" + dur(d.A) + ", " + dur(d.B) + ")"
	case "normal":
		return "normal(mean=" + dur(d.A) + ", sd=" + dur(d.B) + ")"
	case "lognormal":
		return "lognormal(p50=" + dur(math.Exp(d.A)) + ", p99=" + dur(math.Exp(d.A+z99*d.B)) + ")"
	case "pareto":
		return "pareto(min=" + dur(d.A) + ", alpha=" + strconv.FormatFloat(d.B, 'g', -1, 64) + ")"
	case "exponential":
		return "exponential(mean=" + dur(d.A) + ")"
	}
	return dur(d.A)
}

// MarshalText prints the distribution.
func (d Dist) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a distribution.
func (d *Dist) UnmarshalText(b []byte) error {
	v, err := ParseDist(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// probit is the inverse of the standard normal distribution.
func probit(u float64) float64 {
	u = min(max(u, 1e-12), 1-1e-12)
	return math.Sqrt2 * math.Erfinv(2*u-1)
}
