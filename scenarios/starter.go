package scenarios

import (
	"bytes"
	_ "embed"
	"fmt"
	"strconv"
	"text/template"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
)

//go:embed starter.yaml.tmpl
var starterText string

// Starter is what a first scenario of one's own needs to be told.
type Starter struct {
	Name   string
	Title  string
	Calm   quantity.Rate  // on an ordinary day
	Surge  quantity.Rate  // at its worst
	Length time.Duration  // of the worst
	Media  quantity.Share // of messages
	Preset string         // of the reference sender
	Target string         // URL of a sender of one's own; "" for the reference sender
	Within time.Duration  // in which 99 of 100 messages should arrive
}

// DefaultStarter is a small surge against the hardened sender.
func DefaultStarter() Starter {
	return Starter{
		Name: "my-surge", Title: "A surge of our own", Calm: quantity.Rate{Count: 150, Per: time.Minute},
		Surge: quantity.Rate{Count: 600, Per: time.Minute}, Length: 30 * time.Minute, Media: 0.3, Preset: "hardened",
		Within: 10 * time.Minute,
	}
}

// ForTarget is the starter of a sender of one's own: what takes hours in virtual time takes minutes on the wall.
func (s Starter) ForTarget() Starter {
	s.Length, s.Within, s.Media = 2*time.Minute, time.Minute, 0
	return s
}

// YAML writes the scenario as a file with comments.
func (s Starter) YAML() ([]byte, error) {
	t, err := template.New("starter").Parse(starterText)
	if err != nil {
		return nil, err
	}
	mix := "{text: 100%}"
	if s.Media > 0 {
		mix = "{text: " + (1 - s.Media).String() + ", image: " + s.Media.String() + "}"
	}
	before, ramp, after, drain := 15*time.Minute, 5*time.Minute, max(30*time.Minute, 2*s.Length), 30*time.Minute
	if s.Target != "" { // on the wall's clock
		before, ramp, after, drain = time.Minute, 30*time.Second, max(2*time.Minute, s.Length), 2*time.Minute
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Name": s.Name, "Title": strconv.Quote(s.Title), "Calm": s.Calm.String(), "Surge": s.Surge.String(),
		"About":  fmt.Sprintf("From %s to %s for %s: does everything arrive, once and in time?", s.Calm, s.Surge, strict.Duration(s.Length)),
		"Length": strict.Duration(s.Length), "Before": strict.Duration(before), "After": strict.Duration(after),
		"SurgeAt": strict.Duration(before), "Ramp": strict.Duration(ramp), "Drain": strict.Duration(drain), "Middle": strict.Duration(before + ramp + s.Length/4), "Quarter": strict.Duration(s.Length / 4), "Mix": mix, "Preset": s.Preset, "Target": s.Target, "Idempotent": s.Preset != "incident",
		"Within": strict.Duration(s.Within),
	})
	return b.Bytes(), err
}
