package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/aftershock-dev/aftershock/harness/sweep"
	"github.com/aftershock-dev/aftershock/reports"
)

// sweepProgress shows how far a sweep is: on a terminal a table of the last runs that redraws itself, elsewhere a line
// for each run that ends.
type sweepProgress struct {
	out   io.Writer
	live  bool
	rows  []string
	drawn int // lines on the terminal that the next drawing replaces
}

func newSweepProgress(out *os.File) *sweepProgress {
	return &sweepProgress{out: out, live: term.IsTerminal(int(out.Fd())) && os.Getenv("TERM") != "dumb" && os.Getenv("CI") == ""}
}

// liveRows is how many finished runs the table shows.
const liveRows = 12

func (p *sweepProgress) show(s sweep.State) {
	if s.Last != nil {
		row := fmt.Sprintf("%4d/%d  %-27s  %s", s.Done, s.Total, sweepFigures(s.Run), s.Last.Name)
		p.rows = append(p.rows, row)
		if !p.live {
			fmt.Fprintf(p.out, "aftershock: %s%s\n", row, leftWords(s))
		}
	}
	if !p.live {
		return
	}
	width, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err != nil || width < 20 {
		width = 100
	}
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", p.drawn)
	}
	lines := append([]string{fmt.Sprintf("%d of %d runs, %d running%s", s.Done, s.Total, s.Running, leftWords(s))}, p.rows[max(0, len(p.rows)-liveRows):]...)
	for _, l := range lines {
		if r := []rune(l); len(r) >= width {
			l = string(r[:width-2]) + "…"
		}
		b.WriteString(l + "\n")
	}
	p.drawn = len(lines)
	fmt.Fprint(p.out, b.String())
}

func (p *sweepProgress) done() { p.drawn = 0 }

func leftWords(s sweep.State) string {
	switch {
	case s.Left > 0:
		return ", " + reports.FormatDuration(s.Left.Round(time.Second)) + " left"
	case s.Reused > 0 && s.Done == s.Reused:
		return fmt.Sprintf(", %d from an earlier start", s.Reused)
	}
	return ""
}

// sweepFigures are the two numbers of a run that fit in a line.
func sweepFigures(r reports.SweepRun) string {
	words := make([]string, 0, 2)
	for _, f := range []struct{ metric, name string }{{"messages.harmed.rate", "harmed"}, {"duplicates.copies", "copies"}} {
		m, err := reports.Metric(f.metric)
		v, ok := r.Metrics[f.metric]
		if err == nil && ok {
			words = append(words, m.Unit.Format(v)+" "+f.name)
		}
	}
	return strings.Join(words, ", ")
}
