package dash

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Model is the dashboard as bubbletea runs it: keys and items change it, View draws it. All time it knows comes with
// Tick messages, so a transcript of messages always gives the same screens.
type Model struct {
	opts    Options
	history *History
	base    *History
	caps    Capabilities
	keys    map[string]action
	menu    []string

	width, height int
	now           time.Time // of the last tick
	heard         time.Time // when anything was last heard
	drawn         time.Time
	dirty         bool

	lived  bool // it was a run that goes on when it was first heard of
	ended  bool // the stream has said everything
	lost   string
	told   Status // by the run
	status Status // the same, and what was ordered since
	err    error  // why the stream failed

	// Where the view stands. Following: at the newest instant. Held: at the cursor, with charts up to seen. Playing:
	// the cursor moves by itself.
	held   bool
	heldAt time.Time
	play   bool
	cursor time.Duration
	seen   time.Duration
	rate   float64
	window time.Duration // 0 is the whole run

	view     View
	ask      func(*Model, string) tea.Cmd // what to do with the text being typed
	asking   asking
	ordered  chan struct{} // closed when the last order was done
	stopping bool          // the owner has ordered the run's end

	leave  error // why the view was closed
	closed bool

	screen *screen // where frames go; nil in tests, which read View
}

// asking is a question that the next key answers.
type asking uint8

const (
	askNothing asking = iota
	askQuit           // the owner: stop the run?
	askAbort
)

// Messages of the model.
type (
	// Items is news from the stream.
	Items []Item
	// Tick says what time it is.
	Tick time.Time
	// Ended says that the stream has said everything; its error is not nil when it failed.
	Ended struct{ Err error }
	// done is what came of an order to the run.
	done struct {
		said string
		err  error
	}
)

// NewModel returns the dashboard for options; base is the baseline's history or nil.
func NewModel(o Options, base *History) *Model {
	return &Model{
		opts: o, base: base, history: NewHistory(), caps: o.Caps, keys: keyMap(), width: 80, height: 24,
		play: o.Speed > 0, rate: o.Speed,
		view: View{Focus: 0, Owner: o.Owner, Steers: o.Owner && o.Control != nil, CanSteer: o.Control != nil && !o.Owner,
			Keys: keyHelp(), HasBase: base != nil, Baseline: base != nil, Attached: o.Attached},
	}
}

// Init asks for nothing: ticks and items are sent by whoever runs the model.
func (m *Model) Init() tea.Cmd { return nil }

// View is the screen as text.
func (m *Model) View() string {
	if m.screen != nil || m.closed {
		return ""
	}
	return m.draw().String(m.caps.Color)
}

// Left says why the view was closed: nil at the run's end, ErrLeft or ErrDetached.
func (m *Model) Left() error { return m.leave }

// Update takes one message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	urgent := false
	switch msg := msg.(type) {
	case Items:
		m.take(msg)
	case Ended:
		m.end(msg.Err)
		cmd = m.closeAtEnd()
	case Tick:
		m.tick(time.Time(msg))
	case tea.WindowSizeMsg:
		if msg.Width > 0 && msg.Height > 0 && (msg.Width != m.width || msg.Height != m.height) {
			m.width, m.height, urgent = msg.Width, msg.Height, true
		}
	case tea.KeyMsg:
		m.view.Notice = ""
		cmd, urgent = m.typed(msg), true
	case done:
		m.view.Notice = msg.said
		if msg.err != nil {
			m.view.Notice = "not done: " + msg.err.Error()
			m.stopping, m.status = false, m.told
		}
		urgent = true
	}
	m.show(urgent)
	return m, cmd
}

// frameEvery bounds the pictures to ten a second; a picture without news is drawn twice a second for its clock.
const (
	frameEvery = 100 * time.Millisecond
	idleEvery  = 500 * time.Millisecond
)

// show draws when there is something to show and the last picture is old enough, and for a key at once.
func (m *Model) show(urgent bool) {
	if m.screen == nil || m.closed {
		return
	}
	since := m.now.Sub(m.drawn)
	if !urgent && !(m.dirty && since >= frameEvery) && since < idleEvery {
		return
	}
	m.drawn, m.dirty = m.now, false
	m.screen.show(m.draw(), urgent)
}

