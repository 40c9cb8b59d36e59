package intake

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// layouts are the ways in which logs write a time, the likeliest first.
var layouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999", "02/Jan/2006:15:04:05 -0700", "2006-01-02T15:04:05.999999999-0700",
	"2006/01/02 15:04:05.999999999", time.RFC1123Z, time.RFC1123, "2006-01-02 15:04", "2006-01-02T15:04",
}

// clock reads times, trying first what worked last.
type clock struct {
	zone   *time.Location
	layout string
}

// parse reads a time; numbers are seconds, milliseconds, microseconds or nanoseconds since 1970, told by their size.
func (c *clock) parse(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if c.layout != "" {
		if t, err := time.ParseInLocation(c.layout, s, c.zone); err == nil {
			return t, c.plausible(t, s)
		}
	}
	if s == "" {
		return time.Time{}, fmt.Errorf("no time")
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		t := fromNumber(s, f)
		return t, c.plausible(t, s)
	}
	for _, l := range layouts {
		if t, err := time.ParseInLocation(l, s, c.zone); err == nil {
			c.layout = l
			return t, c.plausible(t, s)
		}
	}
	return time.Time{}, fmt.Errorf("%s is not a time", short(s))
}

func (c *clock) plausible(t time.Time, s string) error {
	if y := t.Year(); y < 1990 || y > 2200 {
		return fmt.Errorf("%s is not a time of our days", short(s))
	}
	return nil
}

func fromNumber(s string, f float64) time.Time {
	if math.IsNaN(f) || math.Abs(f) > 9e18 {
		return time.Time{}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case n < 1e11:
			return time.Unix(n, 0)
		case n < 1e14:
			return time.UnixMilli(n)
		case n < 1e17:
			return time.UnixMicro(n)
		}
		return time.Unix(0, n)
	}
	switch {
	case f < 1e11:
		sec, frac := math.Modf(f)
		return time.Unix(int64(sec), int64(math.Round(frac*1e6))*1000)
	case f < 1e14:
		return time.UnixMicro(int64(f * 1e3))
	}
	return time.UnixMicro(int64(f))
}

func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return strconv.Quote(s)
}
