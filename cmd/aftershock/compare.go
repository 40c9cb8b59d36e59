package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/reports"
)

func newCompareCommand() *cobra.Command {
	var output, save string
	var all bool
	var asked askedFlags
	cmd := &cobra.Command{
		Use:   "compare BASE CANDIDATE…",
		Short: "Set runs against each other, with statistics",
		Long: `Sets a candidate against a baseline, metric by metric. Each side is a run's folder, a folder of runs, several
folders separated by commas, or a baseline file. Both sides must have asked for the same load; whatever else
differs is listed, for that is what one compares. Several candidates are ranked: the least harmed messages
first, then the fewest copies, then the shortest delay.

In virtual time runs are paired by their seeds, and what one side lacks is left out and said. Counts of harm are compared
exactly and everything else within 5 % (--smallest); where key figures go up on some seeds and down on others, a paired
test decides. On the wall clock the metrics that the scenario judges and a short list of others are tested at 1 % over
all of them (--alpha), and a difference counts from 10 % on (--smallest). Runs that are too few to see it are told as
that, with how many it takes by the noise they show. ~ means no difference.

Exit codes: 0 nothing got worse · 3 the sides cannot be compared, or the runs are too few · 99 something got worse.
Of several candidates the worst counts: 99 when something got worse with any of them, else 3 when any could not be told`,
		Example: `  aftershock compare runs/before runs/after
  aftershock compare ci/baseline.json runs/after --all
  aftershock compare runs/wall-before runs/wall-after --smallest 20%
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
			if save != "" && len(args) > 2 {
				return usageError(errors.New("--save-baseline keeps one candidate's figures, and there are several: compare the one to keep with the baseline alone"))
			}
			frugal()
			base, err := asked.load(args[0])
			if err != nil {
				return incomparable(err)
			}
			var candidates []*reports.Baseline
			for _, path := range args[1:] {
				c, err := reports.LoadBaseline(path)
				if err != nil {
					return incomparable(err)
				}
				candidates = append(candidates, c)
			}
			result, err := set(base, candidates)
			if err != nil {
				return incomparable(err)
			}
			if save != "" {
				if err := candidates[0].Save(save); err != nil {
					return err
				}
			}
			return tell(cmd, result, output, all)
		},
	}
	fl := cmd.Flags()
	asked.register(fl)
	fl.StringVarP(&output, "output", "o", "text", "the result on stdout: text, json or markdown")
	fl.BoolVar(&all, "all", false, "show every metric, not only those that moved")
	fl.StringVar(&save, "save-baseline", "", "write the candidate's figures into this file, for later comparisons")
	return cmd
}

// compared is what comes of setting sides against each other: a comparison, or a ranking of several candidates.
type compared interface {
	Text(markdown, all bool) string
	GitHub(getenv func(string) string, log io.Writer) error
	Outcome() (reports.Verdict, int)
}

// set compares one candidate with the baseline, or ranks several.
func set(base *reports.Baseline, candidates []*reports.Baseline) (compared, error) {
	if len(candidates) > 1 {
		return reports.NewRanking(base, candidates)
	}
	changes, err := reports.CompareWhatIf(base, candidates[0])
	if err != nil {
		return nil, err
	}
	return reports.NewComparison(base, candidates[0], changes), nil
}

// tell prints what came of a comparison and ends with its exit code.
func tell(cmd *cobra.Command, c compared, output string, all bool) (err error) {
	if output == "json" {
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		err = enc.Encode(c)
	} else {
		_, err = fmt.Fprint(cmd.OutOrStdout(), c.Text(output == "markdown", all))
	}
	if err != nil {
		return err
	}
	if err := c.GitHub(os.Getenv, cmd.ErrOrStderr()); err != nil {
		return err
	}
	if _, code := c.Outcome(); code != 0 {
		return exitWith(code, nil)
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
