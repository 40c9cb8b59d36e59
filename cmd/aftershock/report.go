package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/reports"
)

func newReportCommand() *cobra.Command {
	var output, baseline, save string
	var exit bool
	var asked askedFlags
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "Rebuild every document of a run from its record",
		Long: `Rebuilds report.html, report.md, summary.json, junit.xml, bench.txt, hdr/ and plots/ from the record in a run's
folder, byte for byte as they were, and prints the verdict. A run that was killed reports as far as it got.`,
		Example: `  aftershock report runs/june6-20250606T170300Z-s606
  aftershock report runs/june6-20250606T170300Z-s606 -o markdown
  aftershock report runs/slo --baseline ci/baseline.json --exit-code
  aftershock report runs/slo --save-baseline ci/baseline.json`,
		Args: exactlyOne("the folder of a run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("output", output, "text", "json", "markdown"); err != nil {
				return err
			}
			rep, err := writeDocuments(args[0], baseline, asked)
			if err != nil {
				return err
			}
			if save != "" {
				if err := saveBaseline([]*reports.Report{rep}, save); err != nil {
					return err
				}
			}
			if err := printReport(cmd.OutOrStdout(), rep, output); err != nil {
				return err
			}
			if exit && rep.ExitCode != 0 {
				return exitWith(rep.ExitCode, nil)
			}
			return nil
		},
	}
	fl := cmd.Flags()
	asked.register(fl)
	fl.StringVarP(&output, "output", "o", "text", "the result on stdout: text, json or markdown")
	fl.StringVar(&baseline, "baseline", "", "a run's folder or a baseline file to compare with")
	fl.StringVar(&save, "save-baseline", "", "write the run's figures into this file, for later comparisons")
	fl.BoolVar(&exit, "exit-code", false, "exit with the verdict's code, as run does")
	return cmd
}

// frugal keeps what reading records takes small. The harness' own setting trades memory for speed, which pays while a
// run goes on, not here.
func frugal() { debug.SetGCPercent(40) }

// writeDocuments judges the run in a folder, against a baseline if one is named, and leaves all its documents there.
// What cannot be compared judges nothing: exit 3.
func writeDocuments(dir, baseline string, asked askedFlags) (*reports.Report, error) {
	frugal()
	rep, err := reports.Open(dir)
	if err != nil {
		return nil, err
	}
	if baseline != "" {
		b, err := asked.load(baseline)
		if err != nil {
			return nil, err
		}
		if err := rep.Against(b); err != nil {
			return nil, incomparable(err)
		}
	}
	return rep, rep.Write(dir)
}

// oneOf checks a flag's value against those it may have.
func oneOf(flag, value string, allowed ...string) error {
	if contains(allowed, value) {
		return nil
	}
	return usageError(fmt.Errorf("--%s %q: use %s", flag, value, strings.Join(allowed, ", ")))
}

func saveBaseline(runs []*reports.Report, path string) error {
	b, err := reports.NewBaseline(runs, false)
	if err != nil {
		return exitWith(exitInvalid, err)
	}
	if err := b.Save(path); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "aftershock: baseline saved in %s\n", path)
	return nil
}
