package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/reports/dash"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// repeatFlags say how often a scenario is run: several times, to be judged together, and again when the machine spoilt it.
type repeatFlags struct {
	runs, retry int
}

func (f *repeatFlags) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.IntVar(&f.runs, "runs", 1, "make this many runs and judge them together: with as many seeds in virtual time, of one seed on the wall clock")
	fl.IntVar(&f.retry, "retry-invalid", 0, "run again, up to this many times, when the machine made a run invalid; a run that was missed is never run again")
}

// mostRuns and mostRetries bound what one command asks for.
const (
	mostRuns    = 1000
	mostRetries = 100
)

func (f *repeatFlags) check(r *runFlags) error {
	switch {
	case f.runs < 1 || f.runs > mostRuns:
		return fmt.Errorf("--runs %d: use 1 to %d", f.runs, mostRuns)
	case f.retry < 0 || f.retry > mostRetries:
		return fmt.Errorf("--retry-invalid %d: use 0 to %d", f.retry, mostRetries)
	case f.runs == 1:
		return nil
	case r.ui == dash.TUI.String() || r.ui == dash.JSON.String():
		return fmt.Errorf("--ui %s shows one run: with --runs use plain or none, and -o json for the result", r.ui)
	case r.listen != "":
		return errors.New("--listen serves one run: leave it out with --runs")
	}
	return nil
}

// attempt is one run to be made.
type attempt struct {
	scenario  *scenarios.Scenario
	name, dir string
	overrides map[string]string
	document  func(dir string) (*reports.Report, error)
}

// attempts makes a run, and makes it again while the machine spoils it and there are retries left. What was spoilt is kept
// beside it.
func (f *runFlags) attempts(cmd *cobra.Command, a attempt) (rep *reports.Report, ui dash.UI, err error) {
	err = again(cmd.ErrOrStderr(), f.retry, a.dir, func(earlier []record.Retried) ([]string, error) {
		rep, ui, err = f.once(cmd, a, earlier)
		if err != nil {
			return nil, err
		}
		return rep.Hindered(), nil
	})
	return rep, ui, err
}

// again calls once until the machine did not hinder it, at most retries times more. It is told of the attempts before.
func again(log io.Writer, retries int, dir string, once func([]record.Retried) (hindered []string, err error)) error {
	var earlier []record.Retried
	for {
		why, err := once(earlier)
		if err != nil || len(why) == 0 || len(earlier) == retries {
			return err
		}
		aside, err := setAside(dir)
		if err != nil {
			return fmt.Errorf("set the attempt aside: %w", err)
		}
		earlier = append(earlier, record.Retried{Folder: filepath.Join("invalid", filepath.Base(aside)), Why: why})
		fmt.Fprintf(log, "aftershock: the machine made this run invalid (%s): kept in %s; running again, attempt %d of %d\n",
			strings.Join(why, "; "), aside, len(earlier)+1, retries+1)
	}
}

// setAside moves a run's folder into one for what was spoilt, where no folder of runs that is a side of a comparison holds it.
func setAside(dir string) (string, error) {
	spoilt := filepath.Join(filepath.Dir(dir), "invalid")
	if err := os.MkdirAll(spoilt, 0o755); err != nil {
		return "", err
	}
	for i := 1; ; i++ {
		aside := filepath.Join(spoilt, fmt.Sprintf("%s-%d", filepath.Base(dir), i))
		if exists(aside) {
			continue
		}
		return aside, os.Rename(dir, aside)
	}
}

