package reports

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// GitHub tells GitHub Actions what the run came to, when it runs there: an annotation for each threshold that was not
// met, written to log, and report.md appended to the step's summary. Elsewhere it does nothing.
func (r *Report) GitHub(getenv func(string) string, log io.Writer) error {
	return tellGitHub(getenv, log, r.annotations(), r.markdown())
}

// GitHub does the same for a comparison: an annotation for each metric that got worse, and the table.
func (c Comparison) GitHub(getenv func(string) string, log io.Writer) error {
	return tellGitHub(getenv, log, worseThanBaseline(c.Scenario, c.changes), []byte(c.Text(true, false)))
}

// GitHub appends the sweep to the step's summary.
func (s *Sweep) GitHub(getenv func(string) string, log io.Writer) error {
	var b bytes.Buffer
	if err := s.Markdown(&b); err != nil {
		return err
	}
	return tellGitHub(getenv, log, nil, b.Bytes())
}

func tellGitHub(getenv func(string) string, log io.Writer, annotations []string, summary []byte) error {
	if getenv("GITHUB_ACTIONS") != "true" {
		return nil
	}
	for _, line := range annotations {
		if _, err := fmt.Fprintln(log, line); err != nil {
			return err
		}
	}
	return appendSummary(getenv("GITHUB_STEP_SUMMARY"), summary)
}

// appendSummary adds Markdown to the file in which a step's summary is collected; an empty path is none.
func appendSummary(path string, text []byte) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write the step summary: %w", err)
	}
	_, err = f.Write(text)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write the step summary: %w", err)
	}
	return nil
}

// annotations are the workflow commands for what was not met.
func (r *Report) annotations() []string {
	var out []string
	name := r.Info.Scenario.Name
	if r.Verdict == Invalid {
		for _, why := range append(r.untrusted(), r.unjudged()...) {
			out = append(out, annotation("error", name+": invalid", why))
		}
	}
	for _, t := range r.Thresholds {
		if t.Verdict == Met {
			continue
		}
		level := "error"
		switch {
		case t.Warn():
			level = "warning"
		case r.Words.Neutral(t.Verdict):
			level = "notice"
		}
		text := fmt.Sprintf("%s: observed %s, want %s", t.Metric, t.Observed, t.Is)
		if t.Says != "" {
			text = t.Says + ". " + text
		}
		out = append(out, annotation(level, name+": "+t.ID+" "+r.Words.Of(t.Verdict), text))
	}
	return append(out, worseThanBaseline(name, r.changes)...)
}

// worseThanBaseline is one annotation for all metrics that got worse: GitHub shows no more than ten errors of a step.
func worseThanBaseline(scenario string, changes []Change) []string {
	if len(Failed(changes)) == 0 {
		return nil
	}
	return []string{annotation("error", scenario+": worse than the baseline", comparisonWords(changes))}
}

// annotation is one workflow command, escaped as GitHub asks.
func annotation(level, title, text string) string {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	return "::" + level + " title=" + property.Replace(title) + "::" + data.Replace(text)
}

// GitHub does the same for a series of runs: an annotation for each run that was not met, and all of them in a table.
func (s *Series) GitHub(getenv func(string) string, log io.Writer) error {
	var out []string
	for _, r := range s.Runs {
		if r.Verdict != Met {
			out = append(out, annotation("error", fmt.Sprintf("%s, seed %d: %s", s.Scenario, r.Seed, s.Words.Of(r.Verdict)), strings.Join(r.Why, "; ")))
		}
	}
	if s.Baseline != nil {
		out = append(out, worseThanBaseline(s.Scenario, s.Baseline.changes)...)
	}
	return tellGitHub(getenv, log, out, []byte(s.Markdown()))
}
