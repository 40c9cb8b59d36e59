package dash

import (
	"fmt"
	"strconv"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/aftershock-dev/aftershock/quantity"
)

// order has something done to the run without holding up the view, and says what came of it. Orders are done one
// after another.
func (m *Model) order(said string, do func() error) tea.Cmd {
	before, did := m.ordered, make(chan struct{})
	m.ordered = did
	return func() tea.Msg {
		defer close(did)
		if before != nil {
			<-before
		}
		return done{said, do()}
	}
}

// mayAct reports whether this viewer is in control, and says so when it is not.
func (m *Model) mayAct() bool {
	switch {
	case m.view.Steers && !m.ended:
		return true
	case m.ended:
		m.view.Notice = "the run has ended"
	case m.view.CanSteer:
		m.view.Notice = "only looking: press o to take control first"
	default:
		m.view.Notice = "only looking: this run cannot be steered from here"
	}
	return false
}

// steer does what only somebody in control may.
func (m *Model) steer(act action) tea.Cmd {
	if act == actControl {
		switch {
		case m.opts.Control == nil:
			m.view.Notice = "this run cannot be steered from here"
		case m.opts.Owner:
			m.view.Notice = "this is the run's own terminal: it is in control"
		default:
			m.view.Steers = !m.view.Steers
			m.view.Notice = map[bool]string{true: "in control: p pause, x abort, i interventions, o to give it back", false: "only looking"}[m.view.Steers]
		}
		return nil
	}
	if !m.mayAct() {
		return nil
	}
	switch act {
	case actPause:
		on := !m.status.Paused
		m.status.Paused = on // the next key may come before the run says so
		said := map[bool]string{true: "paused: p lets it go on", false: "running again"}[on]
		return m.order(said, func() error { return m.opts.Control.Pause(on) })
	case actAbort:
		m.asking = askAbort
		m.view.Prompt = "abort the run for everybody? y aborts it, esc goes on"
	case actReport:
		r, ok := m.opts.Control.(Reporter)
		if !ok {
			m.view.Notice = errNoReport.Error()
			return nil
		}
		return func() tea.Msg {
			path, err := r.Report()
			return done{"report: " + path, err}
		}
	case actMenu:
		m.menu = interventions(m.history.info.Effective)
		m.view.Overlay, m.view.Pick = MenuOverlay, 0
	}
	return nil
}

// whenPaused says that a run that is held takes orders when it goes on.
func (m *Model) whenPaused() string {
	if m.status.Paused {
		return ": done when the run goes on (p)"
	}
	return ""
}

// startMark asks for the note of a mark.
func (m *Model) startMark() tea.Cmd {
	if m.opts.Control == nil || m.ended {
		m.view.Notice = "marks need a run that goes on and can be steered from here"
		return nil
	}
	if !m.view.Steers {
		m.mayAct()
		return nil
	}
	m.prompt("note:", "", func(m *Model, text string) tea.Cmd {
		if text == "" {
			return nil
		}
		return m.order("marked"+m.whenPaused(), func() error { return m.opts.Control.Mark(text) })
	})
	return nil
}

// ownStep is the line of the menu behind which any step can be written.
const ownStep = "another one: write it as a step of the timeline"

// interventions are the steps worth offering, from the settings in force.
func interventions(effective map[string]string) []string {
	var out []string
	if r, err := quantity.ParseRate(effective["sender.drafts.rate_limit"]); err == nil && !r.IsZero() {
		for _, share := range []float64{0.75, 0.5, 1.25, 2} {
			x := r
			x.Count = float64(int(r.Count*share + 0.5))
			out = append(out, fmt.Sprintf("{set: {sender.drafts.rate_limit: %s}}", x))
		}
	}
	if n, err := strconv.Atoi(effective["sender.whatsapp.replicas.max"]); err == nil && n > 0 {
		for _, x := range []int{n * 2, n * 3} {
			out = append(out, fmt.Sprintf("{set: {sender.whatsapp.replicas.max: %d}}", x))
		}
	}
	return append(out, "{kill: whatsapp/1}", "{restart: whatsapp/1}", "{restart: drafts/1}", ownStep)
}

// choose applies the picked intervention.
func (m *Model) choose() tea.Cmd {
	if len(m.menu) == 0 {
		return nil
	}
	step := m.menu[min(max(m.view.Pick, 0), len(m.menu)-1)]
	m.view.Overlay = NoOverlay
	if step != ownStep {
		return m.order("ordered "+step+m.whenPaused(), func() error { return m.opts.Control.Apply(step) })
	}
	m.prompt("step:", "{set: {}}", func(m *Model, text string) tea.Cmd {
		if text = strings.TrimSpace(text); text == "" {
			return nil
		}
		return m.order("ordered "+text+m.whenPaused(), func() error { return m.opts.Control.Apply(text) })
	})
	return nil
}
