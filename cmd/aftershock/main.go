// Command aftershock replays incidents against outbound WhatsApp senders. It holds flags, wiring, signals and exit
// codes; everything else lives in the packages that it wires together.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/internal/printable"
)

func main() {
	debug.SetGCPercent(400) // everything here makes much garbage and keeps little
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), ends()...)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the process at once
	}()
	root := newRootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var e *exitError
	if err != nil && (!errors.As(err, &e) || e.err != nil) {
		fmt.Fprintf(os.Stderr, "aftershock: %s\n", printable.Lines(printable.Text(err.Error())))
	}
	return exitCode(err)
}

// ends are the signals that end a command with what it has: a terminal that closes is one of them, unless nohup said
// that it does not matter.
func ends() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "aftershock",
		Short: "Replay an incident until it cannot hurt you again",
		Long: `aftershock is a load-testing and incident-replay harness for outbound WhatsApp senders: a fake WhatsApp
Cloud API, a reference sender, and a harness that replays bursts and incidents in virtual or real time and
measures duplicates, expiries, losses and latency.

Exit codes: 0 met · 1 could not run · 2 bad usage or scenario · 3 invalid (the measurement cannot be trusted)
            99 a threshold or the baseline was missed · 130 interrupted`,
		Example: `  aftershock run june6                          replay Kustomer's surge of 6 June 2025
  aftershock run june6-slo --preset incident    the same surge, judged by what a good sender promises
  aftershock scenario list                      what else there is`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError(fmt.Errorf("unknown command %q%s", args[0], suggestions(cmd, args[0])))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError(fmt.Errorf("%w\nhint: see %s --help", err, cmd.CommandPath()))
	})
	root.AddCommand(commands()...)
	return root
}

func suggestions(cmd *cobra.Command, word string) string {
	cmd.SuggestionsMinimumDistance = 2
	if s := cmd.SuggestionsFor(word); len(s) > 0 {
		return "; did you mean " + strings.Join(s, " or ") + "?"
	}
	return "\nhint: see aftershock --help"
}
