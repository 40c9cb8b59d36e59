package chart

import "math"

// Numbers returns the values behind a figure's lines as a table of at most rows rows: the accessible version of the
// picture. Each row holds, of its stretch of the x axis, the highest value of each line.
func (f Figure) Numbers(rows int) (head []string, body [][]string) {
	var lines []Line
	var formats []func(float64) string
	for _, p := range f.Panels {
		for _, l := range p.Lines {
			name := l.Name
			if p.Name != "" && p.Name != l.Name {
				name = p.Name + ": " + l.Name
			}
			if name == "" {
				name = p.Y.Label
			}
			head = append(head, name)
			lines = append(lines, l)
			formats = append(formats, p.Y.format)
		}
	}
	if len(lines) == 0 || f.Panels[0].X.Scale != Clock {
		return nil, nil
	}
	x := f.Panels[0].X
	step := niceClock((x.Max - x.Min) / float64(rows))
	for from := x.Min; from < x.Max; from += step {
		row := []string{clockName(from, 60)}
		for i, l := range lines {
			row = append(row, cell(highest(l, from, from+step), formats[i]))
		}
		body = append(body, row)
	}
	return append([]string{"from"}, head...), body
}

func niceClock(least float64) float64 {
	for _, s := range clockSteps {
		if s >= least {
			return s
		}
	}
	return clockSteps[len(clockSteps)-1]
}

func highest(l Line, from, to float64) float64 {
	top := math.NaN()
	for i, x := range l.X {
		if x >= from && x < to && !math.IsNaN(l.Y[i]) && !(top >= l.Y[i]) {
			top = l.Y[i]
		}
	}
	return top
}

func cell(v float64, format func(float64) string) string {
	if math.IsNaN(v) {
		return "–"
	}
	return format(math.Round(v*1000) / 1000)
}
