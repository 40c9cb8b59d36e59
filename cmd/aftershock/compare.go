package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/reports"
)

func newCompareCommand() *cobra.Command {
	var output, save string
	var all bool
	cmd := &cobra.Command{
		Use:   "compare BASE CANDIDATE…",
		Short: "Set runs against each other, with statistics",
		Long: `Sets a candidate against a baseline, metric by metric. Each side is a run's folder, a folder of runs, several
folders separated by commas, or a baseline file. Both sides must have asked for the same load with the same seeds;
whatever else differs is listed, for that is what one compares. Several candidates are ranked.

In virtual time counts of harm are compared exactly and everything else within 5 %, seed by seed. On the wall clock the
metrics that the scenario judges and a short list of others are tested: a difference counts when a rank test finds it
(at 1 % over all of them, Holm's correction) and it is larger than 10 % and than the baseline's own spread. One run is
set against the interval in which the baseline's next one would lie. Too few runs to find anything are told as that,
with how many it takes. ~ means no difference.

Exit codes: 0 nothing got worse · 3 the sides cannot be compared, or the runs are too few · 99 something got worse`,
		Example: `  aftershock compare runs/before runs/after
  aftershock compare ci/baseline.json runs/after --all
  aftershock compare runs/june6 runs/idempotent runs/scaling runs/both
  aftershock compare runs/a,runs/b runs/c,runs/d -o markdown`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError(fmt.Errorf("%s takes two sides or more, a baseline and candidates, got %d", cmd.CommandPath(), len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("output", output, "text", "json", "markdown"); err != nil {
				return err
			}
			frugal()
			base, err := reports.LoadBaseline(args[0])
			if err != nil {
				return incomparable(err)
			}
			if len(args) > 2 {
				return rank(cmd, base, args[1:])
			}
			candidate, err := reports.LoadBaseline(args[1])
			if err != nil {
				return incomparable(err)
			}
			changes, err := reports.CompareWhatIf(base, candidate)
			if err != nil {
				return incomparable(err)
			}
			if save != "" {
				if err := candidate.Save(save); err != nil {
					return err
				}
			}
			out, comparison := cmd.OutOrStdout(), reports.NewComparison(base, candidate, changes)
			switch output {
			case "json":
				enc := json.NewEncoder(out)
				enc.SetIndent("", "  ")
				err = enc.Encode(comparison)
			default:
				_, err = fmt.Fprint(out, comparison.Text(output == "markdown", all))
			}
			if err != nil {
				return err
			}
			if err := comparison.GitHub(os.Getenv, os.Stderr); err != nil {
				return err
			}
			switch {
			case len(reports.Failed(changes)) > 0:
				return exitWith(exitMissed, nil)
			case reports.TooFew(changes) != "":
				return exitWith(exitInvalid, nil)
			}
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&output, "output", "o", "text", "the result on stdout: text, json or markdown")
	fl.BoolVar(&all, "all", false, "show every metric, not only those that moved")
	fl.StringVar(&save, "save-baseline", "", "write the candidate's figures into this file, for later comparisons")
	return cmd
}

// rank says of each of several candidates what it did differently, the best first.
func rank(cmd *cobra.Command, base *reports.Baseline, paths []string) error {
	var candidates []*reports.Baseline
	for _, path := range paths {
		c, err := reports.LoadBaseline(path)
		if err == nil {
			_, err = reports.CompareWhatIf(base, c)
		}
		if err != nil {
			return incomparable(err)
		}
		candidates = append(candidates, c)
	}
	reports.Rank(candidates)
	for i, c := range candidates {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%d  %s\n", i+1, reports.WhatIf(base, c)); err != nil {
			return err
		}
	}
	return nil
}

// incomparable gives an error of two sides that do not fit each other its exit code.
func incomparable(err error) error {
	var i *reports.IncomparableError
	if errors.As(err, &i) {
		return exitWith(exitInvalid, err)
	}
	return err
}
