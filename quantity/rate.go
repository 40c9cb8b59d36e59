// Package quantity is how people write amounts: rates ("400/min"), shares ("30%") and distributions
// ("lognormal(p50=350ms, p99=1.5s)"). Every type parses and prints as text, so YAML, JSON and flags agree.
package quantity

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Rate is an amount per time. The zero Rate means "no limit" where a limit is meant and "none" where load is meant.
type Rate struct {
	Count float64
	Per   time.Duration
}

// PerSecond returns the rate as events per second; zero for the zero Rate.
func (r Rate) PerSecond() float64 {
	if r.Per <= 0 {
		return 0
	}
	return r.Count / r.Per.Seconds()
}

// Interval returns the mean time between events, or 0 for the zero Rate.
func (r Rate) Interval() time.Duration {
	if r.Count <= 0 || r.Per <= 0 {
		return 0
	}
	return time.Duration(float64(r.Per) / r.Count)
}

// IsZero reports whether no rate was given.
func (r Rate) IsZero() bool { return r.Count == 0 }

// ParseRate reads "400/min", "80/s", "2.5/h" or "45/6s".
func ParseRate(s string) (Rate, error) {
	count, per, ok := strings.Cut(strings.TrimSpace(s), "/")
	if !ok {
		return Rate{}, fmt.Errorf("%q is not a rate: write an amount per time, such as 400/min or 80/s", s)
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(count), 64)
	if err != nil || n < 0 || math.IsNaN(n) || math.IsInf(n, 0) {
		return Rate{}, fmt.Errorf("%q is not a rate: %q is not an amount (try 400/min)", s, count)
	}
	d, err := parsePer(strings.TrimSpace(per))
	if err != nil {
		return Rate{}, fmt.Errorf("%q is not a rate: %w", s, err)
	}
	return Rate{Count: n, Per: d}, nil
}

func parsePer(s string) (time.Duration, error) {
	switch s {
	case "s", "sec", "second":
		return time.Second, nil
	case "m", "min", "minute":
		return time.Minute, nil
	case "h", "hour":
		return time.Hour, nil
	case "d", "day":
		return 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a time: use s, min, h or a duration such as 6s", s)
	}
	return d, nil
}

// String prints the rate as it was meant: 400/min, 80/s, 45/6s.
func (r Rate) String() string {
	per := r.Per.String()
	switch r.Per {
	case 0:
		return "0/s"
	case time.Second:
		per = "s"
	case time.Minute:
		per = "min"
	case time.Hour:
		per = "h"
	case 24 * time.Hour:
		per = "d"
	}
	return strconv.FormatFloat(r.Count, 'f', -1, 64) + "/" + per
}

// MarshalText prints the rate.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a rate.
func (r *Rate) UnmarshalText(b []byte) error {
	v, err := ParseRate(string(b))
	if err != nil {
		return err
	}
	*r = v
	return nil
}

// Share is a part of a whole, 0 to 1, written "30%" or "0.3".
type Share float64

// ParseShare reads "30%" or "0.3"; outside 0..1 is an error.
func ParseShare(s string) (Share, error) {
	t := strings.TrimSpace(s)
	div := 1.0
	if p, ok := strings.CutSuffix(t, "%"); ok {
		t, div = strings.TrimSpace(p), 100
	}
	v, err := strconv.ParseFloat(t, 64)
	if err != nil || math.IsNaN(v) || v < 0 || v/div > 1 {
		return 0, fmt.Errorf("%q is not a share: write a percentage such as 30%%, or a number from 0 to 1", s)
	}
	return Share(v / div), nil
}

// String prints the share as a percentage.
func (s Share) String() string {
	return strconv.FormatFloat(math.Round(float64(s)*100*1e9)/1e9, 'f', -1, 64) + "%"
}

// MarshalText prints the share.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a share.
func (s *Share) UnmarshalText(b []byte) error {
	v, err := ParseShare(string(b))
	if err != nil {
		return err
	}
	*s = v
	return nil
}
