package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut"
)

// question is one thing that init asks, or is told by a flag.
type question struct {
	flag, text string
	value      string // the answer, or what is taken without one
	set        func(s *scenarios.Starter, answer string) error
}

func questions() []*question {
	d := scenarios.DefaultStarter()
	return []*question{
		{"target", "The URL of your own sender, or nothing for the reference sender?", "", func(s *scenarios.Starter, a string) error {
			s.Target = a
			if a == "" {
				return nil
			}
			return doorError(a)
		}},
		{"title", "What is it about, in a few words?", d.Title, func(s *scenarios.Starter, a string) error {
			s.Title = a
			return nil
		}},
		{"calm", "How many messages come on an ordinary day?", d.Calm.String(), func(s *scenarios.Starter, a string) (err error) {
			s.Calm, err = loadRate(a)
			return err
		}},
		{"surge", "And in the surge?", d.Surge.String(), func(s *scenarios.Starter, a string) (err error) {
			s.Surge, err = loadRate(a)
			return err
		}},
		{"length", "How long does the surge last?", strict.Duration(d.Length), func(s *scenarios.Starter, a string) (err error) {
			s.Length, err = positive(a)
			return err
		}},
		{"media", "What share of the messages carries media?", d.Media.String(), func(s *scenarios.Starter, a string) (err error) {
			s.Media, err = quantity.ParseShare(a)
			return err
		}},
		{"within", "Within what time should 99 of 100 messages arrive?", strict.Duration(d.Within), func(s *scenarios.Starter, a string) (err error) {
			s.Within, err = positive(a)
			return err
		}},
		{"preset", "The reference sender's preset (" + strings.Join(sut.Presets(), ", ") + ")?", d.Preset, func(s *scenarios.Starter, a string) error {
			for _, p := range sut.Presets() {
				if a == p {
					s.Preset = a
					return nil
				}
			}
			if near := strict.Suggest(a, sut.Presets()); near != "" {
				return fmt.Errorf("%q is not a preset; did you mean %s?", a, near)
			}
			return fmt.Errorf("%q is not a preset; there are %s", a, strings.Join(sut.Presets(), ", "))
		}},
	}
}

func loadRate(s string) (quantity.Rate, error) {
	r, err := quantity.ParseRate(s)
	if err == nil && r.IsZero() {
		err = errors.New("a rate of 0 sends nothing")
	}
	return r, err
}

func positive(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a length of time: write 90s, 5m or 1h30m", s)
	}
	return d, nil
}

func newScenarioInitCommand() *cobra.Command {
	var force, yes bool
	all := questions()
	cmd := &cobra.Command{
		Use:   "init [NAME]",
		Short: "Begin a scenario of your own: a few questions, a file with comments",
		Long: `Writes NAME.yaml, a scenario with comments. On a terminal it asks what no flag has told; elsewhere, and with --yes,
it takes what stands below for granted. NAME - prints the file instead.`,
		Example: `  aftershock scenario init black-friday
  aftershock scenario init black-friday --calm 200/min --surge 3000/min --length 2h --yes`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError(fmt.Errorf("%s takes one name, got %d: %s", cmd.CommandPath(), len(args), strings.Join(args, " ")))
			}
			return nil
		},
	}
	fl := cmd.Flags()
	for _, q := range all {
		fl.StringVar(&q.value, q.flag, q.value, q.text)
	}
	fl.BoolVar(&yes, "yes", false, "ask nothing")
	fl.BoolVar(&force, "force", false, "write over a file that is there")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s := scenarios.DefaultStarter()
		print := len(args) == 1 && args[0] == "-"
		if len(args) == 1 && !print {
			s.Name = strings.TrimSuffix(args[0], ".yaml")
		}
		file := s.Name + ".yaml"
		if !print && !force && exists(file) {
			return usageError(fmt.Errorf("%s is there already\nhint: choose another name, or --force", file))
		}
		ask := !yes && !print && term.IsTerminal(int(os.Stdin.Fd()))
		if err := answer(&s, all, cmd, ask); err != nil {
			return err
		}
		text, err := s.YAML()
		if err != nil {
			return err
		}
		if _, err := scenarios.Read(file, text, scenarios.Options{Blocks: blocks()}); err != nil {
			return usageError(err)
		}
		if print {
			_, err := cmd.OutOrStdout().Write(text)
			return err
		}
		if err := writeWhole(file, text); err != nil {
			return exitWith(exitCouldNotRun, err)
		}
		next := file
		if s.Target != "" {
			next += " --env external"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "wrote %s\nnext: aftershock run %s\n", file, next)
		return nil
	}
	return cmd
}

// answer fills in the starter: from flags, from the terminal, or with what is taken for granted.
func answer(s *scenarios.Starter, all []*question, cmd *cobra.Command, ask bool) error {
	in := bufio.NewReader(cmd.InOrStdin())
	for _, q := range all {
		if q.flag == "preset" && s.Target != "" {
			continue
		}
		given := cmd.Flags().Changed(q.flag)
		for {
			text := q.value
			if ask && !given {
				line, err := prompt(cmd.ErrOrStderr(), in, q)
				if err != nil {
					return exitWith(exitInterrupted, errors.New("no more answers; nothing was written"))
				}
				text = line
			}
			err := q.set(s, text)
			if err == nil && q.flag == "target" && s.Target != "" {
				forTarget(all, cmd)
			}
			if err == nil {
				break
			}
			if !ask || given {
				return usageError(fmt.Errorf("--%s: %w", q.flag, err))
			}
			fmt.Fprintln(cmd.ErrOrStderr(), err)
		}
	}
	return nil
}

// forTarget takes for granted what suits a sender of one's own, whose runs take as long as they say.
func forTarget(all []*question, cmd *cobra.Command) {
	d := scenarios.DefaultStarter().ForTarget()
	for _, q := range all {
		value, ok := map[string]string{"length": strict.Duration(d.Length), "within": strict.Duration(d.Within), "media": d.Media.String()}[q.flag]
		if ok && !cmd.Flags().Changed(q.flag) {
			q.value = value
		}
	}
}

func prompt(out io.Writer, in *bufio.Reader, q *question) (string, error) {
	fmt.Fprintf(out, "%s [%s] ", q.text, q.value)
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	if line = strings.TrimSpace(line); line == "" {
		return q.value, nil
	}
	return line, nil
}
