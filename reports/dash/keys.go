package dash

// action is what a key does.
type action uint8

const (
	actNone action = iota
	actHelp
	actQuit
	actDetach
	actFreeze
	actBack
	actForth
	actPrevEvent
	actNextEvent
	actWider
	actNarrower
	actFit
	actStart
	actNow
	actNextPanel
	actPrevPanel
	actPanel
	actZoom
	actEscape
	actEvents
	actMark
	actSearch
	actBaseline
	actLog
	actControl
	actPause
	actAbort
	actMenu
	actFaster
	actSlower
	actCopy
	actReport
	actSave
	actGlyphs
	actSuspend
)

// binding ties keys to an action; the help screen and the key map are the same table.
type binding struct {
	keys []string // as bubbletea names them
	show string   // as the help shows them
	does string
	act  action
}

// bindings is the key map.
func bindings() []binding {
	return []binding{
		{[]string{"?"}, "?", "this help", actHelp},
		{[]string{"q", "ctrl+c"}, "q ctrl-c", "leave (owner is asked)", actQuit},
		{[]string{"d"}, "d", "detach, the run goes on", actDetach},
		{[]string{" "}, "space", "freeze the view, go on", actFreeze},
		{[]string{"[", "left"}, "[ ]", "scrub back and forth", actBack},
		{[]string{"]", "right"}, "", "", actForth},
		{[]string{"{"}, "{ }", "event before or after", actPrevEvent},
		{[]string{"}"}, "", "", actNextEvent},
		{[]string{"+", "="}, "+ -", "wider, narrower window", actWider},
		{[]string{"-", "_"}, "", "", actNarrower},
		{[]string{"0"}, "0", "window of the whole run", actFit},
		{[]string{"g", "home"}, "g", "start of the run", actStart},
		{[]string{"G", "end"}, "G", "follow what happens now", actNow},
		{[]string{"tab"}, "tab", "next panel (shift: back)", actNextPanel},
		{[]string{"shift+tab"}, "", "", actPrevPanel},
		{[]string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, "1-9", "panel by its number", actPanel},
		{[]string{"enter"}, "enter", "zoom; pick in a list", actZoom},
		{[]string{"esc"}, "esc", "back", actEscape},
		{[]string{"e"}, "e", "events, to jump to one", actEvents},
		{[]string{"m"}, "m", "mark with a note", actMark},
		{[]string{"/", "f"}, "/ f", "filter events by a text", actSearch},
		{[]string{"b"}, "b", "overlay the baseline", actBaseline},
		{[]string{"l"}, "l", "log or linear axis", actLog},
		{[]string{"o"}, "o", "take, give back control", actControl},
		{[]string{"p"}, "p", "pause the run, go on", actPause},
		{[]string{"x"}, "x", "abort the run (asks)", actAbort},
		{[]string{"i"}, "i", "intervene now", actMenu},
		{[]string{">", "."}, "< >", "slower or faster", actFaster},
		{[]string{"<", ","}, "", "", actSlower},
		{[]string{"y"}, "y", "copy verdict (OSC 52)", actCopy},
		{[]string{"R"}, "R", "write the report now", actReport},
		{[]string{"s"}, "s", "save screen: text, SVG", actSave},
		{[]string{"t"}, "t", "braille, block, ASCII", actGlyphs},
		{[]string{"ctrl+z"}, "", "", actSuspend},
	}
}

// keyMap finds the action of a key.
func keyMap() map[string]action {
	m := map[string]action{}
	for _, b := range bindings() {
		for _, k := range b.keys {
			m[k] = b.act
		}
	}
	return m
}

// keyHelp is the key map for reading.
func keyHelp() []KeyHelp {
	var out []KeyHelp
	for _, b := range bindings() {
		if b.show != "" {
			out = append(out, KeyHelp{b.show, b.does})
		}
	}
	return out
}
