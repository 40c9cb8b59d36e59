package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/reports/dash"
)

// watchFlags are the flags of watch, as they were given.
type watchFlags struct {
	viewFlags
	speed               float64
	tokenFile, baseline string
}

func newWatchCommand() *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch [RUN|DIR|URL]",
		Short: "Watch a run: live, from elsewhere, or played back",
		Long: `Shows a run in the terminal. RUN is a run that goes on on this machine (none is needed when there is only one),
DIR is the folder of a run, finished or not, and URL is where a run started with --listen serves viewers.

Any number of viewers may watch; leaving one leaves the run alone. A run of this machine and user can be steered
after pressing o, one behind a URL only with its token (AFTERSHOCK_TOKEN or --token-file). Press ? for the keys.`,
		Example: `  aftershock watch                                   the run that goes on here
  aftershock watch runs/june6-20250606T170300Z-s606  how a finished run ended; scrub with [ and ]
  aftershock watch DIR --speed 600                   play it at ten minutes a second
  aftershock watch http://127.0.0.1:9464             a run elsewhere, through an SSH tunnel`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError(fmt.Errorf("watch takes one run, got %d: %s", len(args), strings.Join(args, " ")))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, strings.Join(args, "")) },
	}
	f.viewFlags.register(cmd)
	fl := cmd.Flags()
	fl.Float64Var(&f.speed, "speed", 0, "play a finished run at so many of its seconds a second (0: show how it ended)")
	fl.StringVar(&f.tokenFile, "token-file", "", "file with the token of a run behind a URL")
	fl.StringVar(&f.baseline, "baseline", "", "a finished run's folder to draw behind this one")
	return cmd
}

func (f *watchFlags) run(cmd *cobra.Command, target string) error {
	if !(f.speed >= 0) {
		return usageError(fmt.Errorf("--speed %g: it is 0 or more", f.speed))
	}
	o, err := f.options(cmd)
	if err != nil {
		return err
	}
	token, err := f.token()
	if err != nil {
		return err
	}
	run, err := dash.Open(target, token)
	if err != nil {
		return err
	}
	if f.speed > 0 && !run.Finished {
		return usageError(errors.New("--speed plays finished runs; the speed of one that goes on is its owner's (keys o, then < and >)"))
	}
	o.Source, o.Control, o.Attached, o.Speed = run.Source, run.Control, run.Attached, f.speed
	o.GitHub = os.Getenv("GITHUB_ACTIONS") == "true" // a run says it itself, at its end
	o.Reattach = strings.TrimSpace("aftershock watch " + target)
	if f.baseline != "" {
		base, err := dash.Open(f.baseline, "")
		if err != nil {
			return fmt.Errorf("--baseline: %w", err)
		}
		if !base.Finished {
			return usageError(fmt.Errorf("--baseline %s: it has not ended yet", f.baseline))
		}
		o.Baseline = base.Source
	}
	err = dash.Run(cmd.Context(), o)
	switch {
	case errors.Is(err, dash.ErrLeft), errors.Is(err, dash.ErrDetached):
		return nil
	case cmd.Context().Err() != nil:
		return exitWith(exitInterrupted, nil)
	}
	return err
}

// token reads the token of a run elsewhere: from a file or the environment, never from the command line.
func (f *watchFlags) token() (string, error) {
	if f.tokenFile == "" {
		return os.Getenv("AFTERSHOCK_TOKEN"), nil
	}
	var in io.Reader = os.Stdin
	if f.tokenFile != "-" {
		file, err := os.Open(f.tokenFile)
		if err != nil {
			return "", fmt.Errorf("--token-file: %w", err)
		}
		defer file.Close()
		in = file
	}
	b, err := io.ReadAll(io.LimitReader(in, 4<<10))
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
