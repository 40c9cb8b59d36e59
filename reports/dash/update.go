package dash

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// typed takes apart what arrived in one read: over a slow line keys come together, and an escape before a letter
// looks like Alt.
func (m *Model) typed(k tea.KeyMsg) tea.Cmd {
	if m.ask != nil || k.Type != tea.KeyRunes || (len(k.Runes) <= 1 && !k.Alt) || k.Paste {
		return m.key(k)
	}
	var cmds []tea.Cmd
	if k.Alt {
		cmds = append(cmds, m.key(tea.KeyMsg{Type: tea.KeyEsc}))
	}
	for _, r := range k.Runes {
		if m.closed {
			break
		}
		cmds = append(cmds, m.key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}}))
	}
	return tea.Batch(cmds...)
}

// key does what a key says.
func (m *Model) key(k tea.KeyMsg) tea.Cmd {
	if m.asking != askNothing {
		return m.answerKey(k)
	}
	if m.ask != nil {
		return m.typing(k)
	}
	act := m.keys[k.String()]
	if m.view.Overlay != NoOverlay {
		if cmd, taken := m.listKey(k.String(), act); taken {
			return cmd
		}
	}
	switch act {
	case actHelp:
		m.view.Overlay = HelpOverlay
	case actQuit:
		return m.quit()
	case actDetach:
		return m.close(ErrDetached)
	case actSuspend:
		m.view.Notice = "ctrl-z would hold the run as well: d gives the terminal back and lets it go on"
		if !m.opts.Owner {
			m.view.Notice = "q leaves; watching again takes you back to where the run is then"
		}
	case actFreeze:
		m.freeze()
	case actBack, actForth:
		m.scrub(act == actForth)
	case actPrevEvent, actNextEvent:
		m.hop(act == actNextEvent)
	case actWider, actNarrower, actFit:
		m.zoomTime(act)
	case actStart:
		m.hold()
		m.cursor = 0
		if m.play {
			m.held = false
		}
	case actNow:
		m.held, m.play = false, false
	case actNextPanel:
		m.view.Focus = m.view.Focus%panels + 1
	case actPrevPanel:
		m.view.Focus = (m.view.Focus+panels-2)%panels + 1
		if m.view.Focus == 0 {
			m.view.Focus = panels
		}
	case actPanel:
		m.view.Focus = int(k.String()[0] - '0')
	case actZoom:
		m.view.Focus = max(m.view.Focus, 1)
		m.view.Zoom = !m.view.Zoom
	case actEscape:
		m.escape()
	case actEvents:
		m.view.Overlay = EventsOverlay
		m.view.Pick = max(len(m.shownEvents())-1, 0)
	case actMark:
		return m.startMark()
	case actSearch:
		m.prompt("show events with:", m.view.Filter, func(m *Model, text string) tea.Cmd {
			m.view.Filter = text
			m.view.Pick = max(len(m.shownEvents())-1, 0)
			return nil
		})
	case actBaseline:
		if m.base == nil {
			m.view.Notice = "no baseline was given (--baseline DIR)"
			return nil
		}
		m.view.Baseline = !m.view.Baseline
	case actLog:
		if f := m.view.Focus; f > 0 {
			m.view.Flip[f] = !m.view.Flip[f]
		} else {
			m.view.Notice = "choose a panel first: tab or 1-9"
		}
	case actCopy:
		m.copyVerdict()
	case actSave:
		return m.save()
	case actGlyphs:
		m.caps.Glyphs = (m.caps.Glyphs + 1) % (ASCII + 1)
		m.view.Notice = "charts in " + m.caps.Glyphs.String()
	case actFaster, actSlower:
		return m.changeSpeed(act == actFaster)
	case actControl, actPause, actAbort, actMenu, actReport:
		return m.steer(act)
	}
	return nil
}

// quit leaves, after asking the owner what is to become of the run.
func (m *Model) quit() tea.Cmd {
	switch {
	case m.ended:
		return m.close(m.err)
	case m.stopping: // it takes its time: give the terminal back, so that ctrl-c is a signal again
		return m.close(ErrLeft)
	case m.opts.Owner && m.opts.Control != nil:
		m.asking = askQuit
		m.view.Prompt = "stop the run? y stops it, d detaches, esc goes on"
		return nil
	}
	return m.close(ErrLeft)
}

