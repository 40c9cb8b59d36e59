package dash

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// piece is a part of a line. Where a line is too short, pieces of the lowest weight go first.
type piece struct {
	text   string
	style  style
	weight int
}

// line writes pieces from the left and from the right, gap cells apart, as many as fit.
func (d *drawing) line(y, gap int, left, right []piece) {
	keep := func(ps []piece) []piece {
		out := make([]piece, 0, len(ps))
		for _, p := range ps {
			if p.text != "" {
				out = append(out, p)
			}
		}
		return out
	}
	left, right = keep(left), keep(right)
	total := func() int {
		n := 0
		for _, p := range append(append([]piece{}, left...), right...) {
			n += width(p.text, d.f.ascii) + gap
		}
		return n - gap
	}
	for len(left)+len(right) > 1 && total() > d.f.w {
		side, at, least := &left, -1, 1<<30
		for _, s := range []*[]piece{&left, &right} {
			for i, p := range *s {
				if p.weight <= least {
					side, at, least = s, i, p.weight
				}
			}
		}
		*side = append((*side)[:at:at], (*side)[at+1:]...)
	}
	x := 0
	for _, p := range left {
		x = d.f.text(x, y, p.text, p.style, d.f.w-x) + gap
	}
	end := d.f.w
	for i := len(right) - 1; i >= 0; i-- {
		end = d.f.right(end, y, right[i].text, right[i].style, max(end-x+gap, 0)) - gap
	}
}

// identity is the first line: what is running, and whether the picture is fresh.
func (d *drawing) identity(y int) {
	s := &d.s
	name := s.Info.Scenario.Name
	if name == "" {
		name = "(no run yet)"
	}
	sc := s.Info.Scenario
	how := strings.Trim(strings.Join(append([]string{sc.Preset}, sc.Variants...), "+"), "+")
	title := ""
	if sc.Title != "" {
		title = strconv.Quote(sc.Title)
	}
	state, stateStyle := d.state()
	where := strings.Trim(s.Info.Clock+" "+s.Info.Environment+" "+s.Info.Queue, " ")
	late := ""
	if v, ok := s.Values[record.GLateness]; ok {
		late = "lateness p99 " + seconds(v)
	}
	viewers := ""
	if s.Status.Viewers > 1 {
		viewers = fmt.Sprintf("viewers %d", s.Status.Viewers)
	}
	sha := ""
	if len(sc.SHA256) >= 6 && d.f.w >= 160 {
		sha = "scenario " + sc.SHA256[:6]
	}
	position := clock(s.Now, s.End) + "/" + clock(s.End, s.End)
	if s.End > 0 && d.f.w >= 100 {
		position += fmt.Sprintf(" (%.0f %%)", min(max(float64(s.Now)/float64(s.End), 0), 1)*100)
	}
	d.line(y, 2, []piece{
		{"replay " + name, strong, 90},
		{title, plain, 10},
		{how, plain, 35},
		{fmt.Sprintf("seed %d", sc.Seed), plain, 40},
		{sha, dim, 8},
		{state, stateStyle, 100},
		{position, plain, 95},
		{d.speed(), plain, 45},
		{d.freshness(), d.freshStyle(), 80},
		{where, dim, 20},
		{late, dim, 12},
		{viewers, dim, 15},
	}, []piece{d.scorePiece()})
}

// state is the word for what the view does.
func (d *drawing) state() (string, style) {
	v := &d.s.View
	switch {
	case v.Held && v.HeldFor > 0:
		return "HELD " + clock(v.HeldFor, 0), badge
	case v.Held:
		return "HELD", badge
	case v.Play:
		return "PLAY", strong
	case d.s.Link.Behind:
		return "CATCHING UP", badge
	case d.s.Link.Live && d.s.Status.Paused:
		return "PAUSED", badge
	case d.s.Link.Live:
		return "RUN", strong
	case d.s.Link.Judging:
		return "JUDGING", strong
	case d.s.Info.State == record.Interrupted:
		return "INTERRUPTED", warn
	case d.s.Info.State == record.Broken:
		return "FAILED", bad
	case d.s.Info.ID == "":
		return "WAITING", warn
	}
	return "ENDED", strong
}

func (d *drawing) speed() string {
	switch {
	case d.s.View.Play:
		return "x" + number(d.s.View.Rate)
	case d.s.Status.Speed > 0:
		return "x" + number(d.s.Status.Speed)
	case d.s.Info.Compress > 1:
		return "compressed " + number(d.s.Info.Compress)
	}
	return ""
}

