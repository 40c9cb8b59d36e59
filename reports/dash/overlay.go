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
	cols := min(max((len(keys)+rows-1)/rows, 1), max((r.w-4)/34, 1))
	w := (r.w - 4) / cols
	for i, k := range keys {
		col, row := i/rows, i%rows
		if col >= cols {
			return
		}
		x, y := r.x+2+col*w, r.y+1+row
		d.f.text(x, y, fmt.Sprintf("%-12s", k.Key), strong, w)
		d.f.text(x+13, y, cut(k.Does, w-14, d.f.ascii), plain, w-14)
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