// answerKey takes the answer to a question.
func (m *Model) answerKey(k tea.KeyMsg) tea.Cmd {
	question := m.asking
	switch k.String() {
	case "y", "Y", "ctrl+c":
		m.asking, m.view.Prompt = askNothing, ""
		m.held, m.stopping = false, true
		m.opts.Owner = m.opts.Owner || question == askQuit
		return m.order("stopping the run; the record stays readable", m.opts.Control.Abort)
	case "d":
		if question == askQuit {
			m.asking, m.view.Prompt = askNothing, ""
			return m.close(ErrDetached)
		}
	case "esc", "n", "N", "q":
		m.asking, m.view.Prompt = askNothing, ""
	}
	return nil
}

// prompt asks for a line of text.
func (m *Model) prompt(question, text string, then func(*Model, string) tea.Cmd) {
	m.view.Prompt, m.view.Input, m.ask = question, text, then
}

// typing edits the line being asked for.
func (m *Model) typing(k tea.KeyMsg) tea.Cmd {
	switch k.Type {
	case tea.KeyEsc, tea.KeyCtrlC:
		m.view.Prompt, m.view.Input, m.ask = "", "", nil
	case tea.KeyEnter:
		then, text := m.ask, strings.TrimSpace(m.view.Input)
		m.view.Prompt, m.view.Input, m.ask = "", "", nil
		return then(m, text)
	case tea.KeyBackspace, tea.KeyDelete:
		_, n := utf8.DecodeLastRuneInString(m.view.Input)
		m.view.Input = m.view.Input[:len(m.view.Input)-n]
	case tea.KeyCtrlU:
		m.view.Input = ""
	case tea.KeyRunes, tea.KeySpace:
		if len(m.view.Input)+len(string(k.Runes)) <= 500 {
			m.view.Input += string(k.Runes)
		}
	}
	return nil
}

// listKey moves in an overlay; taken is false for keys that mean the same as without it.
func (m *Model) listKey(key string, act action) (cmd tea.Cmd, taken bool) {
	n := len(m.shownEvents())
	if m.view.Overlay == MenuOverlay {
		n = len(m.menu)
	}
	switch key {
	case "up", "k":
		m.view.Pick--
	case "down", "j":
		m.view.Pick++
	case "pgup":
		m.view.Pick -= m.height / 2
	case "pgdown":
		m.view.Pick += m.height / 2
	case "home", "g":
		m.view.Pick = 0
	case "end", "G":
		m.view.Pick = n - 1
	default:
		switch {
		case act == actEscape, act == actQuit && key == "q",
			act == actHelp && m.view.Overlay == HelpOverlay,
			act == actEvents && m.view.Overlay == EventsOverlay,
			act == actMenu && m.view.Overlay == MenuOverlay:
			m.view.Overlay = NoOverlay
		case act == actZoom && m.view.Overlay == EventsOverlay:
			if es := m.shownEvents(); len(es) > 0 {
				m.jump(es[min(max(m.view.Pick, 0), len(es)-1)].At)
			}
			m.view.Overlay = NoOverlay
		case act == actZoom && m.view.Overlay == MenuOverlay:
			return m.choose(), true
		case act == actZoom:
			m.view.Overlay = NoOverlay
		case act == actSearch, act == actSave, act == actQuit, act == actGlyphs, act == actEvents, act == actHelp, act == actDetach:
			return nil, false
		}
	}
	m.view.Pick = min(max(m.view.Pick, 0), max(n-1, 0))
	return nil, true
}

func (m *Model) escape() {
	switch {
	case m.view.Zoom:
		m.view.Zoom = false
	case m.view.Filter != "":
		m.view.Filter = ""
	default:
		m.view.Focus = 0
	}
}

// hold freezes the view where it is.
func (m *Model) hold() {
	if m.held {
		return
	}
	now, seen := m.position()
	m.held, m.heldAt, m.cursor, m.seen = true, m.now, now, seen
}

func (m *Model) freeze() {
	if m.held {
		m.held = false
		return
	}
	m.hold()
}

