package dash

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// save writes the screen as text and as SVG.
func (m *Model) save() tea.Cmd {
	f := m.draw()
	now, _ := m.position()
	id := m.history.info.ID
	if id == "" {
		id = "aftershock"
	}
	base := filepath.Join(m.opts.SaveDir, safeName(id)+"-"+strings.ReplaceAll(hms(now), ":", ""))
	return func() tea.Msg {
		text := f.String(NoColor) + "\n"
		if err := os.WriteFile(base+".txt", []byte(text), 0o644); err != nil {
			return done{"", err}
		}
		return done{"saved " + base + ".txt and .svg", os.WriteFile(base+".svg", []byte(f.svg()), 0o644)}
	}
}

// svg draws the frame as a picture of a dark terminal.
func (f *frame) svg() string {
	const cw, ch = 8.4, 17
	fill := [styles]string{plain: "#dddddd", strong: "#ffffff", dim: "#8a8a8a", good: "#56b4e9", bad: "#ff7a2f", warn: "#e69f00",
		offeredC: "#ffffff", acceptC: "#56b4e9", deliverC: "#35c79b", limitC: "#ff7a2f", baseC: "#8a8a8a", inverse: "#ffffff", badge: "#ff7a2f"}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" font-family="monospace" font-size="14" xml:space="preserve">`+"\n",
		float64(f.w)*cw, f.h*ch+6)
	b.WriteString(`<rect width="100%" height="100%" fill="#16181c"/>` + "\n")
	for y := range f.h {
		for x := 0; x < f.w; {
			s := f.cells[y*f.w+x].s
			start := x
			var t strings.Builder
			for x < f.w && f.cells[y*f.w+x].s == s {
				if r := f.cells[y*f.w+x].r; r != 0 {
					t.WriteRune(r)
				}
				x++
			}
			if strings.TrimSpace(t.String()) == "" {
				continue
			}
			fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="%s" textLength="%.1f">%s</text>`+"\n",
				float64(start)*cw, (y+1)*ch-3, fill[min(s, styles-1)], float64(x-start)*cw, html.EscapeString(t.String()))
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}
