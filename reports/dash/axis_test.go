package dash

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// TestAxisSaysWhatItMeans: the labels of a linear axis are the values of their rows, not rounded ones.
func TestAxisSaysWhatItMeans(t *testing.T) {
	for base, highest := range map[float64]float64{0: 1e6, 1: 20} {
		for v := base + 0.02; v < highest; v *= 1.07 {
			a := newAxis(false, base, v)
			if a.top < v {
				t.Fatalf("an axis up to %v ends at %v", v, a.top)
			}
			for h := 1; h <= 40; h++ {
				labels := a.labels(h, tick)
				if len(labels) != h || labels[0] == "" {
					t.Fatalf("%d rows up to %v: %q", h, v, labels)
				}
				for row, label := range labels {
					if label == "" {
						continue
					}
					said, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSuffix(label, "k"), "M"), 64)
					if err != nil {
						t.Fatalf("label %q: %v", label, err)
					}
					switch label[len(label)-1] {
					case 'k':
						said *= 1e3
					case 'M':
						said *= 1e6
					}
					there := a.top - (a.top-a.base)*float64(row)/float64(max(h-1, 1))
					if half := (a.top - a.base) / float64(max(h-1, 1)) / 2; math.Abs(said-there) > half*1.001 {
						t.Errorf("base %v, up to %v, %d rows: row %d says %s and is %v", base, a.top, h, row, label, there)
					}
				}
			}
		}
	}
}

// TestLettersKeepTheirLinesOrder: lines that end close together have their letters below each other, in their order.
func TestLettersKeepTheirLinesOrder(t *testing.T) {
	for _, c := range []struct {
		ys   []int
		want string
	}{
		{[]int{0, 10, 27}, "a.b...c"},
		{[]int{27, 26, 25, 1}, "d...cba"},
		{[]int{24, 24, 27}, "....abc"},
		{[]int{0, 0, 0}, "abc...."},
	} {
		var ends []letter
		for i, y := range c.ys {
			ends = append(ends, letter{y: y, r: rune('a' + i)})
		}
		got := []rune(".......")
		for row, e := range spread(ends, 4, 7) {
			got[row] = e.r
		}
		if string(got) != c.want {
			t.Errorf("lines ending at %v: %s, want %s", c.ys, string(got), c.want)
		}
	}
}
