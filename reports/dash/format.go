package dash

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// number prints a value in at most five characters where it can: 0.02, 41, 986, 52.0k, 1.2M. What is not a number is
// a dash.
func number(v float64) string {
	a := math.Abs(v)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case a >= 999.5e12:
		return strconv.FormatFloat(v, 'e', 0, 64)
	case a >= 999.5e9:
		return scaled(v/1e12) + "T"
	case a >= 999.5e6:
		return scaled(v/1e9) + "G"
	case a >= 999.5e3:
		return scaled(v/1e6) + "M"
	case a >= 9999.5:
		return scaled(v/1e3) + "k"
	}
	return scaled(v)
}

// scaled prints about three figures, without zeros that say nothing.
func scaled(v float64) string {
	a := math.Abs(v)
	switch {
	case a < 0.0005:
		return "0"
	case a < 0.0995:
		return trim(strconv.FormatFloat(v, 'f', 3, 64))
	case a < 0.995:
		return trim(strconv.FormatFloat(v, 'f', 2, 64))
	case a < 99.95:
		return trim(strconv.FormatFloat(v, 'f', 1, 64))
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

func trim(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

// tick prints a value of an axis: as number does, but 1.5k rather than 1500 and 1.75 rather than 1.8.
func tick(v float64) string {
	switch a := math.Abs(v); {
	case a >= 1000 && a < 1e4:
		return tick(v/1e3) + "k"
	case a >= 0.995 && a < 9.95:
		return trim(strconv.FormatFloat(v, 'f', 2, 64))
	}
	return number(v)
}

// signed prints a value with its sign.
func signed(v float64) string {
	s := number(v)
	if v > 0 && s != "0" {
		return "+" + s
	}
	return s
}

// bytesText prints an amount of memory.
func bytesText(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case math.Abs(v) >= 1<<30:
		return scaled(v/(1<<30)) + " GiB"
	case math.Abs(v) >= 1<<20:
		return scaled(v/(1<<20)) + " MiB"
	}
	return scaled(v/(1<<10)) + " KiB"
}

// seconds prints a time that was measured: 12 ms, 3.4 s, 5m24s.
func seconds(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case v < 0:
		return "-" + seconds(-v)
	case v < 0.0005:
		return "0 s"
	case v < 0.995:
		return scaled(v*1e3) + " ms"
	case v < 99.5:
		return scaled(v) + " s"
	}
	return short(v)
}

// rough prints a time that was measured in at most five characters: 12ms, 3.4s, 33m, 2.8h.
func rough(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > 1e9:
		return "-"
	case v < 0:
		return "-" + rough(-v)
	case v < 0.995:
		return strconv.FormatFloat(v*1e3, 'f', 0, 64) + "ms"
	case v < 9.95:
		return scaled(v) + "s"
	case v < 99.5:
		return strconv.FormatFloat(v, 'f', 0, 64) + "s"
	case v < 99.5*60:
		return strconv.FormatFloat(v/60, 'f', 0, 64) + "m"
	case v < 99.5*3600:
		return scaled(v/3600) + "h"
	}
	return number(v/86400) + "d"
}

// short prints a time as people say it: 5m24s, 2h07m.
func short(v float64) string {
	if !(v < 1e9) {
		return "-"
	}
	n := int64(math.Round(v))
	switch {
	case n < 60:
		return fmt.Sprintf("%ds", n)
	case n < 3600:
		return fmt.Sprintf("%dm%02ds", n/60, n%60)
	}
	return fmt.Sprintf("%dh%02dm", n/3600, n/60%60)
}

// age prints a time as a clock does: 05:24, 2:07:30.
func age(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 || v > 1e9 {
		return "-"
	}
	return clock(time.Duration(v*float64(time.Second)), 0)
}

// clock prints an instant of the scenario: mm:ss, or h:mm:ss in runs of an hour or more.
func clock(d, end time.Duration) string {
	sign := ""
	if d < 0 {
		if d == math.MinInt64 {
			d++
		}
		sign, d = "-", -d
	}
	s := int64(d / time.Second)
	if s >= 3600 || end >= time.Hour {
		return fmt.Sprintf("%s%d:%02d:%02d", sign, s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%s%02d:%02d", sign, s/60, s%60)
}

// percent prints a share.
func percent(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "-"
	}
	return scaled(v*100) + " %"
}

// times prints a ratio: 3.1x.
func times(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "-"
	}
	return number(v) + "x"
}

// count prints a whole number with thin groups: 18 204.
func count(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) >= 1e15 {
		return number(v)
	}
	s := strconv.FormatInt(int64(math.Round(math.Abs(v))), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	if v < 0 && s != "0" {
		return "-" + s
	}
	return s
}
