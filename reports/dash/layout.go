package dash

import "github.com/aftershock-dev/aftershock/reports/record"

// drawing is one screen being drawn.
type drawing struct {
	f       *frame
	s       Snapshot
	caps    Capabilities
	numbers []record.Event
}

// Render draws one screen: height lines of exactly width cells each, without a newline at the end. It is a pure
// function, and takes any snapshot and any size.
func Render(s Snapshot, width, height int, caps Capabilities) string {
	return draw(s, width, height, caps).String(caps.Color)
}

func draw(s Snapshot, width, height int, caps Capabilities) *frame {
	d := &drawing{f: newFrame(width, height, caps.Glyphs == ASCII), s: s, caps: caps}
	d.sane()
	w, h := d.f.w, d.f.h
	switch {
	case w == 0 || h == 0:
	case w < 40 || h < 10:
		d.single()
	case s.View.Overlay != NoOverlay:
		d.overlay()
	case s.View.Zoom && s.View.Focus > 0:
		d.zoomed()
	case w < 80 || h < 24:
		d.compact()
	case w >= 180 && h >= 50:
		d.large()
	case w >= 110:
		d.medium()
	default:
		d.small()
	}
	return d.f
}

// sane repairs what no picture can be drawn from.
func (d *drawing) sane() {
	s := &d.s
	s.End = min(max(s.End, 0), farAway)
	s.Now = min(max(s.Now, -farAway), farAway)
	s.Seen = min(max(s.Seen, -farAway), farAway)
	s.From = min(max(s.From, -farAway), farAway)
	s.To = min(max(s.To, -farAway), farAway)
	if s.View.Focus < 0 || s.View.Focus > panels {
		s.View.Focus = 0
	}
}

// frameLines draws the first two lines and the last one, which every layout has.
func (d *drawing) frameLines() {
	d.identity(0)
	d.sentence(1)
	d.foot(d.f.h - 1)
}

// single is for windows that are hardly there: the verdict, and nothing that could wrap.
func (d *drawing) single() {
	v := d.s.Verdict
	trend, slope, lost, missed := string(v.Trend), "", "", ""
	if v.Trend == Growing || v.Trend == Draining {
		slope = signed(v.Slope) + "/s"
	}
	if d.s.Link.Lost != "" {
		lost = "LOST"
	}
	if n := score(d.s.Thresholds).missed; n > 0 {
		missed = number(float64(n)) + " " + stateWord("missed", replays(d.s.Info))
	}
	d.line(0, 1, []piece{{lost, plain, 95}, {trend, plain, 100}, {slope, plain, 80}, {clock(d.s.Now, d.s.End), plain, 60}, {missed, plain, 90}}, nil)
}

// compact shows one chart; tab chooses it.
func (d *drawing) compact() {
	d.frameLines()
	d.panel(rect{0, 2, d.f.w, d.f.h - 4}, d.focusOr(pRate))
	d.thresholdLines(d.f.h-2, 1)
}

func (d *drawing) focusOr(panel int) int {
	if f := d.s.View.Focus; f > 0 {
		return f
	}
	return panel
}

// small is 80x24: rate, backlog and delivery time, the rest in words.
func (d *drawing) small() {
	w, h := d.f.w, d.f.h
	d.frameLines()
	rows := share(h-8, []int{7, 7}, []int{2, 0})
	y := 2
	d.panel(rect{0, y, w, rows[0]}, pRate)
	y += rows[0]
	d.pair(y, rows[1], w, pBacklog, pLatency)
	y += rows[1]
	d.thresholdLines(y, 2)
	d.errorLine(y + 2)
	d.eventLane(y + 3)
	d.story(y + 4)
}

// medium is 120x40. Where it is lower, in flight and amplification go first.
func (d *drawing) medium() {
	w, h := d.f.w, d.f.h
	d.frameLines()
	room := h - 5
	y := 2
	if room < 26 {
		rows := share(room, []int{7, 7, 5}, []int{2, 1, 0})
		d.panel(rect{0, y, w, rows[0]}, pRate)
		d.pair(y+rows[0], rows[1], w, pBacklog, pLatency)
		d.tables(y+rows[0]+rows[1], rows[2], w)
	} else {
		rows := share(room, []int{7, 7, 6, 6}, []int{5, 2, 2, 0})
		d.panel(rect{0, y, w, rows[0]}, pRate)
		y += rows[0]
		d.pair(y, rows[1], w, pBacklog, pLatency)
		y += rows[1]
		d.pair(y, rows[2], w, pInFlight, pAmplified)
		y += rows[2]
		d.tables(y, rows[3], w)
	}
	d.eventLane(h - 3)
	d.story(h - 2)
}

