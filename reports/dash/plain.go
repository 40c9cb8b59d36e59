package dash

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// runPlain writes lines to Err: one with the state of the run now and then, one for each event and each change of a
// threshold at once.
func runPlain(ctx context.Context, o Options) error {
	w := &lines{out: o.Err, history: NewHistory(), every: o.Every, since: o.Since, github: o.GitHub, now: time.Now}
	items := make(chan Item)
	failed := make(chan error, 1)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer close(items)
		for it, err := range Paced(o.Source, o.Speed).Items(ctx, "") {
			if err != nil {
				failed <- fmt.Errorf("follow the run: %w", err)
				return
			}
			select {
			case items <- it:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { // wait for the reader
		stop()
		for range items {
		}
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case it, ok := <-items:
			if !ok {
				select {
				case err := <-failed:
					return err
				default:
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				w.end()
				return w.err
			}
			w.item(it)
		case <-tick.C:
			w.due(false)
		}
		if w.err != nil {
			return fmt.Errorf("write the run's lines: %w", w.err)
		}
	}
}

// lines decides what is said of a run in plain lines, and when.
type lines struct {
	out     io.Writer
	history *History
	every   time.Duration // Options.Every
	since   time.Duration // Options.Since
	github  bool
	now     func() time.Time
	err     error

	began   time.Time
	last    time.Time     // of the last line of state
	shown   time.Duration // instant of the last line of state
	states  map[string]string
	burst   int // event lines since the last line of state
	skipped int
	lost    bool
	named   bool // the run was introduced
}

// maxBurst bounds the event lines between two lines of state; changes of thresholds and numbered interventions are
// never left out.
const maxBurst = 20

// item takes one item and says what cannot wait.
func (l *lines) item(it Item) {
	if l.began.IsZero() {
		l.began = l.now()
		l.states = map[string]string{}
	}
	if lost := it.Lost != ""; lost != l.lost {
		l.lost = lost
		if lost {
			l.say("lost reason=" + quoted(it.Lost))
		} else {
			l.say("found")
		}
	}
	l.history.Feed(it)
	switch {
	case it.Info != nil && !l.named && l.since == 0:
		l.named = true
		i := it.Info
		l.say(fmt.Sprintf("run id=%s scenario=%s seed=%d clock=%s env=%s queue=%s", word(i.ID), word(i.Scenario.Name),
			i.Scenario.Seed, word(i.Clock), word(i.Environment), word(i.Queue)))
	case it.Event != nil:
		l.event(*it.Event)
	case it.Gauge != nil:
		l.due(false)
	}
}

// seen reports whether an instant is left out.
func (l *lines) seen(at time.Duration) bool { return l.since > 0 && at <= l.since }

// period is the distance of lines of state: 10 s in the first ten minutes, 30 s in the first hour, then a minute.
func (l *lines) period() time.Duration {
	if l.every > 0 {
		return l.every
	}
	switch ran := l.now().Sub(l.began); {
	case ran < 10*time.Minute:
		return 10 * time.Second
	case ran < time.Hour:
		return 30 * time.Second
	}
	return time.Minute
}

// due writes the line of state when its time has come, or in any case.
func (l *lines) due(always bool) {
	h := l.history
	if len(h.table.at) == 0 || l.seen(h.newest) || (l.every < 0 && !always) {
		return
	}
	now := l.now()
	if !always && !l.last.IsZero() && now.Sub(l.last) < l.period() {
		return
	}
	l.last, l.shown = now, h.newest
	if l.skipped > 0 {
		l.say(fmt.Sprintf("events skipped=%d", l.skipped))
	}
	l.burst, l.skipped = 0, 0
	l.say(l.state())
}

// state is the run at its newest instant. Keys come in this order, always all of them.
func (l *lines) state() string {
	h := l.history
	s := h.Snapshot(h.newest, h.newest, h.newest, h.newest, nil)
	value := func(name string) float64 {
		v, ok := s.Values[name]
		return nanUnless(v, ok)
	}
	rate := func(v float64) string {
		if math.IsNaN(v) {
			return "-"
		}
		return trim(strconv.FormatFloat(v, 'f', 2, 64)) + "/s"
	}
	whole := func(v float64) string {
		if math.IsNaN(v) {
			return "-"
		}
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	slope := rate(s.Verdict.Slope)
	if s.Verdict.Slope > 0 && slope != "0/s" {
		slope = "+" + slope
	}
	drain := "never"
	switch d, ok := s.Verdict.Drain(); {
	case ok:
		drain = short(d.Seconds())
	case s.Verdict.Trend == Unknown || s.Verdict.Trend == Steady:
		drain = "-"
	}
	top := "-"
	if len(s.Errors) > 0 && s.Errors[0].Rate > 0 {
		e := s.Errors[0]
		top = word(e.Code) + ":" + rate(e.Rate)
	}
	sc := score(s.Thresholds)
	slo := "pending"
	switch {
	case sc.missed > 0:
		slo = "missed"
	case sc.invalid > 0:
		slo = "invalid"
	case sc.open == 0:
		slo = "met"
	}
	if slo = fmt.Sprintf("%s:%d/%d", slo, sc.met, sc.all()); sc.all() == 0 {
		slo = "-"
	}
	tight := func(v string) string { return strings.ReplaceAll(v, " ", "") }
	return fmt.Sprintf("t=%s trend=%s offered=%s accepted=%s delivered=%s backlog=%s slope=%s oldest=%s drain=%s inflight=%s amp=%s p50=%s p99=%s replicas=%s duplicates=%s copies=%s expired=%s top_error=%s slo=%s",
		hms(h.newest), strings.ToLower(strings.ReplaceAll(string(s.Verdict.Trend), " ", "-")),
		rate(value(dOffered)), rate(value(dGoodput)), rate(value(dDelivered)),
		whole(s.Verdict.Backlog), slope, tight(seconds(s.Verdict.Oldest)), drain,
		whole(value(record.GInFlight)), number(s.Verdict.Amplification),
		tight(seconds(value(record.GDeliveryP50))), tight(seconds(value(record.GDeliveryP99))),
		whole(value(record.GReplicasReady)), whole(value(record.GDuplicated)), whole(value(record.GDuplicates)), whole(value(record.GExpired)), top, slo)
}

// event says what happened, at once.
func (l *lines) event(e record.Event) {
	if e.Kind == "threshold" {
		before := l.states[e.ID]
		l.states[e.ID] = e.State
		if before == e.State || (before == "" && e.State == "pending") {
			return
		}
		what := map[string]string{"missed": "breach", "invalid": "breach", "met": "met"}[e.State]
		if before == "missed" && e.State != "missed" {
			what = "recover"
		}
		if what == "" {
			what = "open"
		}
		if l.seen(e.At) && what != "breach" {
			return
		}
		line := fmt.Sprintf("slo %s name=%s state=%s t=%s text=%s", what, word(e.ID), word(e.State), hms(e.At), quoted(e.Text))
		if n := l.cause(e.At); n > 0 {
			line += fmt.Sprintf(" after_event=%d", n)
		}
		l.say(line)
		if l.github && what == "breach" {
			level := "error"
			if replays(l.history.info) && e.State == "missed" {
				level = "notice"
			}
			l.say("::" + level + " title=" + escapeGitHub("SLO "+e.ID, true) + "::" + escapeGitHub(e.Text, false))
		}
		return
	}
	if l.seen(e.At) {
		return
	}
	if e.Number == 0 {
		if l.burst >= maxBurst {
			l.skipped++
			return
		}
		l.burst++
	}
	n := ""
	if e.Number > 0 {
		n = fmt.Sprintf(" n=%d", e.Number)
	}
	l.say(fmt.Sprintf("event%s t=%s kind=%s source=%s text=%s", n, hms(e.At), word(e.Kind), word(e.Source), quoted(e.Text)))
}

// cause is the number of the last intervention before an instant.
func (l *lines) cause(at time.Duration) int {
	n := 0
	for _, e := range l.history.events {
		if e.Number > 0 && e.At <= at {
			n = e.Number
		}
	}
	return n
}

// end writes how the run ended.
func (l *lines) end() {
	if l.began.IsZero() {
		return
	}
	if l.history.newest > l.shown || l.last.IsZero() {
		l.due(true)
	}
	s := score(thresholds(l.history.events))
	l.say(fmt.Sprintf("end state=%s t=%s slo_met=%d slo_missed=%d slo_invalid=%d slo_open=%d", word(l.history.info.State), hms(l.history.newest),
		s.met, s.missed, s.invalid, s.open))
}

func (l *lines) say(s string) {
	if l.err == nil {
		_, l.err = fmt.Fprintln(l.out, s)
	}
}

// hms is an instant as hh:mm:ss.
func hms(d time.Duration) string {
	s := int64(max(d, 0) / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

// word is a value without spaces, "-" for nothing, so that a line splits at its spaces.
func word(s string) string {
	if s == "" {
		return "-"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == '=' || r > '~' }) {
		return quoted(s)
	}
	return s
}

// quoted is a text on one line, in quotes, without control characters.
func quoted(s string) string { return strconv.Quote(s) }

// escapeGitHub makes a text safe inside a workflow command.
func escapeGitHub(s string, property bool) string {
	s = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
	if property {
		s = strings.NewReplacer(":", "%3A", ",", "%2C").Replace(s)
	}
	return s
}
