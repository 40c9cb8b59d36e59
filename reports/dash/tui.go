package dash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/term"

	_ "github.com/aftershock-dev/aftershock/reports/dash/internal/quiet" // before bubbletea asks the terminal anything
)

// runTUI shows the dashboard on a terminal.
func runTUI(ctx context.Context, o Options) (err error) {
	base, err := readBaseline(ctx, o.Baseline)
	if err != nil {
		return err
	}
	restore, err := raw(o.In)
	if err != nil {
		return fmt.Errorf("open the dashboard: %w", err)
	}
	m := NewModel(o, base)
	if w, h, ok := size(o.Out); ok {
		m.width, m.height = w, h
	}
	m.screen = newScreen(o.Out, o.Caps)
	m.screen.open()
	defer func() {
		err = errors.Join(err, m.screen.close(), restore())
		m.farewell(err)
	}()

	ctx, stop := context.WithCancel(ctx)
	p := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(io.Discard),
		tea.WithoutRenderer(), tea.WithoutSignalHandler())
	var feeding sync.WaitGroup
	defer feeding.Wait()
	defer stop()
	feeding.Go(func() { feed(ctx, p, o) })

	_, err = p.Run()
	if m.closed {
		return m.leave
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// feed sends the model its ticks, the terminal's size, and the stream in batches.
func feed(ctx context.Context, p *tea.Program, o Options) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	items := make(chan Item, 1024)
	var failed error
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() {
		defer close(items)
		for it, err := range o.Source.Items(ctx, "") {
			if err != nil {
				failed = err
				return
			}
			select {
			case items <- it:
			case <-ctx.Done():
				return
			}
		}
	})
	defer stop()
	tick := time.NewTicker(frameEvery)
	defer tick.Stop()
	p.Send(Tick(time.Now()))
	open := items
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if w, h, ok := size(o.Out); ok {
				p.Send(tea.WindowSizeMsg{Width: w, Height: h})
			}
			var batch Items
		drain:
			for open != nil && len(batch) < 4096 {
				select {
				case it, ok := <-open:
					if !ok {
						open = nil
						break drain
					}
					batch = append(batch, it)
				default:
					break drain
				}
			}
			if len(batch) > 0 {
				p.Send(batch)
			}
			if open == nil && items != nil {
				items = nil
				reading.Wait()
				if ctx.Err() == nil {
					p.Send(Ended{failed})
				}
			}
			p.Send(Tick(now))
		}
	}
}

// readBaseline reads a finished run to the end.
func readBaseline(ctx context.Context, s Source) (*History, error) {
	if s == nil {
		return nil, nil
	}
	h := NewHistory()
	for it, err := range s.Items(ctx, "") {
		if err != nil {
			return nil, fmt.Errorf("read the baseline: %w", err)
		}
		h.Feed(it)
	}
	return h, ctx.Err()
}

// raw switches a terminal to single keys.
func raw(in io.Reader) (restore func() error, err error) {
	f, ok := in.(interface{ Fd() uintptr })
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, errors.New("the input is not a terminal: use --ui plain")
	}
	state, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	return func() error { return term.Restore(int(f.Fd()), state) }, nil
}

// farewell leaves the last word in the scrollback: what was seen last, and how to come back.
func (m *Model) farewell(err error) {
	if errors.Is(err, ErrDetached) {
		text := "detached: the run goes on"
		if m.opts.Reattach != "" {
			text += "\nattach again: " + m.opts.Reattach
		}
		fmt.Fprintln(m.opts.Err, text)
		return
	}
	if m.opts.Owner || m.history.items == 0 {
		return
	}
	d := &drawing{f: newFrame(min(max(m.width, 80), 200), 2, m.caps.Glyphs == ASCII), s: m.Snapshot(), caps: m.caps}
	d.sane()
	d.identity(0)
	d.sentence(1)
	for _, l := range strings.Split(d.f.String(NoColor), "\n") {
		fmt.Fprintln(m.opts.Err, strings.TrimRight(l, " "))
	}
}
