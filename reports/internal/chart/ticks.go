package chart

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// ticker returns the axis' marks as gonum wants them: in positions.
func (a Axis) ticker(room float64) plot.TickerFunc {
	return func(_, _ float64) []plot.Tick {
		var out []plot.Tick
		for _, t := range a.marks(room) {
			out = append(out, plot.Tick{Value: t.At, Label: t.Name})
		}
		return out
	}
}

// marks returns the labelled places of the axis, in positions, for an axis of that many points.
func (a Axis) marks(room float64) []Tick {
	switch a.Scale {
	case Names:
		return a.Ticks
	case Clock:
		return a.clockMarks(room)
	case Log:
		return a.logMarks()
	case Tail:
		return tailMarks(a.Max)
	}
	return a.linearMarks(room)
}

func (a Axis) linearMarks(room float64) []Tick {
	step := niceStep((a.Max - a.Min) / max(2, room/38))
	if span := a.Max - a.Min; step > span*0.8 { // one label alone is no scale
		step = niceStep(step / 4)
	}
	var out []Tick
	for i := math.Ceil(a.Min/step - 1e-9); i*step <= a.Max+step*1e-6 && len(out) < 100; i++ {
		v := i * step
		if math.Abs(v) < step*1e-9 {
			v = 0
		}
		out = append(out, Tick{v, a.format(v)})
	}
	return out
}

// niceStep rounds up to 1, 2 or 5 times a power of ten.
func niceStep(least float64) float64 {
	if least <= 0 || math.IsNaN(least) || math.IsInf(least, 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*power >= least*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

var clockSteps = []float64{1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 4 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 7 * 24 * 3600}

func (a Axis) clockMarks(room float64) []Tick {
	step := clockSteps[len(clockSteps)-1]
	for _, s := range clockSteps {
		if (a.Max-a.Min)/s <= room/46 {
			step = s
			break
		}
	}
	var out []Tick
	for v := math.Ceil(a.Min/step) * step; v <= a.Max+1e-6; v += step {
		out = append(out, Tick{v, clockName(v, step)})
	}
	return out
}

func clockName(v, step float64) string {
	s := int64(math.Round(v))
	if step < 60 || (s < 3600 && step < 300) {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d h", s/3600, s/60%60)
}

// durationMarks are where a log axis of durations is labelled.
var durationMarks = []Tick{{1e-4, "0.1ms"}, {1e-3, "1ms"}, {1e-2, "10ms"}, {0.1, "100ms"}, {1, "1s"}, {10, "10s"}, {60, "1m"}, {600, "10m"}, {3600, "1h"}, {36000, "10h"}, {360000, "100h"}}

func (a Axis) logMarks() []Tick {
	var out []Tick
	if a.Format == nil {
		for e := math.Ceil(math.Log10(a.floor()) - 1e-9); e <= math.Log10(a.Max)+1e-9; e++ {
			out = append(out, Tick{e, plain(math.Pow(10, e))})
		}
		return out
	}
	for _, marks := range [][]Tick{durationMarks, fineMarks} {
		out = nil
		for _, m := range marks {
			if m.At >= a.floor()*(1-1e-9) && m.At <= a.Max*(1+1e-9) {
				out = append(out, Tick{math.Log10(m.At), m.Name})
			}
		}
		if len(out) > 1 {
			break
		}
	}
	return out
}

// fineMarks serve where fewer than two of durationMarks lie on the axis.
var fineMarks = []Tick{{1e-3, "1ms"}, {2e-3, "2ms"}, {5e-3, "5ms"}, {1e-2, "10ms"}, {2e-2, "20ms"}, {5e-2, "50ms"}, {0.1, "100ms"}, {0.2, "200ms"}, {0.5, "500ms"},
	{1, "1s"}, {2, "2s"}, {5, "5s"}, {10, "10s"}, {20, "20s"}, {30, "30s"}, {60, "1m"}, {120, "2m"}, {300, "5m"}, {600, "10m"}, {1200, "20m"}, {1800, "30m"},
	{3600, "1h"}, {7200, "2h"}, {18000, "5h"}, {36000, "10h"}, {72000, "20h"}}

func tailMarks(top float64) []Tick {
	var out []Tick
	for _, t := range []Tick{{1, "min"}, {2, "p50"}, {4, "p75"}, {10, "p90"}, {100, "p99"}, {1000, "p99.9"}, {10000, "p99.99"}, {100000, "p99.999"}} {
		if t.At <= top*(1+1e-9) {
			out = append(out, Tick{math.Log10(t.At), t.Name})
		}
	}
	return out
}

// plain writes a number with an SI suffix and no more digits than it has.
func plain(v float64) string {
	a, suffix := math.Abs(v), ""
	switch {
	case a >= 1e6:
		v, suffix = v/1e6, "M"
	case a >= 1e4:
		v, suffix = v/1e3, "k"
	}
	return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64) + suffix
}
