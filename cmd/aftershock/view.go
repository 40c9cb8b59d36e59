package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/reports/dash"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// view is how a run is shown while it goes on: the dashboard on a terminal, lines elsewhere, and the doors for viewers
// who attach. It reads the record; the run never waits for it.
type view struct {
	ui     dash.UI
	caps   dash.Capabilities
	speed  float64
	listen string
	id     string
	in     io.Reader
	out    io.Writer
	err    io.Writer

	cancel context.CancelFunc // ends the doors
	doors  sync.WaitGroup
	shown  sync.WaitGroup
	mu     sync.Mutex
	failed []error
}

func newView(f *runFlags, cmd *cobra.Command, s *scenarios.Scenario, id string) (*view, error) {
	ui, err := dash.ChooseUI(f.ui, os.Getenv, dash.TTYs(os.Stdin, os.Stdout, os.Stderr))
	if err != nil {
		return nil, err
	}
	if f.output != "text" && f.ui == "auto" && ui == dash.JSON {
		ui = dash.None
	}
	caps, err := dash.ChooseCapabilities("auto", "auto", os.Getenv)
	if err != nil {
		return nil, err
	}
	return &view{
		ui: ui, caps: caps, speed: f.speed, listen: f.listen, id: id, in: cmd.InOrStdin(), out: os.Stdout, err: cmd.ErrOrStderr(),
	}, nil
}

// open shows the run and opens its doors. It is called when the record exists and returns at once.
func (v *view) open(ctx context.Context, live *local.Live) error {
	hub := dash.NewHub(live.Writer.Dir(), live.Writer.Subscribe)
	hub.SetSpeed(v.speed)
	control := hub.Control(live)
	doors, cancel := context.WithCancel(context.WithoutCancel(ctx))
	v.cancel = cancel
	if err := v.serve(doors, hub, control); err != nil {
		cancel()
		return err
	}
	v.shown.Go(func() { v.show(ctx, hub, control) })
	return nil
}

// show runs the dashboard or the lines until the run has ended. After a detach the run goes on under lines.
func (v *view) show(ctx context.Context, hub *dash.Hub, control dash.Control) {
	o := dash.Options{
		Source: hub, Control: control, Owner: true, UI: v.ui, Caps: v.caps, In: v.in, Out: v.out, Err: v.err,
		GitHub: os.Getenv("GITHUB_ACTIONS") == "true", Reattach: "aftershock watch " + v.id,
	}
	err := dash.Run(ctx, o)
	switch {
	case errors.Is(err, dash.ErrDetached):
		o.UI = dash.Plain
		err = dash.Run(ctx, o)
	case errors.Is(err, dash.ErrLeft):
		err = nil
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		v.note(err)
	}
}

// serve opens the socket for viewers on this machine and, when asked, HTTP for those elsewhere. A socket that cannot
// be opened costs the viewers, not the run.
func (v *view) serve(ctx context.Context, hub *dash.Hub, control dash.Control) error {
	token := os.Getenv("AFTERSHOCK_TOKEN")
	if socket, err := dash.ListenSocket(v.id); err == nil {
		h := dash.Handler(dash.Server{Hub: hub, Control: control})
		v.doors.Go(func() { v.note(dash.Serve(ctx, h, socket)) })
	} else if v.ui != dash.None {
		fmt.Fprintf(v.err, "aftershock: nobody can attach to this run: %v\n", err)
	}
	if dash.WantsOTLP(os.Getenv) {
		v.doors.Go(func() { v.note(dash.ExportOTLP(ctx, v.id, hub.Latest)) })
	}
	if v.listen == "" {
		return nil
	}
	l, err := dash.Listen(v.listen, token)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	fmt.Fprintf(v.err, "aftershock: watch with: aftershock watch http://%s\n", l.Addr())
	h := dash.Handler(dash.Server{Hub: hub, Control: control, Token: token})
	v.doors.Go(func() { v.note(dash.Serve(ctx, h, l)) })
	return nil
}

func (v *view) note(err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = append(v.failed, err)
}

// close waits until the last item is shown, then closes the doors.
func (v *view) close() error {
	v.shown.Wait()
	if v.cancel != nil {
		v.cancel()
	}
	v.doors.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	return errors.Join(v.failed...)
}

// colourOn says whether text on out may be coloured.
func colourOn(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
