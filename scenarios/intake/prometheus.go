package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// maxAnswer bounds a Prometheus answer, which is held in memory: 11,000 points are the most a server gives a series.
const maxAnswer = 32 << 20

// answer is what GET /api/v1/query_range gives.
type answer struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		ResultType string `json:"resultType"`
		Result     []struct {
			Values [][2]any `json:"values"`
		} `json:"result"`
	} `json:"data"`
}

// sample is a rate at an instant.
type sample struct {
	at   float64 // seconds since 1970
	rate float64 // per second
}

// prometheus turns rates over time into phases. Series are added up.
func (r *Result) prometheus(in io.Reader, o Options) error {
	b, err := io.ReadAll(io.LimitReader(in, maxAnswer+1))
	if err != nil {
		return err
	}
	if len(b) > maxAnswer {
		return fmt.Errorf("the answer is larger than %d MiB: ask for fewer series, or a longer step", maxAnswer>>20)
	}
	var a answer
	if err := json.Unmarshal(b, &a); err != nil {
		return fmt.Errorf("not the answer of a Prometheus server: %w", err)
	}
	switch {
	case a.Status != "" && a.Status != "success":
		return fmt.Errorf("the answer is an error: %s", a.Error)
	case a.Data.ResultType != "matrix":
		return fmt.Errorf("the answer is a %q, not a matrix: ask query_range", a.Data.ResultType)
	}
	sum := map[float64]float64{}
	for i, series := range a.Data.Result {
		for j, v := range series.Values {
			r.Lines++
			at, ok1 := v[0].(float64)
			text, ok2 := v[1].(string)
			rate, err := strconv.ParseFloat(text, 64)
			if !ok1 || !ok2 || err != nil || math.IsNaN(rate) || math.IsInf(rate, 0) || rate < 0 {
				r.bad(r.Lines, fmt.Errorf("series %d, value %d: %v is not a rate", i+1, j+1, v[1]))
				continue
			}
			t := time.UnixMilli(int64(at * 1000))
			if !o.From.IsZero() && t.Before(o.From) || !o.To.IsZero() && !t.Before(o.To) {
				r.Other++
				continue
			}
			sum[at] += rate
		}
	}
	samples := make([]sample, 0, len(sum))
	for at, rate := range sum {
		samples = append(samples, sample{at, rate})
	}
	slices.SortFunc(samples, func(a, b sample) int { return int(math.Copysign(1, a.at-b.at)) })
	if len(samples) < 2 {
		return errors.New("the answer has less than two values: a load needs a beginning and an end")
	}
	r.phases(samples)
	if r.Messages == 0 {
		return errors.New("the rates of the answer are 0, or too low for one message")
	}
	return nil
}

// phases draws as few straight lines as stay within 3 % of the peak of every value.
func (r *Result) phases(samples []sample) {
	peak := 0.0
	for _, s := range samples {
		peak = max(peak, s.rate)
	}
	first, last := samples[0], samples[len(samples)-1]
	r.Start = time.UnixMilli(int64(first.at * 1000)).UTC()
	r.Span = time.Duration((last.at - first.at) * float64(time.Second)).Round(time.Second)
	for _, c := range corners(samples, 0.03*peak) {
		a, b := samples[c[0]], samples[c[1]]
		begin := time.Duration((a.at - first.at) * float64(time.Second)).Round(time.Second)
		end := time.Duration((b.at - first.at) * float64(time.Second)).Round(time.Second)
		if end <= begin {
			continue
		}
		p := scenarios.Phase{Name: "at-" + strict.Duration(begin), For: end - begin}
		from, to := perMinute(a.rate), perMinute(b.rate)
		if from == to {
			p.Rate = from
		} else {
			p.From, p.To = from, to
		}
		r.Phases = append(r.Phases, p)
	}
	load := scenarios.Load{Phases: r.Phases}
	curve := load.Curve()
	if total := curve.Total(); total >= 1 {
		r.Messages = int64(total + 0.5)
	}
	for at := time.Duration(0); at < r.Span; at += time.Minute {
		r.Shape.PerMinute = append(r.Shape.PerMinute, int(curve.Arrivals(min(at+time.Minute, r.Span))-curve.Arrivals(at)+0.5))
	}
}

func perMinute(perSecond float64) quantity.Rate {
	return quantity.Rate{Count: math.Round(perSecond*60*100) / 100, Per: time.Minute}
}

// corners picks the samples between which straight lines stay within tolerance of all others (Douglas and Peucker),
// as pairs of beginning and end.
func corners(samples []sample, tolerance float64) [][2]int {
	keep := make([]bool, len(samples))
	keep[0], keep[len(samples)-1] = true, true
	open := [][2]int{{0, len(samples) - 1}}
	for len(open) > 0 {
		x := open[len(open)-1]
		open = open[:len(open)-1]
		a, b := samples[x[0]], samples[x[1]]
		worst, at := tolerance, -1
		for i := x[0] + 1; i < x[1]; i++ {
			line := a.rate + (b.rate-a.rate)*(samples[i].at-a.at)/(b.at-a.at)
			if d := math.Abs(samples[i].rate - line); d > worst {
				worst, at = d, i
			}
		}
		if at > 0 {
			keep[at] = true
			open = append(open, [2]int{x[0], at}, [2]int{at, x[1]})
		}
	}
	var out [][2]int
	last := 0
	for i := 1; i < len(samples); i++ {
		if keep[i] {
			out = append(out, [2]int{last, i})
			last = i
		}
	}
	return out
}
