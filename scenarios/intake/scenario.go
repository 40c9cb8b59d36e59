package intake

import (
	"bytes"
	_ "embed"
	"fmt"
	"text/template"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/scenarios"
)

//go:embed scenario.yaml.tmpl
var scenarioText string

// Scenario writes the file of a scenario that replays what was read. trace is the name of the trace beside it, unused
// for a load of rates.
func (r *Result) Scenario(name, source, trace string) ([]byte, error) {
	t, err := template.New("scenario").Parse(scenarioText)
	if err != nil {
		return nil, err
	}
	peak, at := r.Shape.Peak()
	phases := r.Phases
	if len(phases) == 0 {
		phases = r.Shape.Phases()
	}
	if len(r.Phases) > 0 {
		trace = ""
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Name": name, "Source": fmt.Sprintf("%q", source), "Trace": trace, "Messages": r.Messages, "Format": r.Format,
		"Start": r.Start.Format(time.RFC3339), "Bad": r.Bad, "Other": r.Other, "Repeated": r.Repeated, "Lines": r.Lines,
		"Peak": peak, "PeakAt": r.Start.Add(time.Duration(at) * time.Minute).Format("15:04"), "Median": r.Shape.Median(),
		"Phases": flow(phases),
	})
	return b.Bytes(), err
}

// flow prints phases one a line.
func flow(phases []scenarios.Phase) []string {
	var out []string
	for _, p := range phases {
		s := "{name: " + p.Name + ", for: " + strict.Duration(p.For)
		switch {
		case p.From.Per != 0:
			s += ", from: " + p.From.String() + ", to: " + p.To.String()
		case p.Rate.Per != 0:
			s += ", rate: " + p.Rate.String()
		}
		out = append(out, s+"}")
	}
	return out
}
