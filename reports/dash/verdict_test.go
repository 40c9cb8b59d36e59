package dash

import (
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// TestTrend: which way the backlog goes, told from ten minutes of readings at 2.5 messages a second.
func TestTrend(t *testing.T) {
	for _, c := range []struct {
		name    string
		backlog func(i int) float64
		want    Trend
	}{
		{"nothing", func(int) float64 { return 0 }, Empty},
		{"what is in hand goes up and down", func(i int) float64 { return []float64{2, 3, 5, 7, 8, 6, 4, 2, 1}[i%9] }, Steady},
		{"what is in hand goes down", func(i int) float64 { return max(1, 9-float64(i%12)) }, Steady},
		{"a surge begins", func(i int) float64 { return 2 + max(0, float64(i-50))*20 }, Growing},
		{"slowly, but surely", func(i int) float64 { return 500 + float64(i)*3 }, Growing},
		{"level", func(i int) float64 { return 20_000 + float64(i%3) }, Steady},
		{"draining", func(i int) float64 { return 20_000 - float64(i)*40 }, Draining},
	} {
		h := NewHistory()
		for i := range 60 {
			at := time.Duration(i) * 10 * time.Second
			h.Feed(Item{Gauge: &record.Gauge{At: at, Values: map[string]float64{record.GBacklog: c.backlog(i), record.GOffered: 25 * float64(i)}}})
		}
		if v := h.verdict(59); v.Trend != c.want {
			t.Errorf("%s: %s at %v, slope %v a second, want %s", c.name, v.Trend, v.Backlog, v.Slope, c.want)
		}
	}
}
