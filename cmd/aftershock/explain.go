package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/reports"
)

func newExplainCommand() *cobra.Command {
	var message, output string
	kinds := map[string]*bool{}
	cmd := &cobra.Command{
		Use:   "explain DIR",
		Short: "Say why: for a message its whole story, for duplicates, expired and lost their causes",
		Long: `Explains a finished run from its record, without running it again. For a message, everything that happened in
order: when it was due, each attempt and what came of it, which of them made a copy and why. For duplicates, expired and
lost messages, groups by cause with counts and examples; the counts add up to the run's summary.`,
		Example: `  aftershock explain runs/june6-20250606T170300Z-s606
  aftershock explain runs/june6-20250606T170300Z-s606 --duplicates
  aftershock explain runs/june6-20250606T170300Z-s606 --message m004711`,
		Args: exactlyOne("the folder of a run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("output", output, "text", "json"); err != nil {
				return err
			}
			var wanted []string
			for _, k := range reports.Kinds {
				if *kinds[k] {
					wanted = append(wanted, k)
				}
			}
			frugal()
			rep, err := reports.Open(args[0])
			if err != nil {
				return err
			}
			if message != "" {
				tale, err := rep.Tell(message)
				if err != nil {
					return usageError(err)
				}
				return show(cmd, output, tale, func() string { return tale.Text(rep.Info.Start) })
			}
			if len(wanted) == 0 {
				wanted = reports.Kinds
			}
			return explainKinds(cmd, rep, wanted, output)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&message, "message", "", "tell the story of this message, such as m004711")
	for _, k := range reports.Kinds {
		what := "why messages ended " + k
		if k == "duplicates" {
			what = "why messages were sent more than once"
		}
		kinds[k] = fl.Bool(k, false, what)
	}
	fl.StringVarP(&output, "output", "o", "text", "the result on stdout: text or json")
	return cmd
}

func explainKinds(cmd *cobra.Command, rep *reports.Report, kinds []string, output string) error {
	all := []reports.Explanation{}
	for _, k := range kinds {
		e, err := rep.Explain(k)
		if err != nil {
			return err
		}
		if e.Total > 0 || len(kinds) == 1 {
			all = append(all, e)
		}
	}
	return show(cmd, output, all, func() string {
		text := ""
		for i, e := range all {
			if i > 0 {
				text += "\n"
			}
			text += e.Text()
		}
		if len(all) == 0 {
			text = "nothing to explain: every message was delivered, once\n"
		}
		return text
	})
}

// show prints a value as JSON, or its text.
func show(cmd *cobra.Command, output string, value any, text func() string) error {
	if output == "json" {
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(value)
	}
	_, err := fmt.Fprint(cmd.OutOrStdout(), text())
	return err
}
