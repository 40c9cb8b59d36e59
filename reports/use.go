package reports

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/internal/chart"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// use is what one part of a system, a process or a container, used of the machine.
type use struct {
	name   string
	cpu    time.Duration // of the whole run, in real time
	peak   float64       // cores, between two readings
	memory float64       // most resident bytes
	kind   string        // whatsapp of whatsapp_1
}

// uses lists the parts of a run whose parts were processes or containers, the hungriest first.
func (d *Measured) uses() []use {
	var out []use
	for gauge, memory := range d.columns {
		name, ok := strings.CutSuffix(gauge, record.GPartMemory)
		if !ok || !strings.HasPrefix(name, record.GPart) {
			continue
		}
		u := use{name: strings.TrimPrefix(name, record.GPart)}
		u.kind = strings.TrimRight(u.name, "_0123456789")
		for _, v := range memory {
			if !math.IsNaN(v) {
				u.memory = max(u.memory, v)
			}
		}
		before := time.Duration(0)
		for i, cores := range d.columns[name+record.GPartCPU] {
			if !math.IsNaN(cores) {
				u.cpu += time.Duration(cores * float64(d.at[i]-before) / d.run.Info.Squeeze())
				u.peak = max(u.peak, cores)
			}
			before = d.at[i]
		}
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b use) int { return cmp.Or(cmp.Compare(b.cpu, a.cpu), cmp.Compare(a.name, b.name)) })
	return out
}

// useWords says in a line what all parts used, and which of them most.
func (r *Report) useWords() string {
	list := r.data.uses()
	if len(list) == 0 {
		return ""
	}
	var cpu time.Duration
	most := list[0]
	for _, u := range list {
		cpu += u.cpu
		if u.memory > most.memory {
			most = u
		}
	}
	text := fmt.Sprintf("%s of CPU time in %s, most of it in %s (%s)", FormatDuration(cpu), plural(len(list), "part"), list[0].name, FormatDuration(list[0].cpu))
	if n := r.summary.Messages.Offered; n > 0 {
		text += fmt.Sprintf(", %s a message", FormatDuration(cpu/time.Duration(n)))
	}
	return text + fmt.Sprintf("; most memory in %s (%s)", most.name, Bytes.Format(most.memory))
}

// useTable shows every part, and what all of them take to handle a message.
func (r *Report) useTable() table {
	t := table{Head: []string{"part", "CPU time", "a message", "cores on average", "at the most", "memory at the most"}}
	wall := r.data.end.Seconds() / r.Info.Squeeze()
	row := func(u use, peak, memory string) {
		each := "–"
		if n := r.summary.Messages.Offered; n > 0 {
			each = FormatDuration(u.cpu / time.Duration(n))
		}
		t.Rows = append(t.Rows, []string{u.name, FormatDuration(u.cpu), each, fmt.Sprintf("%.2f", u.cpu.Seconds()/wall), peak, memory})
	}
	all := use{name: "all"}
	for _, u := range r.data.uses() {
		row(u, fmt.Sprintf("%.2f", u.peak), Bytes.Format(u.memory))
		all.cpu += u.cpu
	}
	if len(t.Rows) > 0 {
		row(all, "", "")
	}
	return t
}

// useLines draws one gauge of all parts, those of a kind added up.
func (d *Measured) useLines(suffix string, scale float64) []chart.Line {
	sums := map[string][]float64{}
	for _, u := range d.uses() {
		sum := sums[u.kind]
		if sum == nil {
			sum = make([]float64, len(d.at))
			for i := range sum {
				sum[i] = math.NaN()
			}
			sums[u.kind] = sum
		}
		for i, v := range d.columns[record.GPart+u.name+suffix] {
			if !math.IsNaN(v) {
				sum[i] = v + orZero(sum[i])
			}
		}
	}
	look := map[string]struct {
		colour chart.Colour
		dash   chart.Dash
	}{"whatsapp": {chart.Blue, chart.Solid}, "drafts": {chart.Orange, chart.Dashed}, "fake": {chart.Green, chart.Dotted}, "gateway": {chart.Purple, chart.DashDot},
		"nats": {chart.Red, chart.Solid}, "harness": {chart.Black, chart.Dotted}, "sender": {chart.Blue, chart.Solid}}
	var out []chart.Line
	for _, kind := range slices.Sorted(maps.Keys(sums)) {
		d.columns[record.GPart+kind+suffix+"_sum"] = sums[kind]
		if l, ok := d.gauge(kind, look[kind].colour, look[kind].dash, record.GPart+kind+suffix+"_sum", scale); ok {
			out = append(out, l)
		}
	}
	return out
}

func orZero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

func figureUse(r *Report) (chart.Figure, bool) {
	f := chart.Figure{ID: "P18", Slug: "parts", Title: "What the parts used of the machine",
		Caption: "Measured by the operating system for every process or container, those of a kind added up; beside it, the figure of replicas and resources shows the cores and the memory of the model."}
	for _, panel := range []struct {
		name, unit, suffix string
		scale              float64
	}{{"CPU", "busy cores", record.GPartCPU, 1}, {"resident memory", "MiB", record.GPartMemory, 1.0 / (1 << 20)}} {
		if lines := r.data.useLines(panel.suffix, panel.scale); len(lines) > 0 {
			p := r.overTime(78, chart.Axis{Label: panel.unit, Format: Count.Format}, lines...)
			p.Name = panel.name
			f.Panels = append(f.Panels, p)
		}
	}
	return f, len(f.Panels) > 0
}
