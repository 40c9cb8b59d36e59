package reports

import (
	"encoding/xml"
	"fmt"
	"strings"
)

type junitSuite struct {
	XMLName    xml.Name        `xml:"testsuite"`
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitProblem `xml:"failure,omitempty"`
	Error   *junitProblem `xml:"error,omitempty"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Body    string `xml:",chardata"`
}

// junit is the report as a test suite: one case for each threshold, one for whether the run can be trusted, one
// for whether every outcome is looked at, and one for each metric compared with a baseline that got worse.
func (r *Report) junit() ([]byte, error) {
	s := r.summary
	suite := junitSuite{
		Name: s.Scenario.Name, Time: fmt.Sprintf("%.3f", s.Run.WallS),
		Properties: []junitProperty{{"verdict", r.Words.Of(r.Verdict)}, {"run", s.Run.ID}, {"seed", fmt.Sprint(s.Scenario.Seed)}, {"scenario_sha256", s.Scenario.SHA256}, {"digest", s.Run.Digest}, {"command", r.Info.Command}},
	}
	for _, e := range r.numbered() {
		suite.Properties = append(suite.Properties, junitProperty{fmt.Sprintf("intervention_%d", e.Number), FormatClock(e.At) + " " + e.Text})
	}
	add := func(c junitCase) {
		c.Class, c.Time = s.Scenario.Name, suite.Time
		suite.Tests++
		if c.Failure != nil {
			suite.Failures++
		}
		if c.Error != nil {
			suite.Errors++
		}
		suite.Cases = append(suite.Cases, c)
	}
	valid := junitCase{Name: "the run can be trusted"}
	if why := r.untrusted(); len(why) > 0 {
		valid.Error = &junitProblem{Message: why[0], Type: "invalid", Body: strings.Join(why, "\n")}
	}
	add(valid)
	looked := junitCase{Name: "every outcome is judged"}
	if why := r.unjudged(); len(why) > 0 {
		looked.Error = &junitProblem{Message: why[0], Type: "invalid", Body: strings.Join(why, "\n")}
	}
	add(looked)
	for _, t := range r.Thresholds {
		add(r.junitThreshold(t))
	}
	for _, c := range r.Comparison() {
		if c.Worse {
			add(junitCase{Name: "baseline: " + c.Metric, Failure: &junitProblem{Message: c.Sentence(), Type: "baseline", Body: c.Sentence()}})
		}
	}
	b, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(b, '\n')...), nil
}

func (r *Report) junitThreshold(t ThresholdResult) junitCase {
	c := junitCase{Name: t.ID}
	body := fmt.Sprintf("%s %s (%s): observed %s", t.Metric, t.Is, orWhole(t.When()), t.Observed)
	if t.First >= 0 {
		body += ", first at " + FormatClock(t.First)
	}
	if t.Says != "" {
		body = t.Says + "\n" + body
	}
	problem := &junitProblem{Message: fmt.Sprintf("%s: observed %s, want %s", t.Metric, t.Observed, t.Is), Body: body}
	switch {
	case t.Warn() && t.Verdict != Met:
		c.Output = "warning: " + body
	case t.Verdict == Missed:
		problem.Type = "threshold"
		if r.Words.Neutral(t.Verdict) {
			problem.Type = r.Words.Of(t.Verdict)
		}
		c.Failure = problem
	case t.Verdict == Invalid:
		problem.Type = "invalid"
		c.Error = problem
	}
	return c
}

func orWhole(when string) string {
	if when == "" {
		return "the whole run"
	}
	return when
}
