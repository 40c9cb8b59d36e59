package sweep

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/reports"
)

// Axis is one thing that is varied: a setting, or which variants are on.
type Axis struct {
	Name   string
	Levels []Level
}

// Level is one value of an axis: what it sets, and the variants it turns on.
type Level struct {
	Name     string
	Set      map[string]string
	Variants []string
}

// Vary reads "sender.drafts.rate_limit=200/min,300/min". Several keys joined by + take the same value. Commas within
// brackets belong to a value.
func Vary(text string) (Axis, error) {
	key, list, ok := strings.Cut(text, "=")
	if !ok || key == "" || list == "" {
		return Axis{}, fmt.Errorf("--vary %q: write key=a,b,c, such as sender.drafts.rate_limit=200/min,300/min", text)
	}
	a := Axis{Name: key}
	for _, v := range split(list) {
		if v == "" {
			return a, fmt.Errorf("--vary %q: one of its values is empty", text)
		}
		a.Levels = append(a.Levels, Level{Name: v, Set: setAll(key, v)})
	}
	return a, a.check()
}

// setAll gives every key of "a+b" the same value.
func setAll(keys, value string) map[string]string {
	out := map[string]string{}
	for _, k := range strings.Split(keys, "+") {
		out[k] = value
	}
	return out
}

// split cuts a list at its commas, except those within brackets.
func split(list string) []string {
	var out []string
	depth, start := 0, 0
	for i, c := range list {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, strings.TrimSpace(list[start:i]))
				start = i + 1
			}
		}
	}
	return append(out, strings.TrimSpace(list[start:]))
}

func (a Axis) check() error {
	seen := map[string]bool{}
	for _, l := range a.Levels {
		if seen[l.Name] {
			return fmt.Errorf("%s: %s stands twice", a.Name, l.Name)
		}
		seen[l.Name] = true
	}
	return nil
}

// OneOf is an axis on which each variant is tried alone, and none of them first.
func OneOf(variants []string) Axis {
	a := Axis{Name: "variant", Levels: []Level{{Name: "none"}}}
	for _, v := range variants {
		a.Levels = append(a.Levels, Level{Name: v, Variants: []string{v}})
	}
	return a
}

// Switches are axes on which each variant is off or on: together they are all combinations.
func Switches(variants []string) []Axis {
	out := make([]Axis, len(variants))
	for i, v := range variants {
		out[i] = Axis{Name: v, Levels: []Level{{Name: reports.Off}, {Name: reports.On, Variants: []string{v}}}}
	}
	return out
}

// Job is one run to be made.
type Job struct {
	Name     string // which setting and, of several, which seed, in words
	Point    int    // index of the combination
	Levels   []int
	Set      map[string]string
	Variants []string
	Seed     int64
}

// Key names the job within its sweep, for the file of results.
func (j Job) Key() string {
	parts := make([]string, 0, len(j.Set)+2)
	for _, k := range slices.Sorted(maps.Keys(j.Set)) {
		parts = append(parts, k+"="+j.Set[k])
	}
	if len(j.Variants) > 0 {
		parts = append(parts, "variants="+strings.Join(j.Variants, "+"))
	}
	return strings.Join(append(parts, fmt.Sprintf("seed=%d", j.Seed)), " ")
}

// axesOf is what reports are told of the axes.
func axesOf(axes []Axis) []reports.SweepAxis {
	out := []reports.SweepAxis{}
	for _, a := range axes {
		axis := reports.SweepAxis{Name: a.Name}
		for _, l := range a.Levels {
			axis.Levels = append(axis.Levels, l.Name)
		}
		out = append(out, axis)
	}
	return out
}

// points lists all combinations of levels, the last axis changing fastest.
func points(axes []Axis) [][]int {
	out := [][]int{nil}
	for _, a := range axes {
		var next [][]int
		for _, p := range out {
			for l := range a.Levels {
				next = append(next, append(slices.Clone(p), l))
			}
		}
		out = next
	}
	return out
}

// jobs lists all runs. Every setting is tried on the first seed before any is on the second, so that the map fills
// early.
func jobs(axes []Axis, seeds []int64) []Job {
	var out []Job
	ps := points(axes)
	for _, seed := range seeds {
		for i, p := range ps {
			j := Job{Name: reports.SettingName(axesOf(axes), p), Point: i, Levels: p, Set: map[string]string{}, Seed: seed}
			for k, l := range p {
				level := axes[k].Levels[l]
				maps.Copy(j.Set, level.Set)
				j.Variants = append(j.Variants, level.Variants...)
			}
			if len(seeds) > 1 {
				j.Name += fmt.Sprintf(", seed %d", seed)
			}
			out = append(out, j)
		}
	}
	return out
}
