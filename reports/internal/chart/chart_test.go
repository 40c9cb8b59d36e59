package chart

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

// absurd is a figure of everything that can be wrong with data.
func absurd() Figure {
	nan := math.NaN()
	return Figure{ID: "P99", Slug: "absurd", Title: `<b>"title"</b>`, Caption: "caption & more", Panels: []Panel{
		{Height: 40, X: Axis{Scale: Clock, Max: 0}, Y: Axis{Max: 0}, Lines: []Line{{Name: "none"}, {Name: "gaps", X: []float64{0, 1, 2}, Y: []float64{nan, 5, nan}}, {Name: "only gaps", X: []float64{1}, Y: []float64{nan}}}},
		{Height: 40, X: Axis{Scale: Clock, Max: 1e7}, Y: Axis{Scale: Log, Min: 1, Max: 1}, Lines: []Line{{Name: "zero on a log axis", X: []float64{0, 1e7}, Y: []float64{0, -3}}}, Marks: []Mark{{At: -1, Number: 1}, {At: 2e7, Number: 2}}},
		{Height: 40, X: Axis{Scale: Clock, Max: 10}, Y: Axis{Scale: Log, Min: 0.1, Max: 100, Format: plain}, Cells: &Cells{X: []float64{0, 5, 10}, Y: []float64{0.1, 1, 100}, Value: [][]float64{{nan, 0}, {7, 1e9}}, Max: 0}},
		{Height: 40, X: Axis{Max: 1}, Bars: []Bar{{Name: "bar", Value: -1, Text: "minus"}, {Name: "huge", Value: 1e300}}},
		{Height: 40, X: Axis{Scale: Clock, Max: 10}, Lanes: []Lane{{Name: "lane", Spans: []Band{{From: 5, To: 1}, {From: -5, To: 50, Name: strings.Repeat("long ", 80)}}, Points: []Mark{{At: 3, Number: 123}}}}},
		{Height: 40, X: Axis{Scale: Tail, Min: 1, Max: 1e6}, Y: Axis{Max: math.Inf(1)}, Lines: []Line{{Name: "many", X: []float64{1, 10}, Y: []float64{1, 2}, Dots: true, Joined: true, Notes: []string{"here"}}}},
	}}
}

func TestAbsurdDataAreDrawn(t *testing.T) {
	f := absurd()
	svg := f.SVG()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := d.Token(); err != nil {
			if err.Error() != "EOF" {
				t.Fatalf("not XML: %v", err)
			}
			break
		}
	}
	if strings.Contains(string(svg), "<b>") {
		t.Error("the title was not escaped")
	}
	b, err := f.PNG(72)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(b)); err != nil {
		t.Error(err)
	}
}

func TestSVGIsAlwaysTheSame(t *testing.T) {
	if !bytes.Equal(absurd().SVG(), absurd().SVG()) {
		t.Error("two drawings of one figure differ")
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		axis Axis
		room float64
		want string
	}{
		{Axis{Max: 1188}, 190, "0 500 1000"},
		{Axis{Max: 433}, 70, "0 200 400"},
		{Axis{Max: 1.08}, 100, "0 0.5 1"},
		{Axis{Min: -300, Max: 900}, 190, "0 500"},
		{Axis{Max: 65000}, 150, "0 20k 40k 60k"},
		{Axis{Scale: Clock, Max: 8 * 3600}, 560, "0:00 h 1:00 h 2:00 h 3:00 h 4:00 h 5:00 h 6:00 h 7:00 h 8:00 h"},
		{Axis{Scale: Clock, Max: 90}, 560, "0:00 0:10 0:20 0:30 0:40 0:50 1:00 1:10 1:20 1:30"},
		{Axis{Scale: Log, Min: 0.1, Max: 4000, Format: plain}, 100, "100ms 1s 10s 1m 10m 1h"},
		{Axis{Scale: Log, Min: 1, Max: 1000}, 100, "1 10 100 1000"},
		{Axis{Scale: Tail, Min: 1, Max: 1500}, 400, "min p50 p75 p90 p99 p99.9"},
	} {
		var got []string
		for _, m := range c.axis.marks(c.room) {
			got = append(got, m.Name)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%+v over %v points: %q, want %q", c.axis, c.room, s, c.want)
		}
	}
}

func TestLabelsDoNotCover(t *testing.T) {
	ls := []label{{y: 50}, {y: 51}, {y: 52}, {y: 100}, {y: 99}}
	spread(ls, 0, 100, 9)
	for i := 1; i < len(ls); i++ {
		if ls[i].y-ls[i-1].y < 9-1e-9 || ls[i].y > 100 {
			t.Errorf("labels at %v", ls)
		}
	}
}

func TestNotesDoNotCover(t *testing.T) {
	ns := []note{{at: vg.Point{X: 0, Y: 10}, width: 30, h: 9}, {at: vg.Point{X: 5, Y: 12}, width: 30, h: 9}, {at: vg.Point{X: 3, Y: 16}, width: 30, h: 9}, {at: vg.Point{X: 90, Y: 12}, width: 30, h: 9}}
	stack(ns)
	for i, a := range ns {
		for _, b := range ns[:i] {
			if a.at.X < b.at.X+b.width && b.at.X < a.at.X+a.width && a.at.Y < b.at.Y+b.h && b.at.Y < a.at.Y+a.h {
				t.Errorf("%v covers %v", a, b)
			}
		}
		if a.at.X == 90 && a.at.Y != 12 {
			t.Error("a note moved that nothing covered")
		}
	}
}
