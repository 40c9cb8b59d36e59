package dash

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// byUrgency orders thresholds: missed, open, met; as they came within each.
func byUrgency(ts []Threshold) []Threshold {
	rank := map[string]int{"missed": 0, "invalid": 0, "met": 2}
	out := append([]Threshold{}, ts...)
	sort.SliceStable(out, func(i, j int) bool {
		a, ok1 := rank[out[i].State]
		b, ok2 := rank[out[j].State]
		if !ok1 {
			a = 1
		}
		if !ok2 {
			b = 1
		}
		return a < b
	})
	return out
}

// thresholdTable draws panel 6.
func (d *drawing) thresholdTable(r rect) {
	d.box(r, pThresholds, "SLO")
	ts := byUrgency(d.s.Thresholds)
	rows := d.rows(r)
	if len(ts) == 0 {
		d.f.text(r.x+2, r.y+1, "no threshold judged yet", dim, min(r.w-4, rows*r.w))
		return
	}
	if more := r.y + 2 + len(ts); more+1 < r.y+r.h-1 && more+1 < d.f.h {
		verdict, st := d.ifStopped()
		d.f.text(r.x+2, more, cut("verdict if stopped now: "+verdict, r.w-4, d.f.ascii), st, r.w-4)
		d.f.text(r.x+2, more+1, cut(d.firstMiss(), r.w-4, d.f.ascii), plain, r.w-4)
	}
	for i, t := range ts {
		if i >= rows {
			return
		}
		y := r.y + 1 + i
		if i == rows-1 && len(ts) > rows {
			d.f.text(r.x+2, y, fmt.Sprintf("and %d more: 6, then enter", len(ts)-i), dim, r.w-4)
			return
		}
		word, st := d.mark(t.State)
		state := stateWord(t.State, replays(d.s.Info))
		end := r.x + r.w - 2
		if state != "open" {
			end = d.f.right(end, y, clock(t.At, d.s.End), dim, r.w-4) - 2
		}
		x := d.f.text(r.x+2, y, fmt.Sprintf("%-2s %-7s ", word, state), st, end-r.x-2)
		x = d.f.text(x, y, t.ID, strong, end-x)
		text := without(t.ID, t.Text)
		if room := end - x - 2; width(text, d.f.ascii) > room { // the metric's name goes first: what was measured matters
			if _, rest, ok := strings.Cut(text, " "); ok {
				text = rest
			}
			if i := strings.LastIndex(text, ": "); i >= 0 && width(text, d.f.ascii) > room {
				text = text[i+2:]
			}
		}
		d.f.text(x+2, y, cut(text, max(end-x-2, 0), d.f.ascii), plain, end-x-2)
	}
}

// without is a threshold's text without its ID in front.
func without(id, text string) string {
	if rest, ok := strings.CutPrefix(text, id); ok && (rest == "" || rest[0] == ' ' || rest[0] == ':') {
		text = strings.TrimLeft(rest, " :")
	}
	return strings.TrimSpace(text)
}

// firstMiss says when a threshold was missed first, and after which intervention.
func (d *drawing) firstMiss() string {
	number, at := 0, time.Duration(0)
	for _, e := range d.s.Events {
		if e.Number > 0 {
			number, at = e.Number, e.At
		}
		if e.Kind == "threshold" && e.State == "missed" {
			text := "first miss " + clock(e.At, d.s.End)
			if number > 0 {
				text += fmt.Sprintf(", %s after event %d", short((e.At - at).Seconds()), number)
			}
			return text
		}
	}
	return ""
}

// rows is how many lines fit into a box.
func (d *drawing) rows(r rect) int { return max(min(r.h-2, d.f.h-r.y-2), 0) }

// errorTable draws panel 7.
func (d *drawing) errorTable(r rect) {
	d.box(r, pErrors, "Errors code, total, per s")
	rows := d.rows(r)
	if len(d.s.Errors) == 0 {
		d.f.text(r.x+2, r.y+1, "none so far", dim, min(r.w-4, rows*r.w))
		return
	}
	top := 0.0
	for _, e := range d.s.Errors {
		top = max(top, zero(e.Rate))
	}
	wide := r.w >= 56
	nameEnd, totalEnd, rateEnd := r.x+r.w-23, r.x+r.w-14, r.x+r.w-6
	if wide {
		nameEnd, totalEnd, rateEnd = r.x+r.w-36, r.x+r.w-27, r.x+r.w-19
	}
	for i, e := range d.s.Errors {
		if i >= rows {
			return
		}
		y := r.y + 1 + i
		st := plain
		if e.Class == ambiguous {
			st = warn
		}
		d.f.text(r.x+2, y, cut(e.Code+" "+e.Name, nameEnd-r.x-3, d.f.ascii), st, nameEnd-r.x-3)
		d.f.right(totalEnd, y, tight(e.Total), plain, 8)
		d.f.right(rateEnd, y, number(e.Rate), strong, 7)
		if wide {
			d.f.text(rateEnd+2, y, e.Class, dim, 15)
			continue
		}
		bar := 0
		if top > 0 {
			bar = int(math.Ceil(zero(e.Rate) / top * 3))
		}
		d.f.text(rateEnd+1, y, strings.Repeat("#", min(max(bar, 0), 3)), st, 3)
	}
}

