package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/reports/dash"
)

// newDoctorCommand tells what this machine can do, and proves that the gate can fail.
func newDoctorCommand() *cobra.Command {
	var gate, power bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Tell what this machine can run, and prove that the gate can fail",
		Long: `Tells what this machine can run. With --gate it puts a known regression and a single duplicate in front of the
thresholds, which must turn red, and sets equal runs against each other, which must stay green; it prints how often they
did not. Exit code 1 when the gate failed its test. With --power it prints how often a comparison of so many runs on the
wall's clock raises a false alarm, and how often it finds a change.`,
		Example: "  aftershock doctor\n  aftershock doctor --gate",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			switch {
			case gate:
				return reports.GateTest(out)
			case power:
				return reports.Power(out)
			}
			fmt.Fprintf(out, "aftershock %s, %s, %s/%s, %d processors\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
			fmt.Fprintln(out, "embedded    yes: virtual time and loopback need nothing else")
			fmt.Fprintln(out, "processes   yes: the parts are this program")
			fmt.Fprintf(out, "containers  %s\n", engine(cmd))
			fmt.Fprintf(out, "runs/       %s\n", writable("."))
			fmt.Fprintf(out, "sender      %s\n", senderSettings())
			if runs := dash.Running(); len(runs) > 0 {
				fmt.Fprintf(out, "running     %v (aftershock watch NAME)\n", runs)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&gate, "gate", false, "test the gate itself: regressions must turn red, equal runs must not")
	cmd.Flags().BoolVar(&power, "power", false, "print what comparisons on the wall's clock can find, by the number of runs")
	return cmd
}

// engine asks the Docker client whether an engine answers.
func engine(cmd *cobra.Command) string {
	path, err := exec.LookPath("docker")
	if err != nil {
		return "unknown: no docker client to ask with (DOCKER_HOST works without one)"
	}
	if err := exec.CommandContext(cmd.Context(), path, "info").Run(); err != nil {
		return "no: no Docker engine answers"
	}
	return "yes: a Docker engine answers"
}

// writable says whether a run's folder could be made here.
func writable(dir string) string {
	probe, err := os.MkdirTemp(dir, ".aftershock-")
	if err != nil {
		return "no: " + err.Error() + " (use --out)"
	}
	if err := os.Remove(probe); err != nil {
		return err.Error()
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err.Error()
	}
	return "yes: in " + abs
}
