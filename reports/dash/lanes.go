package dash

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// lane draws a stretch of the whole plan: solid past, ▲ now, dotted future, with the numbers of the events in it. A
// threshold that was missed is an x; what has no number is n for a note, f for a fault, m for a mark.
func (d *drawing) lane(x, y, w int, take func(record.Event) bool) {
	if w <= 0 {
		return
	}
	sp := span{0, max(d.s.End, 1), w}
	now := sp.clamp(d.s.Now)
	for i := range w {
		if i <= now {
			d.f.set(x+i, y, '─', plain)
		} else {
			d.f.set(x+i, y, '·', dim)
		}
	}
	free := 0
	for _, e := range d.numbered() {
		if !take(e) {
			continue
		}
		label := strconv.Itoa(e.Number)
		at := max(sp.clamp(e.At), free)
		if at+len(label) > w {
			continue
		}
		s := strong
		if e.At > d.s.Now {
			s = dim
		}
		d.f.text(x+at, y, label, s, len(label))
		free = at + len(label)
	}
	for _, e := range d.s.Events {
		if e.Kind == "threshold" && (e.State == "missed" || e.State == "invalid") && take(e) {
			if at := sp.clamp(e.At); isRule(d.f.at(x+at, y).r) {
				_, st := d.mark(e.State)
				d.f.set(x+at, y, 'x', st)
			}
		}
	}
	for _, list := range [2][]record.Event{d.s.Events, d.s.Ahead} {
		for _, e := range list {
			sign, ok := map[string]rune{"note": 'n', "fault": 'f', "mark": 'm'}[e.Kind]
			if at := sp.clamp(e.At); ok && e.Number == 0 && take(e) && isRule(d.f.at(x+at, y).r) {
				d.f.set(x+at, y, sign, dim)
			}
		}
	}
	if isRule(d.f.at(x+now, y).r) || d.s.Now < d.s.Seen {
		d.f.set(x+now, y, '▲', warn)
	} else if now+1 < w {
		d.f.set(x+now+1, y, '▲', warn)
	}
}

func isRule(r rune) bool { return r == '─' || r == '·' || r == '-' || r == '.' }

// eventLane is the one-line timeline of the smaller layouts.
func (d *drawing) eventLane(y int) {
	end := "  " + clock(d.s.End, d.s.End)
	d.f.text(0, y, "EVT", strong, 3)
	d.lane(5, y, d.f.w-5-len(end), func(record.Event) bool { return true })
	d.f.right(d.f.w, y, end, dim, d.f.w)
}

// timeline draws the four lanes of the largest layout.
func (d *drawing) timeline(r rect) {
	d.box(r, 0, fmt.Sprintf("Timeline  whole plan %s to %s   past solid, future dotted   x missed, n note, f fault, m mark", clock(0, d.s.End), clock(d.s.End, d.s.End)))
	lanes := []struct {
		name string
		take func(record.Event) bool
	}{
		{"plan", func(e record.Event) bool {
			return e.Source == "plan" || !strings.Contains(" provider operator sender threshold ", " "+e.Source+" ")
		}},
		{"provider", func(e record.Event) bool { return e.Source == "provider" }},
		{"operator", func(e record.Event) bool { return e.Source == "operator" || e.Source == "sender" }},
		{"slo", func(e record.Event) bool { return e.Source == "threshold" || e.Kind == "threshold" }},
	}
	for i, l := range lanes[:min(len(lanes), d.rows(r))] {
		d.f.text(r.x+2, r.y+1+i, l.name, plain, 10)
		d.lane(r.x+14, r.y+1+i, r.w-17, l.take)
	}
}

// story writes the latest events that matter on one line, the newest last.
func (d *drawing) story(y int) {
	var parts []string
	var styles []style
	used := 0
	add := func(e record.Event) bool {
		text := clock(e.At, d.s.End) + " " + e.Source + ": " + e.Text
		if e.Kind == "threshold" {
			text = clock(e.At, d.s.End) + " " + e.State + ": " + e.ID
		}
		if e.Number > 0 {
			text = strconv.Itoa(e.Number) + " " + text
		}
		room := d.f.w - used - 2
		if len(parts) > 0 && (width(text, d.f.ascii) > room || room < 20) {
			return false
		}
		text = cut(text, room, d.f.ascii)
		used += width(text, d.f.ascii) + 3
		parts, styles = append(parts, text), append(styles, d.eventStyle(e))
		return true
	}
	for i := len(d.s.Events) - 1; i >= 0; i-- {
		e := d.s.Events[i]
		if worthAHop(e) && !(e.Kind == "threshold" && e.State == "met") && !add(e) {
			break
		}
	}
	x := 2
	for i := len(parts) - 1; i >= 0; i-- {
		x = d.f.text(x, y, parts[i], styles[i], d.f.w-x) + 3
	}
}

// thresholdLines is the SLO of the smallest layouts: words in a row, the urgent ones first.
func (d *drawing) thresholdLines(y, rows int) {
	d.f.text(0, y, "SLO", strong, 3)
	ts := byUrgency(d.s.Thresholds)
	if len(ts) == 0 {
		d.f.text(5, y, "no threshold judged yet", dim, d.f.w-5)
		return
	}
	x, row := 5, 0
	for i, t := range ts {
		word, st := d.mark(t.State)
		text := word + " " + t.ID
		if v := observed(t); v != "" && rows > 1 {
			text += " " + v
		}
		w := width(text, d.f.ascii)
		rest := len(ts) - i
		room := d.f.w - x
		if row == rows-1 && rest > 1 {
			room -= 10
		}
		if w > room && x > 5 && row < rows-1 {
			x, row, room = 5, row+1, d.f.w-5
			if row == rows-1 && rest > 1 {
				room -= 10
			}
		}
		if w > room && x > 5 {
			d.f.text(x, y+row, fmt.Sprintf("+%d more", rest), dim, d.f.w-x)
			return
		}
		x = d.f.text(x, y+row, cut(text, room, d.f.ascii), st, room) + 3
	}
}

// observed is the value behind a threshold that was judged, when it is short enough to stand beside its name.
func observed(t Threshold) string {
	i := strings.LastIndex(t.Text, ": ")
	if i < 0 || t.State == "pending" || len(t.Text)-i-2 > 12 {
		return ""
	}
	return strings.TrimSuffix(t.Text[i+2:], " so far")
}

// errorLine is the errors of the smallest layouts.
func (d *drawing) errorLine(y int) {
	d.f.text(0, y, "ERR", strong, 3)
	if len(d.s.Errors) == 0 {
		d.f.text(5, y, "none so far", dim, d.f.w-5)
		return
	}
	x := 5
	for _, e := range d.s.Errors {
		text := e.Code + " " + e.Name + " " + number(e.Total)
		if e.Rate > 0 {
			text += " (" + number(e.Rate) + "/s)"
		}
		st := plain
		if e.Class == ambiguous {
			st, text = warn, text+" unknown"
		}
		if x > 5 && x+width(text, d.f.ascii) > d.f.w {
			return
		}
		x = d.f.text(x, y, cut(text, d.f.w-x, d.f.ascii), st, d.f.w-x) + 3
	}
}