// once makes one run and its documents. A run that was interrupted has a report and an error.
func (f *runFlags) once(cmd *cobra.Command, a attempt, earlier []record.Retried) (*reports.Report, dash.UI, error) {
	view, err := newView(f, cmd, a.dir)
	if err != nil {
		return nil, dash.None, err
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	info := f.info(a.scenario, a.name, a.dir, a.overrides)
	info.Retried = earlier
	_, runErr := f.replay(ctx, local.Options{
		Scenario: a.scenario, Dir: a.dir, Info: info, Clock: f.clock, Compress: f.compress, Speed: f.speed,
		Queue: f.queue, NATS: f.nats, Environment: f.env,
		Started: func(l *local.Live) error { return view.open(ctx, l) },
	})
	failed := runErr != nil && !errors.Is(runErr, context.Canceled)
	var rep *reports.Report
	if !failed {
		rep, err = view.document(func() (*reports.Report, error) { return a.document(a.dir) })
	}
	if err := view.close(); err != nil {
		fmt.Fprintf(os.Stderr, "aftershock: the view ended early: %v\n", err)
	}
	switch {
	case failed:
		return nil, view.options.UI, exitWith(exitCouldNotRun, runErr)
	case err != nil:
		return nil, view.options.UI, err
	case runErr != nil:
		return rep, view.options.UI, exitWith(exitInterrupted, nil)
	}
	return rep, view.options.UI, nil
}

// several makes the runs of --runs, one after the other, and judges them together.
func (f *runFlags) several(cmd *cobra.Command, s *scenarios.Scenario, name string) error {
	var base *reports.Baseline
	if f.baseline != "" {
		var err error
		if base, err = f.asked.load(f.baseline); err != nil {
			return usageError(err)
		}
	}
	all, err := f.each(cmd, s, name, base)
	if err != nil {
		return err
	}
	folder, err := f.seriesFolder(s)
	if err != nil {
		return err
	}
	if f.ui == "auto" {
		f.ui = dash.None.String()
	}
	series := reports.NewSeries(folder, f.runs)
	document := func(dir string) (*reports.Report, error) { return writeOneOfSeveral(dir, base) }
	for i, a := range all {
		a.dir = filepath.Join(folder, fmt.Sprintf("%s-%0*d", filepath.Base(folder), len(fmt.Sprint(f.runs)), i+1))
		a.document = document
		rep, _, err := f.attempts(cmd, a)
		if err != nil {
			return f.interrupted(cmd, series, err)
		}
		series.Add(rep, a.dir)
		if f.output == "text" {
			fmt.Fprintln(cmd.OutOrStdout(), series.Line(i))
		}
	}
	return f.concludeSeries(cmd, series, base)
}

// interrupted tells how far a series came.
func (f *runFlags) interrupted(cmd *cobra.Command, s *reports.Series, err error) error {
	if exitCode(err) == exitInterrupted && len(s.Runs) > 0 && f.output == "text" {
		fmt.Fprint(cmd.OutOrStdout(), "\n"+s.Text())
	}
	return err
}

// each resolves every run before the first one begins: the next seed in virtual time, where a seed gives the same run
// whenever it runs, and the same one on the wall clock, where it does not.
func (f *runFlags) each(cmd *cobra.Command, s *scenarios.Scenario, name string, base *reports.Baseline) ([]attempt, error) {
	first := s.Seed
	out := make([]attempt, f.runs)
	for i := range out {
		if f.clock == "virtual" {
			if err := cmd.Flags().Set("seed", fmt.Sprint(first+int64(i))); err != nil {
				return nil, usageError(err)
			}
		}
		own, overrides, err := f.load(cmd, name)
		if err != nil {
			return nil, err
		}
		if base != nil {
			if err := base.Fits(own, f.clock); err != nil {
				return nil, incomparable(err)
			}
		}
		out[i] = attempt{scenario: own, name: name, overrides: overrides}
	}
	return out, nil
}

// seriesFolder is the folder that holds the folders of the runs.
func (f *runFlags) seriesFolder(s *scenarios.Scenario) (string, error) {
	if f.out == "" {
		return ownFolder("runs", fmt.Sprintf("%s-%s-x%d", s.Name, time.Now().UTC().Format("20060102T150405Z"), f.runs))
	}
	dir, err := f.folder(s)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", exitWith(exitCouldNotRun, fmt.Errorf("make the folder of the runs: %w", err))
	}
	return dir, nil
}

// writeOneOfSeveral leaves the documents of a run that will be compared together with others.
func writeOneOfSeveral(dir string, base *reports.Baseline) (*reports.Report, error) {
	frugal()
	rep, err := reports.Open(dir)
	if err != nil {
		return nil, err
	}
	if base != nil {
		if err := rep.Beside(base); err != nil {
			return nil, incomparable(err)
		}
	}
	return rep, rep.Write(dir)
}

// concludeSeries compares the runs with the baseline, prints what they came to, and saves them as a baseline.
func (f *runFlags) concludeSeries(cmd *cobra.Command, s *reports.Series, base *reports.Baseline) error {
	if base != nil && s.Believable() {
		if err := s.Against(base); err != nil {
			return incomparable(err)
		}
	}
	out := cmd.OutOrStdout()
	err := s.GitHub(os.Getenv, cmd.ErrOrStderr())
	switch {
	case err != nil:
	case f.output == "json":
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		err = enc.Encode(s)
	case f.output == "markdown":
		_, err = fmt.Fprint(out, s.Markdown())
	default:
		_, err = fmt.Fprint(out, "\n"+s.Text())
	}
	switch {
	case err != nil:
		return err
	case f.save != "" && s.ExitCode == 0:
		return f.saveSeries(s)
	case f.save != "":
		fmt.Fprintf(os.Stderr, "aftershock: no baseline saved: the runs are %s together, and a baseline is made of runs that were met\n", s.Verdict)
	}
	if s.ExitCode != 0 {
		return exitWith(s.ExitCode, nil)
	}
	return nil
}

// saveSeries saves all runs as a baseline.
func (f *runFlags) saveSeries(s *reports.Series) error {
	b, err := reports.LoadBaseline(s.Folder)
	if err != nil {
		return incomparable(err)
	}
	if err := b.Save(f.save); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "aftershock: baseline of %d runs saved in %s\n", len(s.Runs), f.save)
	return nil
}
