package dash

import (
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Snapshot is all that one screen shows, as plain data. Render needs nothing else, and takes any values.
type Snapshot struct {
	Info       record.Info
	Now        time.Duration     // the instant shown
	Seen       time.Duration     // charts draw what happened up to here; later than Now while scrubbing
	End        time.Duration     // where the plan ends
	From, To   time.Duration     // what charts show
	Series     map[string]Series // by gauge, or by the name of a computed value
	Base       map[string]Series // the same of the baseline, when there is one
	Values     map[string]float64
	Verdict    Verdict
	Events     []record.Event // up to Now
	Ahead      []record.Event // planned, after Now
	Thresholds []Threshold
	Errors     []ErrorRow
	Link       Link
	Status     Status
	View       View
}

// Threshold is where one line of the scenario stands.
type Threshold struct {
	ID    string
	State string // met, missed, pending, invalid
	Text  string
	At    time.Duration // when it came to this state
}

// Link is how fresh the stream is.
type Link struct {
	Live    bool          // the run goes on
	Behind  bool          // what is shown is older than what is known, for want of time
	Judging bool          // it has ended and its documents are being written
	Age     time.Duration // since anything was heard
	Lost    string        // why nothing is heard, "" when all is well
}

// View is how the user looks at the run.
type View struct {
	Focus    int              // number of a panel
	Zoom     bool             // the focused panel fills the screen
	Held     bool             // frozen or scrubbed: the data goes on, the picture does not
	HeldFor  time.Duration    // how old the picture is, on the wall
	Play     bool             // a finished run is being played
	Rate     float64          // at so many scenario seconds a second
	Flip     [panels + 1]bool // panels whose axis the user switched between linear and log
	Baseline bool             // overlay the baseline
	Overlay  Overlay          // what covers the screen
	Pick     int              // the line picked in an overlay's list
	Filter   string           // events shown: those that contain this
	Prompt   string           // what is being typed for
	Input    string           // and what was typed
	Notice   string           // the last thing to say, in place of the help line
	Menu     []string         // interventions to choose from
	Owner    bool             // this process owns the run
	Steers   bool             // control was taken
	CanSteer bool             // there is a control to take
	Keys     []KeyHelp        // for the help screen
	HasBase  bool             // a baseline was given
	Attached string           // how this viewer is attached
	Window   time.Duration    // length of the window the user asked for, 0 for all
	_        struct{}         // keyed literals only
}

// Overlay is what covers the charts.
type Overlay uint8

// The overlays.
const (
	NoOverlay Overlay = iota
	HelpOverlay
	EventsOverlay
	MenuOverlay
)

// KeyHelp is one line of the help screen.
type KeyHelp struct{ Key, Does string }

// Snapshot returns what a screen shows of the history: the state at v's instant, charts up to seen between from and to.
func (h *History) Snapshot(now, seen, from, to time.Duration, base *History) Snapshot {
	i := h.table.index(now)
	s := Snapshot{
		Info: h.info, Now: now, Seen: seen, End: h.end(), From: from, To: to,
		Series: map[string]Series{}, Values: map[string]float64{},
		Verdict: h.verdict(i), Errors: h.errors(i),
	}
	for name := range drawn() {
		s.Series[name] = h.table.slice(name, from, min(to, seen))
		if base != nil {
			if s.Base == nil {
				s.Base = map[string]Series{}
			}
			s.Base[name] = base.table.slice(name, from, to)
		}
	}
	if i >= 0 {
		for name := range h.table.cols {
			s.Values[name] = h.table.value(name, i, rateSpan)
		}
	}
	done := map[int]bool{}
	for k, e := range h.events {
		if e.At > now {
			h.ahead(&s, h.events[k:], done)
			break
		}
		done[e.Number] = true
	}
	s.Events = h.eventsUntil(now)
	s.Thresholds = thresholds(s.Events)
	for _, e := range h.info.Plan {
		if e.At > now && !(e.Number > 0 && done[e.Number]) {
			s.Ahead = append(s.Ahead, e)
		}
	}
	return s
}

// ahead adds the operator's interventions that a scrubbed view knows to come.
func (h *History) ahead(s *Snapshot, later []record.Event, done map[int]bool) {
	planned := map[int]bool{}
	for _, e := range h.info.Plan {
		planned[e.Number] = true
	}
	for _, e := range later {
		if e.At > s.Seen {
			return
		}
		if e.Number > 0 && !planned[e.Number] && !done[e.Number] {
			s.Ahead = append(s.Ahead, e)
		}
	}
}

// eventsUntil returns the events up to an instant. They come in order but for a few of the same moment.
func (h *History) eventsUntil(now time.Duration) []record.Event {
	n := len(h.events)
	for n > 0 && h.events[n-1].At > now {
		n--
	}
	return h.events[:n:n]
}

// thresholds finds the last word on each threshold, in the order in which they were first heard of.
func thresholds(events []record.Event) []Threshold {
	var out []Threshold
	at := map[string]int{}
	for _, e := range events {
		if e.Kind != "threshold" || e.ID == "" {
			continue
		}
		t := Threshold{e.ID, e.State, e.Text, e.At}
		i, known := at[e.ID]
		switch {
		case !known:
			at[e.ID] = len(out)
			out = append(out, t)
		case out[i].State == t.State:
			out[i].Text = t.Text
		default:
			out[i] = t
		}
	}
	return out
}

// scored is how many thresholds are in which state.
type scored struct{ met, missed, invalid, open int }

func (s scored) all() int { return s.met + s.missed + s.invalid + s.open }

// score counts thresholds by state.
func score(ts []Threshold) scored {
	var s scored
	for _, t := range ts {
		switch t.State {
		case "met":
			s.met++
		case "missed":
			s.missed++
		case "invalid":
			s.invalid++
		default:
			s.open++
		}
	}
	return s
}

// filterEvents returns the events that contain a text, whatever its case, without those that say nothing yet.
func filterEvents(events []record.Event, filter string) []record.Event {
	f := strings.ToLower(filter)
	var out []record.Event
	for _, e := range events {
		if e.Kind == "threshold" && e.State == "pending" {
			continue
		}
		if f == "" || strings.Contains(strings.ToLower(e.Kind+" "+e.Source+" "+e.Text+" "+e.ID), f) {
			out = append(out, e)
		}
	}
	return out
}
