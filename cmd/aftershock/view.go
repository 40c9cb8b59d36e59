package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/reports/dash"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// viewFlags say how a run is shown; run and watch share them.
type viewFlags struct {
	ui, glyphs, color string
	progress          time.Duration
	notify            bool
}

func (f *viewFlags) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.ui, "ui", "auto", "auto, tui, plain, json or none")
	fl.StringVar(&f.glyphs, "glyphs", "auto", "draw charts with auto, braille, block or ascii")
	fl.StringVar(&f.color, "color", "auto", "auto, always or never")
	fl.DurationVar(&f.progress, "progress", 0, "distance of plain lines (default 10s, growing with the run; negative: events alone)")
	fl.BoolVar(&f.notify, "notify", false, "ring the bell when a threshold is missed and at the end")
}

// options are what the flags, the environment and the streams say of the view.
func (f *viewFlags) options(cmd *cobra.Command) (o dash.Options, err error) {
	o = dash.Options{
		In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr(),
		Every: f.progress, Notify: f.notify,
	}
	if o.UI, err = dash.ChooseUI(f.ui, os.Getenv, dash.TTYs(o.In, o.Out, o.Err)); err != nil {
		return o, usageError(err)
	}
	if o.Caps, err = dash.ChooseCapabilities(f.glyphs, f.color, os.Getenv); err != nil {
		return o, usageError(err)
	}
	return o, nil
}

// view is how a run is shown while it goes on: the dashboard on a terminal, lines elsewhere, and the doors for viewers
// who attach. It reads the record; the run never waits for it.
type view struct {
	options dash.Options
	speed   float64
	listen  string
	dir     string

	cancel     context.CancelFunc // ends the view and the doors
	documented chan struct{}      // closed when the documents are written, or will not be
	writing    sync.Mutex         // the documents, by the run's end or by a viewer's order
	doors      sync.WaitGroup
	shown      sync.WaitGroup
	mu         sync.Mutex
	failed     []error
}

func newView(f *runFlags, cmd *cobra.Command, dir string) (*view, error) {
	o, err := f.options(cmd)
	if err != nil {
		return nil, err
	}
	v := &view{options: o, speed: f.speed, listen: f.listen, dir: dir, cancel: func() {}, documented: make(chan struct{})}
	v.options.Owner, v.options.Reattach = true, "aftershock watch "+v.id()
	if exists(filepath.Join(f.baseline, record.FileInfo)) { // a baseline file has figures, but nothing to draw
		v.options.Baseline = dash.Folder(f.baseline)
	}
	return v, nil
}

func (v *view) id() string { return filepath.Base(v.dir) }

// open shows the run and opens its doors. It is called when the record exists and returns at once. An interrupted run
// is shown until its record has ended, so the view outlives ctx.
func (v *view) open(ctx context.Context, live *local.Live) error {
	hub := dash.NewHub(v.dir, live.Writer.Subscribe)
	hub.SetSpeed(v.speed)
	hub.Await(v.documented)
	control := hub.Control(steering{live, v})
	ctx, v.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := v.serve(ctx, hub, control); err != nil {
		v.cancel()
		return err
	}
	v.shown.Go(func() { v.note(v.show(ctx, hub, control)) })
	return nil
}

// show runs the dashboard or the lines until the run has ended. After a detach the run goes on under lines, and
// outlives its terminal.
func (v *view) show(ctx context.Context, hub *dash.Hub, control dash.Control) error {
	o := v.options
	o.Source, o.Control = hub, control
	err := dash.Run(ctx, o)
	if errors.Is(err, dash.ErrDetached) {
		signal.Ignore(syscall.SIGHUP)
		o.UI, o.Since = dash.Plain, hub.Now()
		err = dash.Run(ctx, o)
	}
	if errors.Is(err, dash.ErrLeft) {
		return nil
	}
	return err
}

// serve opens the socket for viewers on this machine and, when asked, HTTP for those elsewhere. A socket that cannot
// be opened costs the viewers, not the run.
func (v *view) serve(ctx context.Context, hub *dash.Hub, control dash.Control) error {
	token := os.Getenv("AFTERSHOCK_TOKEN")
	if socket, err := dash.ListenSocket(v.id()); err == nil {
		h := dash.Handler(dash.Server{Hub: hub, Control: control})
		v.doors.Go(func() { v.note(dash.Serve(ctx, h, socket)) })
	} else if v.options.UI != dash.None {
		fmt.Fprintf(v.options.Err, "aftershock: nobody can attach to this run: %v\n", err)
	}
	if dash.WantsOTLP(os.Getenv) {
		v.doors.Go(func() { v.note(dash.ExportOTLP(ctx, v.id(), hub.Latest)) })
	}
	if v.listen == "" {
		return nil
	}
	l, err := dash.Listen(v.listen, token)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	fmt.Fprintf(v.options.Err, "aftershock: watch with: aftershock watch http://%s\n", l.Addr())
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

// document writes the documents of the run that has ended, while nobody else does.
func (v *view) document(write func() (*reports.Report, error)) (*reports.Report, error) {
	v.writing.Lock()
	defer v.writing.Unlock()
	return write()
}

// close gives the viewers the last word, waits until the owner has seen it and closes the doors. Nothing more is
// written about the run's end when its record could not be closed: nobody waits for it then.
func (v *view) close() error {
	close(v.documented)
	if info, err := record.LoadInfo(v.dir); err != nil || info.State == record.Running {
		v.cancel()
	}
	v.shown.Wait()
	v.cancel()
	v.doors.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	return errors.Join(v.failed...)
}

// steering is what the owner, and viewers who may, do to a run that goes on.
type steering struct {
	*local.Live
	view *view
}

// Report writes the documents of the run so far; the run's end writes them again.
func (s steering) Report() (string, error) {
	s.view.writing.Lock()
	defer s.view.writing.Unlock()
	_, err := reports.WriteAll(s.view.dir)
	return filepath.Join(s.view.dir, "report.html"), err
}

// coloured says whether text on out may be coloured.
func (f *viewFlags) coloured(out io.Writer) bool {
	return f.color == "always" || f.color != "never" && colourOn(out)
}

// colourOn says whether text on out may be coloured.
func colourOn(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
