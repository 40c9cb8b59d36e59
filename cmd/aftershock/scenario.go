package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut"
)

func newScenarioCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scenario",
		Short: "List, show, check, import and begin scenarios",
		Example: `  aftershock scenario list
  aftershock scenario show june6 --variant longer-media
  aftershock scenario check my-incident.yaml
  aftershock scenario import access.log --as june-surge
  aftershock scenario init`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError(fmt.Errorf("unknown command %q%s", cmd.CommandPath()+" "+args[0], suggestions(cmd, args[0])))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newScenarioListCommand(), newScenarioShowCommand(), newScenarioCheckCommand(), newScenarioSchemaCommand(),
		newScenarioImportCommand(), newScenarioInitCommand())
	return cmd
}

// noArguments is cobra.NoArgs with the exit code of bad usage.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError(fmt.Errorf("%s takes no arguments, got %s", cmd.CommandPath(), strings.Join(args, " ")))
	}
	return nil
}

func newScenarioListCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the scenarios that are built in",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out, list := cmd.OutOrStdout(), scenarios.List()
			switch output {
			case "json":
				e := json.NewEncoder(out)
				e.SetIndent("", "  ")
				return e.Encode(list)
			case "text":
			default:
				return usageError(fmt.Errorf("-o %q: use text or json", output))
			}
			w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
			fmt.Fprintln(w, "NAME\tLOAD\tMESSAGES\tWHAT")
			for _, i := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", i.Name, strict.Duration(i.Length), thousands(i.Messages), i.Title)
			}
			if err := w.Flush(); err != nil {
				return err
			}
			for _, i := range list {
				if len(i.Variants) > 0 {
					fmt.Fprintf(out, "\nvariants of %s: %s\n", i.Name, strings.Join(i.Variants, ", "))
				}
			}
			fmt.Fprintln(out, "\nnext: aftershock run NAME, or aftershock scenario show NAME")
			return nil
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

// thousands writes 174125 as 174,125.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func newScenarioShowCommand() *cobra.Command {
	var f scenarioFlags
	cmd := &cobra.Command{
		Use:   "show SCENARIO",
		Short: "Print a scenario as a run would see it: extended, varied and overridden",
		Args:  exactlyOne("a scenario: a name from 'aftershock scenario list', or a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, _, err := f.load(cmd, args[0])
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(s.YAML())
			return err
		},
	}
	f.register(cmd)
	return cmd
}

func newScenarioCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check SCENARIO...",
		Short: "Check scenarios without running them",
		Long: `Checks scenarios whole: every key and value, what they extend, every variant, every step of the timeline, every
threshold and the trace. A step that would do nothing is wrong here; a run of it is invalid. Everything that is wrong is told by file, line and key; the exit code is then 2.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(fmt.Errorf("%s needs a scenario: a file, or a name from 'aftershock scenario list'", cmd.CommandPath()))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var wrong []error
			for _, name := range args {
				s, err := scenarios.Open(name, scenarios.Options{Blocks: blocks()})
				if err == nil {
					err = s.Idle.Err()
				}
				if err != nil {
					wrong = append(wrong, err)
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: fine (%s)\n", name, describe(s))
			}
			if len(wrong) == 0 {
				return nil
			}
			return usageError(errors.Join(wrong...))
		},
	}
}

// describe tells in one line what a scenario asks for.
func describe(s *scenarios.Scenario) string {
	load := thousands(int(s.Load.Curve().Total()+0.5)) + " messages"
	if s.Load.Trace != "" {
		load = "the messages of " + s.Load.Trace
	}
	words := []string{load + " over " + strict.Duration(s.Duration().Round(time.Second))}
	for _, c := range []struct {
		n    int
		what string
	}{{len(s.Timeline), "step"}, {len(s.Thresholds), "threshold"}, {len(s.Variants), "variant"}} {
		if c.n == 1 {
			words = append(words, "1 "+c.what)
		} else if c.n > 1 {
			words = append(words, strconv.Itoa(c.n)+" "+c.what+"s")
		}
	}
	return strings.Join(words, ", ")
}

func newScenarioSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenario files, for editors",
		Long: `Prints the JSON Schema of scenario files. Editors that know it complete keys and mark mistakes: keep it in a file
and begin a scenario with   # yaml-language-server: $schema=scenario.schema.json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := scenarios.Owned{Sender: sut.Config{}, WhatsApp: fakewa.Config{}, Faults: slices.Sorted(maps.Keys(fakewa.FaultKinds()))}
			for _, m := range reports.Metrics() {
				o.Metrics = append(o.Metrics, m.Name)
			}
			b, err := scenarios.JSONSchema(o)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", b)
			return err
		},
	}
}