func (m *Model) take(items []Item) {
	for _, it := range items {
		m.lost = it.Lost
		if it.Lost == "" {
			m.heard = m.now
		}
		if it.Status != nil {
			m.told, m.status = *it.Status, *it.Status
			continue
		}
		if m.opts.Notify && it.Event != nil && it.Event.Kind == "threshold" && it.Event.State == "missed" {
			m.bell()
		}
		m.lived = m.lived || it.Info != nil && it.Info.State == record.Running
		m.history.Feed(it)
	}
	m.dirty = m.dirty || len(items) > 0
}

func (m *Model) end(err error) {
	m.ended, m.dirty = true, true
	m.err = err
	if err != nil {
		m.lost = err.Error()
		m.view.Notice = "the stream failed: " + err.Error()
		return
	}
	m.lost = ""
	if m.opts.Notify {
		m.bell()
	}
}

// closeAtEnd closes the owner's view when the run has ended, unless somebody is looking into something. Viewers stay
// until a key.
func (m *Model) closeAtEnd() tea.Cmd {
	if m.err != nil && m.history.items == 0 {
		return m.close(m.err)
	}
	if m.opts.Owner && !m.held && m.view.Overlay == NoOverlay && m.view.Prompt == "" {
		return m.close(m.err)
	}
	return nil
}

func (m *Model) close(why error) tea.Cmd {
	m.leave = why
	m.show(true)
	m.closed = true
	return tea.Quit
}

func (m *Model) tick(now time.Time) {
	dt := now.Sub(m.now)
	if m.now.IsZero() || dt < 0 {
		dt = 0
		m.heard = now
	}
	m.now = now
	if m.play && !m.held {
		m.cursor += time.Duration(float64(min(dt, time.Second)) * m.rate)
		if m.cursor >= m.history.newest && m.ended {
			m.play = false
			m.cursor = m.history.newest
		}
		m.cursor = min(m.cursor, m.history.newest)
		m.dirty = true
	}
}

// position returns the instant shown and how far charts are drawn.
func (m *Model) position() (now, seen time.Duration) {
	switch {
	case m.held:
		return m.cursor, max(m.seen, m.cursor)
	case m.play:
		return m.cursor, m.cursor
	}
	return m.history.newest, m.history.newest
}

// span returns the charts' window. It moves in steps, not with every reading: a picture that stands still is read
// more easily, and costs a slow line nothing.
func (m *Model) span() (from, to time.Duration) {
	now, seen := m.position()
	end := m.history.end()
	if m.window > 0 && m.window < max(end, seen) {
		step := m.window / 8
		to = (now + step - 1) / step * step
		if m.ended && !m.play {
			to = min(to, max(end, now))
		}
		return max(to-m.window, 0), max(to, m.window)
	}
	if m.ended && !m.play {
		return 0, max(m.history.newest, time.Second)
	}
	if to = roundSpan(seen); end >= seen && to > end {
		to = end
	}
	return 0, max(to, time.Second)
}

// roundSpan is the next length of time that reads well.
func roundSpan(d time.Duration) time.Duration {
	for _, unit := range []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 10 * time.Hour, 100 * time.Hour} {
		for _, n := range []time.Duration{10, 12, 15, 20, 25, 30, 40, 50, 60, 80} {
			if to := n * unit / 10; to >= d && to < 10*unit {
				return to
			}
		}
	}
	return d + d/4
}

// Snapshot is what the model shows at the moment.
func (m *Model) Snapshot() Snapshot {
	now, seen := m.position()
	from, to := m.span()
	var base *History
	if m.view.Baseline {
		base = m.base
	}
	s := m.history.Snapshot(now, seen, from, to, base)
	s.Status = m.status
	going := m.history.info.State == record.Running
	reading := m.history.info.ID != "" && !going && !m.lived // a record that is still being read
	s.Link = Link{Live: !m.ended && going, Behind: !m.ended && (reading || m.history.newest < m.status.At), Judging: !m.ended && !going && m.lived, Lost: m.lost, Age: m.now.Sub(m.heard)}
	s.View = m.view
	s.View.Held, s.View.Play, s.View.Rate, s.View.Window = m.held, m.play, m.rate, m.window
	if m.held && !m.ended && !m.play {
		s.View.HeldFor = m.now.Sub(m.heldAt)
	}
	if m.play || m.history.items == 0 {
		s.Link.Live = false
	}
	s.View.Menu = m.menu
	return s
}

func (m *Model) draw() *frame { return draw(m.Snapshot(), m.width, m.height, m.caps) }

func (m *Model) bell() {
	if m.screen != nil {
		m.screen.say("\a")
	}
}
