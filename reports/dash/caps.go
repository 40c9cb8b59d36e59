package dash

import (
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"
)

// Glyphs is the set of characters that charts and frames are drawn with.
type Glyphs uint8

// The glyph sets, from the finest to the one that every terminal has.
const (
	Braille Glyphs = iota // 2×4 dots a cell
	Block                 // 2×2 quarters a cell
	ASCII                 // nothing beyond 7 bits, text included
)

func (g Glyphs) String() string { return [...]string{"braille", "block", "ascii"}[min(g, ASCII)] }

// Color is how many colours a terminal has.
type Color uint8

// The depths of colour. Without colour no escape sequence is drawn at all: words and letters carry everything.
const (
	NoColor Color = iota
	Color16
	Color256
)

func (c Color) String() string { return [...]string{"none", "16", "256"}[min(c, Color256)] }

// Capabilities is what a terminal can show.
type Capabilities struct {
	Glyphs Glyphs
	Color  Color
	Budget int // bytes a second that moving pictures may cost, 0 for no bound; keys are always answered at once
}

// UI is how a run is shown.
type UI uint8

// The ways of showing a run.
const (
	None  UI = iota // nothing
	TUI             // the dashboard
	Plain           // lines, on stderr
	JSON            // the stream itself, one JSON object a line, on stdout
)

func (u UI) String() string { return [...]string{"none", "tui", "plain", "json"}[min(u, JSON)] }

// TTY says which of the standard streams are terminals.
type TTY struct{ In, Out, Err bool }

// TTYs looks at streams: those that are files of a terminal count.
func TTYs(in, out, err any) TTY {
	is := func(v any) bool {
		f, ok := v.(interface{ Fd() uintptr })
		return ok && term.IsTerminal(int(f.Fd()))
	}
	return TTY{is(in), is(out), is(err)}
}

// ChooseUI decides how a run is shown before any terminal is touched. Want is auto, tui, plain, json or none; env is
// os.Getenv. Auto takes the dashboard only where one can be drawn and read: on a terminal with a name, outside CI,
// and not for readers that asked for lines (AFTERSHOCK_ACCESSIBLE).
func ChooseUI(want string, env func(string) string, tty TTY) (UI, error) {
	able := tty.In && tty.Out && env("TERM") != "" && env("TERM") != "dumb"
	switch want {
	case "", "auto":
		if able && env("CI") == "" && env("AFTERSHOCK_ACCESSIBLE") == "" {
			return TUI, nil
		}
		return Plain, nil
	case "tui":
		if !tty.In || !tty.Out {
			return None, fmt.Errorf("--ui tui needs a terminal for input and output: use --ui plain or --ui json here")
		}
		return TUI, nil
	case "plain":
		return Plain, nil
	case "json":
		return JSON, nil
	case "none":
		return None, nil
	}
	return None, fmt.Errorf("unknown ui %q: use auto, tui, plain, json or none", want)
}

// ChooseCapabilities decides what to draw with. Glyphs is "", auto, braille, block or ascii; color is "", auto, always
// or never; env is os.Getenv. An AFTERSHOCK_GLYPHS in the environment stands for the flag when the flag is not given.
func ChooseCapabilities(glyphs, color string, env func(string) string) (Capabilities, error) {
	var c Capabilities
	if glyphs == "" || glyphs == "auto" {
		glyphs = env("AFTERSHOCK_GLYPHS")
	}
	switch glyphs {
	case "", "auto":
		if c.Glyphs = Braille; !utf8Locale(env) || env("TERM") == "linux" || env("TERM") == "dumb" {
			c.Glyphs = ASCII
		}
	case "braille":
		c.Glyphs = Braille
	case "block":
		c.Glyphs = Block
	case "ascii":
		c.Glyphs = ASCII
	default:
		return c, fmt.Errorf("unknown glyphs %q: use auto, braille, block or ascii", glyphs)
	}
	deep := Color16
	if strings.Contains(env("TERM"), "256color") || env("COLORTERM") != "" {
		deep = Color256
	}
	switch color {
	case "", "auto":
		switch {
		case env("NO_COLOR") != "" || env("AFTERSHOCK_NO_COLOR") != "" || env("TERM") == "dumb":
		case env("TERM") != "" || env("FORCE_COLOR") != "":
			c.Color = deep
		}
	case "always":
		c.Color = deep
	case "never":
	default:
		return c, fmt.Errorf("unknown color %q: use auto, always or never", color)
	}
	if env("SSH_CONNECTION") != "" || env("SSH_TTY") != "" {
		c.Budget = 10_000
	}
	return c, nil
}

// utf8Locale reports whether the locale's character set is UTF-8, by the usual order of variables.
func utf8Locale(env func(string) string) bool {
	for _, k := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(env(k)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

// size asks a stream for the size of its terminal; ok is false where there is none or it does not know.
func size(w io.Writer) (width, height int, ok bool) {
	f, isFile := w.(interface{ Fd() uintptr })
	if !isFile {
		return 0, 0, false
	}
	width, height, err := term.GetSize(int(f.Fd()))
	return width, height, err == nil && width > 0 && height > 0
}