// jump holds the view at an instant.
func (m *Model) jump(at time.Duration) {
	m.hold()
	m.cursor = min(max(at, 0), m.history.newest)
	m.seen = max(m.seen, m.cursor)
}

// scrub moves the view by a fiftieth of the window, at least a reading.
func (m *Model) scrub(forth bool) {
	from, to := m.span()
	step := max((to-from)/50, 10*time.Second).Round(10 * time.Second)
	now, _ := m.position()
	if !forth {
		step = -step
	}
	m.jump(now + step)
}

// worthAHop reports whether an event is a part of the story: an intervention, a note, a mark, a threshold's change.
func worthAHop(e record.Event) bool {
	switch e.Kind {
	case "note", "mark", "fault", "warning":
		return true
	case "threshold":
		return e.State != "pending"
	}
	return e.Number > 0
}

// hop goes to the event before or after that is worth it.
func (m *Model) hop(forth bool) {
	now, _ := m.position()
	at, found := time.Duration(0), false
	for _, e := range m.history.events {
		if !worthAHop(e) {
			continue
		}
		if forth && e.At > now {
			at, found = e.At, true
			break
		}
		if !forth && e.At < now {
			at, found = e.At, true
		}
	}
	if !found {
		m.view.Notice = "no event further there"
		return
	}
	m.jump(at)
	for _, e := range m.history.events {
		if e.At == at {
			m.view.Notice = eventText(e, m.history.end(), replays(m.history.info))
		}
	}
}

// zoomTime changes the length of the window by half or twice.
func (m *Model) zoomTime(act action) {
	whole := max(m.history.end(), m.history.newest)
	switch {
	case act == actFit:
		m.window = 0
	case act == actNarrower && m.window == 0:
		m.window = 2 * time.Minute
		for m.window*2 < whole {
			m.window *= 2
		}
	case act == actNarrower:
		m.window = max(m.window/2, 2*time.Minute)
	case m.window > 0:
		if m.window *= 2; m.window >= whole {
			m.window = 0
		}
	}
	if m.window == 0 {
		m.view.Notice = "window: the whole run"
	} else {
		m.view.Notice = "window: " + clock(m.window, m.window)
	}
}

// shownEvents are the events the list shows.
func (m *Model) shownEvents() []record.Event {
	now, _ := m.position()
	return filterEvents(m.history.eventsUntil(now), m.view.Filter)
}

// changeSpeed doubles or halves the speed of what is played, or of the run itself for who is in control.
func (m *Model) changeSpeed(faster bool) tea.Cmd {
	next := func(x float64) float64 {
		if faster {
			return min(x*2, 1e5)
		}
		return max(x/2, 0.125)
	}
	if m.ended || m.play {
		if m.rate <= 0 {
			m.rate = 60
		} else {
			m.rate = next(m.rate)
		}
		if !m.play {
			now, _ := m.position()
			m.play, m.held, m.cursor = true, false, now
			if m.cursor >= m.history.newest {
				m.cursor = 0
			}
		}
		m.view.Notice = "playing at x" + number(m.rate)
		return nil
	}
	if !m.mayAct() {
		return nil
	}
	x := m.status.Speed
	switch {
	case x <= 0 && faster:
		m.view.Notice = "the run goes as fast as it can"
		return nil
	case x <= 0:
		x = 600
	case faster && x >= 76800:
		x = 0
	default:
		x = next(x)
	}
	said := "speed x" + number(x)
	if x == 0 {
		said = "as fast as it can"
	}
	m.status.Speed = x // the next key may come before the run says so
	return m.order(said, func() error { return m.opts.Control.Speed(x) })
}

// copyVerdict puts the first two lines into the terminal's clipboard.
func (m *Model) copyVerdict() {
	d := &drawing{f: newFrame(200, 2, true), s: m.Snapshot(), caps: m.caps}
	d.sane()
	d.identity(0)
	d.sentence(1)
	var out []string
	for _, l := range strings.Split(d.f.String(NoColor), "\n") {
		out = append(out, strings.TrimRight(l, " "))
	}
	text := strings.Join(out, "\n")
	if m.screen != nil {
		m.screen.say("\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(text)) + "\a")
	}
	m.view.Notice = fmt.Sprintf("copied %d characters, if the terminal allows it", len(text))
}