// freshness says how old the stream is: words, because a colour can be missed.
func (d *drawing) freshness() string {
	l := d.s.Link
	switch {
	case l.Lost != "":
		return "LOST (reconnecting)"
	case !l.Live || d.s.Status.Paused || l.Behind:
		return ""
	case l.Age >= lagAfter:
		return "LAG " + seconds(l.Age.Seconds())
	}
	return "LIVE " + strconv.FormatFloat(max(l.Age, 0).Round(100*time.Millisecond).Seconds(), 'f', 1, 64) + " s"
}

// lagAfter is when a stream that says nothing is called lagging; wall-time runs are read every ten seconds.
const lagAfter = 25 * time.Second

func (d *drawing) freshStyle() style {
	if d.s.Link.Lost != "" || (d.s.Link.Live && d.s.Link.Age >= lagAfter && !d.s.Status.Paused) {
		return badge
	}
	return good
}

// sentence is the second line: are things getting better?
func (d *drawing) sentence(y int) {
	v := d.s.Verdict
	st := strong
	head := "BACKLOG " + string(v.Trend)
	switch v.Trend {
	case Growing:
		st = bad
	case Draining, Empty:
		st = good
	case Steady:
		st = strong
	default:
		head = "BACKLOG no reading yet"
	}
	if v.Trend == Growing || v.Trend == Draining {
		head += " " + signed(v.Slope) + "/s"
	}
	if v.Trend == Steady && v.Backlog > 0 {
		head += " at " + number(v.Backlog)
	}
	left, gap, amplified := []piece{{head, st, 100}}, 3, "amplification "
	if d.f.w < 100 {
		gap, amplified = 2, "amplified "
	}
	if v.Trend != Unknown {
		eta := v.ETA()
		if d.f.w < 100 { // the reason is in the trend
			eta, _, _ = strings.Cut(eta, " at ")
			eta, _, _ = strings.Cut(eta, ",")
		}
		left = append(left,
			piece{"oldest " + age(v.Oldest), plain, 90},
			piece{"drain ETA: " + eta, plain, 80})
	}
	if v.Amplification > 0 {
		left = append(left, piece{amplified + times(v.Amplification), amplifiedStyle(v.Amplification), 70})
	}
	if v.Offered > 0 && v.Goodput >= 0 {
		left = append(left, piece{fmt.Sprintf("goodput %s/s of %s/s offered (%s)", number(v.Goodput), number(v.Offered),
			percent(v.Goodput/v.Offered)), plain, 60})
	}
	d.line(y, gap, left, nil)
}

func amplifiedStyle(v float64) style {
	if v >= 1.5 {
		return warn
	}
	return plain
}

// foot is the last line: what is being asked, what was just done, or the keys.
func (d *drawing) foot(y int) {
	v := &d.s.View
	switch {
	case v.Prompt != "":
		x := d.f.text(0, y, v.Prompt+" ", strong, d.f.w)
		shown := v.Input
		for width(shown, d.f.ascii) > max(d.f.w-x-2, 0) && shown != "" {
			_, n := firstRune(shown)
			shown = shown[n:]
		}
		x = d.f.text(x, y, shown, plain, d.f.w-x-1)
		d.f.set(x, y, '_', inverse)
	case v.Notice != "":
		d.f.text(0, y, v.Notice, strong, d.f.w)
	case v.Overlay == EventsOverlay || v.Overlay == MenuOverlay:
		d.line(y, 3, []piece{{"up/down choose", dim, 90}, {"enter takes it", dim, 80}, {"/ filter", dim, 50}, {"esc back", dim, 100}}, nil)
	default:
		d.help(y)
	}
}

func firstRune(s string) (rune, int) {
	for i, r := range s {
		if i > 0 {
			return r, i
		}
	}
	return 0, len(s)
}

// help writes the keys that matter most, as many as fit.
func (d *drawing) help(y int) {
	steer := ""
	if d.s.View.Steers {
		steer = "p pause   x abort   i act"
	} else if d.s.View.CanSteer {
		steer = "o control"
	}
	gap := 2
	if d.f.w >= 110 {
		gap = 3
	}
	d.line(y, gap, []piece{
		{"? help", dim, 100}, {"space freeze", dim, 85}, {"tab panel", dim, 75}, {"enter zoom", dim, 60},
		{"e events", dim, 80}, {"[ ] scrub", dim, 70}, {"+/- window", dim, 50}, {"g/G start/now", dim, 30},
		{"m mark", dim, 40}, {"b baseline", dim, 20}, {steer, dim, 55}, {"d detach", dim, 65},
		{"q quit", dim, 90},
	}, nil)
}
