package dash

import "fmt"

// overlay covers the charts with a list; the verdict stays in sight.
func (d *drawing) overlay() {
	d.frameLines()
	r := rect{0, 2, d.f.w, d.f.h - 3}
	switch d.s.View.Overlay {
	case HelpOverlay:
		d.helpScreen(r)
	case EventsOverlay:
		d.eventTable(r, max(d.s.View.Pick, 0), d.s.View.Filter)
	case MenuOverlay:
		d.menu(r)
	}
}

// helpScreen lists every key, in as many columns as are needed and fit.
func (d *drawing) helpScreen(r rect) {
	d.box(r, 0, "Keys")
	rows := d.rows(r)
	if rows == 0 {
		return
	}
	keys := d.s.View.Keys
	fit := max((r.w-4)/34, 1)
	cols := min(max((len(keys)+rows-1)/rows, 1), fit)
	own := cols < fit // the signs have a column of their own, or what is left of the last
	w := (r.w - 4) / cols
	if own {
		w = (r.w - 4) / (cols + 1)
	}
	for i, k := range keys {
		col, row := i/rows, i%rows
		if col >= cols {
			return
		}
		x, y := r.x+2+col*w, r.y+1+row
		d.f.text(x, y, fmt.Sprintf("%-12s", k.Key), strong, w)
		d.f.text(x+13, y, cut(k.Does, w-14, d.f.ascii), plain, w-14)
	}
	x, first := r.x+2+(cols-1)*w, len(keys)-(cols-1)*rows+1
	if own {
		x, first = r.x+2+cols*w, 0
	}
	for i, line := range signs() {
		if first+i < rows {
			d.f.text(x, r.y+1+first+i, cut(line, w-1, d.f.ascii), dim, w-1)
		}
	}
}

// signs explains what the screen does not say itself.
func signs() []string {
	return []string{
		"Signs",
		"ok met, x missed, -- open, ! invalid",
		"1 2 3 interventions, in each chart",
		"EVT n note, f fault, m mark, x missed",
		"letters at a line's end: its name",
		"o offered, a accepted, d delivered",
		"l the sender's rate limit",
	}
}

// menu lists the interventions that can be applied.
func (d *drawing) menu(r rect) {
	d.box(r, 0, "Interventions: enter applies now, esc goes back")
	rows := d.rows(r)
	pick := min(max(d.s.View.Pick, 0), max(len(d.s.View.Menu)-1, 0))
	first := min(max(pick-rows/2, 0), max(len(d.s.View.Menu)-rows, 0))
	for i := range min(rows, len(d.s.View.Menu)) {
		st, lead := plain, "  "
		if first+i == pick {
			st, lead = inverse, "> "
		}
		d.f.text(r.x+1, r.y+1+i, lead+cut(d.s.View.Menu[first+i], r.w-6, d.f.ascii), st, r.w-3)
	}
}
