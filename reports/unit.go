package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
)

// Unit is what a metric counts in. Values are kept in the base unit named here.
type Unit string

// The units.
const (
	Seconds   Unit = "s"       // durations; written 41m, 350ms
	Count     Unit = "count"   // written 170k; exact in limits
	Share     Unit = "share"   // part of a whole, 0 to 1; written 1.4%
	Times     Unit = "x"       // one amount over another; written 1.5x
	PerMinute Unit = "per_min" // written 400/min
	Bytes     Unit = "bytes"   // written 512 MiB
	Cores     Unit = "cores"   // busy cores
	Truth     Unit = "bool"    // true or false, 1 or 0
)

// Format writes a value for people: three significant digits, scaled to the unit.
func (u Unit) Format(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	if math.IsInf(v, 0) {
		return strings.Replace(strconv.FormatFloat(v, 'f', 0, 64), "Inf", "∞", 1)
	}
	switch u {
	case Seconds:
		return FormatSeconds(v)
	case Count:
		return formatCount(v)
	case Share:
		return significant(v*100) + "%"
	case Times:
		return significant(v) + "x"
	case PerMinute:
		return formatCount(v) + "/min"
	case Bytes:
		return formatBytes(v)
	case Cores:
		return significant(v) + " cores"
	case Truth:
		return strconv.FormatBool(v != 0)
	}
	return significant(v)
}

// Parse reads a limit as people write it in a threshold.
func (u Unit) Parse(s string) (float64, error) {
	s = strings.TrimSpace(s)
	switch u {
	case Seconds:
		if d, err := time.ParseDuration(s); err == nil {
			return d.Seconds(), nil
		}
		if s == "0" {
			return 0, nil
		}
		return 0, fmt.Errorf("%q is not a duration: write 10m, 350ms or 1h30m", s)
	case PerMinute:
		if !strings.Contains(s, "/") {
			return 0, fmt.Errorf("%q is not a rate: write 400/min or 5/s", s)
		}
		r, err := quantity.ParseRate(s)
		return r.PerSecond() * 60, err
	case Share:
		if p, ok := strings.CutSuffix(s, "%"); ok {
			v, err := plainNumber(strings.TrimSpace(p))
			return v / 100, err
		}
		return plainNumber(s)
	case Times:
		return plainNumber(strings.TrimSuffix(s, "x"))
	case Bytes:
		return parseBytes(s)
	case Truth:
		switch s {
		case "true":
			return 1, nil
		case "false":
			return 0, nil
		}
		return 0, fmt.Errorf("%q is neither true nor false", s)
	}
	return plainNumber(s)
}

func plainNumber(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return v, nil
}

// significant writes three significant digits without an exponent and without trailing zeros.
func significant(v float64) string {
	a := math.Abs(v)
	if a == 0 {
		return "0"
	}
	digits := 2 - int(math.Floor(math.Log10(a)))
	s := strconv.FormatFloat(v, 'f', min(max(digits, 0), 9), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func formatCount(v float64) string {
	a := math.Abs(v)
	switch {
	case a >= 9_999_500:
		return significant(v/1e6) + "M"
	case a >= 9_999.5:
		return significant(v/1e3) + "k"
	case v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return significant(v)
}

// grouped writes a whole number with spaces between its thousands: 170 123.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "\u00a0" + s[i:] // a space at which no line is broken
	}
	return s
}

// FormatSeconds writes a duration with the two units that matter.
func FormatSeconds(v float64) string {
	a := math.Abs(v)
	sign := ""
	if v < 0 {
		sign = "-"
	}
	switch {
	case isNever(v):
		return "never"
	case a == 0:
		return "0s"
	case a < 0.9995e-3:
		return sign + significant(a*1e6) + "µs"
	case a < 0.9995:
		return sign + significant(a*1e3) + "ms"
	case a < 59.95:
		return sign + significant(a) + "s"
	case a < 3599.5:
		s := int64(math.Round(a))
		return sign + joinUnits(s/60, "m", s%60, "s")
	case a < 48*3600:
		m := int64(math.Round(a / 60))
		return sign + joinUnits(m/60, "h", m%60, "m")
	}
	h := int64(math.Round(a / 3600))
	return sign + joinUnits(h/24, "d", h%24, "h")
}

func joinUnits(big int64, bigUnit string, small int64, smallUnit string) string {
	s := strconv.FormatInt(big, 10) + bigUnit
	if small != 0 {
		s += strconv.FormatInt(small, 10) + smallUnit
	}
	return s
}

// FormatDuration is FormatSeconds of a duration.
func FormatDuration(d time.Duration) string { return FormatSeconds(d.Seconds()) }

// FormatClock writes an offset from the start of the run as h:mm:ss.
func FormatClock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	sign := ""
	if s < 0 {
		sign, s = "-", -s
	}
	return fmt.Sprintf("%s%d:%02d:%02d", sign, s/3600, s/60%60, s%60)
}

var byteUnits = []struct {
	name string
	size float64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}}

func formatBytes(v float64) string {
	for _, u := range byteUnits[:4] {
		if math.Abs(v) >= u.size {
			return significant(v/u.size) + " " + u.name
		}
	}
	return formatCount(v) + " B"
}

func parseBytes(s string) (float64, error) {
	for _, u := range byteUnits {
		if n, ok := strings.CutSuffix(s, u.name); ok {
			v, err := plainNumber(strings.TrimSpace(n))
			return v * u.size, err
		}
	}
	v, err := plainNumber(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size: write 512MiB or a number of bytes", s)
	}
	return v, nil
}
