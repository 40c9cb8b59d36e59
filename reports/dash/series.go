package dash

import (
	"math"
	"sort"
	"time"
)

// maxSlots is how many instants a table holds before it halves itself; june6 has 2,900 readings.
const maxSlots = 4096

// maxColumns bounds the names a table takes, whatever a stream says.
const maxColumns = 1024

// table is the history of many values over one time axis. When it is full, neighbours are merged: the lowest, the
// highest and the last value of each pair stay, so a spike survives any length of run.
type table struct {
	at     []time.Duration // the last instant of each slot
	per    int             // readings a slot
	filled int             // readings in the last slot
	cols   map[string]*column
}

type column struct{ min, max, last []float64 } // NaN where there was nothing

func newTable() *table { return &table{per: 1, cols: map[string]*column{}} }

// add appends a reading; instants before the last one are refused.
func (t *table) add(at time.Duration, values map[string]float64) bool {
	n := len(t.at)
	if n > 0 && at < t.at[n-1] {
		return false
	}
	if n == 0 || t.filled >= t.per {
		if n == maxSlots {
			t.halve()
		}
		t.at = append(t.at, at)
		for _, c := range t.cols {
			c.min, c.max, c.last = append(c.min, math.NaN()), append(c.max, math.NaN()), append(c.last, math.NaN())
		}
		t.filled = 0
	}
	n = len(t.at)
	t.at[n-1] = at
	t.filled++
	for k, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		c := t.cols[k]
		if c == nil {
			if len(t.cols) >= maxColumns {
				continue
			}
			c = &column{nans(n), nans(n), nans(n)}
			t.cols[k] = c
		}
		c.min[n-1] = lowest(c.min[n-1], v)
		c.max[n-1] = highest(c.max[n-1], v)
		c.last[n-1] = v
	}
	return true
}

// halve merges each slot with its neighbour.
func (t *table) halve() {
	n := len(t.at) / 2
	for i := range n {
		t.at[i] = t.at[2*i+1]
	}
	t.at = t.at[:n]
	for _, c := range t.cols {
		for i := range n {
			c.min[i] = lowest(c.min[2*i], c.min[2*i+1])
			c.max[i] = highest(c.max[2*i], c.max[2*i+1])
			last := c.last[2*i+1]
			if math.IsNaN(last) {
				last = c.last[2*i]
			}
			c.last[i] = last
		}
		c.min, c.max, c.last = c.min[:n], c.max[:n], c.last[:n]
	}
	t.per *= 2
	t.filled = t.per
}

// index returns the last slot at or before an instant, -1 when there is none.
func (t *table) index(at time.Duration) int {
	return sort.Search(len(t.at), func(i int) bool { return t.at[i] > at }) - 1
}

// value returns the last value of a column at or before a slot, looking back at most far.
func (t *table) value(name string, i int, far time.Duration) float64 {
	c := t.cols[name]
	if c == nil {
		return math.NaN()
	}
	for j := i; j >= 0 && t.at[i]-t.at[j] <= far; j-- {
		if v := c.last[j]; !math.IsNaN(v) {
			return v
		}
	}
	return math.NaN()
}

// gain returns by how much a counter grew over about the last span before a slot, and over how long; NaN when that is
// not known.
func (t *table) gain(name string, i int, span time.Duration) (by float64, over time.Duration) {
	c := t.cols[name]
	if c == nil || i < 0 {
		return math.NaN(), 0
	}
	j := max(t.index(t.at[i]-span), 0)
	if j == i && i > 0 {
		j = i - 1
	}
	from := c.last[j]
	if math.IsNaN(from) { // a counter that was not there yet was 0
		from = 0
	}
	by = c.last[i] - from
	if by < 0 || t.at[i] <= t.at[j] {
		return math.NaN(), 0
	}
	return by, t.at[i] - t.at[j]
}

// slice returns a column between two instants, with one slot more on either side so that lines reach the edges.
func (t *table) slice(name string, from, to time.Duration) Series {
	c := t.cols[name]
	if c == nil {
		return Series{}
	}
	i, j := max(t.index(from), 0), min(t.index(to)+1, len(t.at))
	if i >= j {
		return Series{}
	}
	return Series{At: t.at[i:j:j], Min: c.min[i:j:j], Max: c.max[i:j:j], Last: c.last[i:j:j]}
}

// Series is one value over time. The slices are as long as At; NaN means that nothing was read.
type Series struct {
	At             []time.Duration
	Min, Max, Last []float64
}

// Len is the number of instants that every slice has.
func (s Series) Len() int { return min(len(s.At), len(s.Min), len(s.Max), len(s.Last)) }

func nans(n int) []float64 {
	s := make([]float64, n, max(n, 64))
	for i := range s {
		s[i] = math.NaN()
	}
	return s
}

func lowest(a, b float64) float64 {
	if math.IsNaN(a) || b < a {
		return b
	}
	return a
}

func highest(a, b float64) float64 {
	if math.IsNaN(a) || b > a {
		return b
	}
	return a
}