// tight prints a count in at most eight cells.
func tight(v float64) string {
	if v < 1e6 {
		return count(v)
	}
	return number(v)
}

// replicaTable draws panel 8: the services' resources as they are now.
func (d *drawing) replicaTable(r rect) {
	d.box(r, pReplicas, "Replicas and resources")
	v := func(name string) float64 { x, ok := d.s.Values[name]; return nanUnless(x, ok) }
	limit := "none"
	if x := v(record.GRateLimit); x > 0 {
		limit = number(x) + "/s"
	}
	lines := []struct {
		text string
		st   style
	}{
		{"service    cpu cores   memory       replicas", dim},
		{fmt.Sprintf("whatsapp   %-9s   %-10s   %s ready", number(v(record.GWhatsAppCPU)), bytesText(v(record.GWhatsAppMem)), number(v(record.GReplicasReady))), plain},
		{fmt.Sprintf("drafts     %-9s   %-10s", number(v(record.GDraftsCPU)), bytesText(v(record.GDraftsMem))), plain},
		{fmt.Sprintf("wanted %s   ceiling %s", number(v(record.GReplicasWant)), number(v(record.GReplicasMax))), wantedStyle(v(record.GReplicasWant), v(record.GReplicasMax))},
		{fmt.Sprintf("rate limit %s   wasted work %s", limit, percent(v(dWaste))), plain},
		{fmt.Sprintf("answer p99 %s   send p99 %s", seconds(v(record.GResponseP99)), seconds(v(record.GSendP99))), plain},
		{fmt.Sprintf("sent twice %s   copies %s   expired %s", count(v(record.GDuplicated)), count(v(record.GDuplicates)), count(v(record.GExpired))), plain},
	}
	for i, l := range lines[:min(d.rows(r), len(lines))] {
		d.f.text(r.x+2, r.y+1+i, cut(l.text, r.w-4, d.f.ascii), l.st, r.w-4)
	}
}

func wantedStyle(want, ceiling float64) style {
	if want > ceiling {
		return warn
	}
	return plain
}

// eventTable draws the story: the latest events at the bottom, or around the picked one.
func (d *drawing) eventTable(r rect, pick int, filter string) {
	title := "Events"
	if filter != "" {
		title = fmt.Sprintf("Events with %q", filter)
	}
	d.box(r, 0, title)
	events := filterEvents(d.s.Events, filter)
	rows := d.rows(r)
	if len(events) == 0 {
		d.f.text(r.x+2, r.y+1, "none yet", dim, min(r.w-4, rows*r.w))
		return
	}
	first := max(len(events)-rows, 0)
	if pick >= 0 {
		pick = min(pick, len(events)-1)
		first = min(max(pick-rows/2, 0), first)
	}
	for i := range min(rows, len(events)) {
		e := events[first+i]
		st := d.eventStyle(e)
		if first+i == pick {
			st = inverse
			d.f.text(r.x+1, r.y+1+i, ">", st, 1)
		}
		d.f.text(r.x+2, r.y+1+i, cut(eventText(e, d.s.End, replays(d.s.Info)), r.w-4, d.f.ascii), st, r.w-4)
	}
}

// eventText is an event on one line: when, its number, who, what.
func eventText(e record.Event, end time.Duration, replay bool) string {
	n := "  "
	if e.Number > 0 {
		n = fmt.Sprintf("%-2d", e.Number)
	}
	text := e.Text
	if e.Kind == "threshold" {
		text = strings.ToUpper(e.State) + " " + e.ID
		if replay {
			text = strings.ToUpper(stateWord(e.State, true)) + " " + e.ID
		}
		if rest := without(e.ID, e.Text); rest != "" {
			text += ": " + rest
		}
	}
	if e.Kind == "mark" {
		text = "mark: " + text
	}
	return fmt.Sprintf("%s %s %-9s %s", clock(e.At, end), n, e.Source, text)
}

func (d *drawing) eventStyle(e record.Event) style {
	switch {
	case e.Kind == "threshold" && replays(d.s.Info) && e.State != "invalid":
		return plain
	case e.Kind == "threshold" && e.State == "missed", e.Kind == "threshold" && e.State == "invalid":
		return bad
	case e.Kind == "threshold" && e.State == "met":
		return good
	case e.Kind == "warning", e.Kind == "fault":
		return warn
	case e.Number > 0 || e.Kind == "mark":
		return strong
	}
	return plain
}