// tables draws thresholds and errors side by side, and the replicas where there is room for a third.
func (d *drawing) tables(y, h, w int) {
	left := w * 6 / 10
	if w >= 160 {
		left = w * 4 / 10
		mid := w * 3 / 10
		d.panel(rect{left + mid, y, w - left - mid, h}, pReplicas)
		d.panel(rect{left, y, mid, h}, pErrors)
	} else {
		d.panel(rect{left, y, w - left, h}, pErrors)
	}
	d.panel(rect{0, y, left, h}, pThresholds)
}

// large is 200x60: seven charts at the left, tables at the right, the whole plan below.
func (d *drawing) large() {
	w, h := d.f.w, d.f.h
	d.frameLines()
	right := 60
	left := w - right
	room := h - 2 - 6 - 2
	y := 2
	rows := share(room, []int{10, 9, 9, 9}, []int{3, 3, 3, 2})
	top := y
	d.panel(rect{0, y, left, rows[0]}, pRate)
	y += rows[0]
	d.pair(y, rows[1], left, pBacklog, pOldest)
	y += rows[1]
	d.panel(rect{0, y, left, rows[2]}, pLatency)
	y += rows[2]
	d.pair(y, rows[3], left, pInFlight, pAmplified)
	y += rows[3]

	side := []int{min(len(d.s.Thresholds)+5, room/3), min(len(d.s.Errors)+3, room/4), 9, 0}
	side[3] = room - side[0] - side[1] - side[2]
	for i, p := range []int{pThresholds, pErrors, pReplicas} {
		d.panel(rect{left, top, right, side[i]}, p)
		top += side[i]
	}
	d.eventTable(rect{left, top, right, side[3]}, -1, d.s.View.Filter)

	d.timeline(rect{0, y, w, 6})
	d.status(h - 2)
}

// status is the line of the largest layout that says how the run is watched.
func (d *drawing) status(y int) {
	v := &d.s.View
	base := "no baseline"
	switch {
	case v.HasBase && v.Baseline:
		base = "baseline drawn faint (b hides it)"
	case v.HasBase:
		base = "baseline hidden (b shows it)"
	}
	steer := "looking only"
	switch {
	case v.Steers:
		steer = "in control: p pause, x abort, i interventions"
	case v.CanSteer:
		steer = "looking only (o takes control)"
	}
	attached := ""
	if v.Attached != "" {
		attached = "attached: " + v.Attached
	}
	d.line(y, 3, []piece{
		{base, dim, 40},
		{"window " + clock(d.s.To-d.s.From, d.s.To-d.s.From) + ", highest kept", dim, 30},
		{attached, dim, 50},
		{steer, dim, 60},
	}, nil)
}

// zoomed gives the focused panel the whole screen.
func (d *drawing) zoomed() {
	d.frameLines()
	r := rect{0, 2, d.f.w, d.f.h - 4}
	var own []chart
	for _, c := range charts() {
		if c.panel == d.s.View.Focus {
			own = append(own, c)
		}
	}
	d.eventLane(d.f.h - 2)
	switch d.s.View.Focus {
	case pThresholds:
		d.thresholdTable(r)
		return
	case pErrors, pReplicas:
		table := min(9, r.h/3)
		if d.s.View.Focus == pErrors {
			table = r.h / 2
			d.errorTable(rect{r.x, r.y, r.w, table})
		} else {
			d.replicaTable(rect{r.x, r.y, r.w, table})
		}
		r.y, r.h = r.y+table, r.h-table
	}
	n := min(len(own), max(r.h/5, 1))
	heights := share(r.h, make([]int, n), ones(n))
	for i, c := range own[:n] {
		d.chart(rect{r.x, r.y, r.w, heights[i]}, c)
		r.y += heights[i]
	}
}

// panel draws a panel, whatever it is.
func (d *drawing) panel(r rect, panel int) {
	switch panel {
	case pThresholds:
		d.thresholdTable(r)
	case pErrors:
		d.errorTable(r)
	case pReplicas:
		d.replicaTable(r)
	default:
		if c, ok := chartOf(panel); ok {
			d.chart(r, c)
		}
	}
}

// pair draws two panels side by side.
func (d *drawing) pair(y, h, w, a, b int) {
	d.panel(rect{0, y, w / 2, h}, a)
	d.panel(rect{w / 2, y, w - w/2, h}, b)
}

// share divides rows: everyone gets its least, what is left goes by weight, the remainder to the first.
func share(total int, least, weight []int) []int {
	out := append([]int{}, least...)
	sum, weights := 0, 0
	for i := range out {
		sum += out[i]
		weights += weight[i]
	}
	left := max(total-sum, 0)
	given := 0
	for i := range out {
		if weights > 0 {
			n := left * weight[i] / weights
			out[i] += n
			given += n
		}
	}
	if len(out) > 0 {
		out[0] += left - given
	}
	return out
}

func ones(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = 1
	}
	return out
}
