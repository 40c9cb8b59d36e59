package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/scenarios"
)

var yamlExample = regexp.MustCompile("(?s)```yaml( file)?\n(.*?)```")

// Every YAML example of these pages is a scenario, or what one may say beside a load of ten minutes.
func TestScenarioPages(t *testing.T) {
	for page, least := range map[string]int{"scenarios.md": 10, "your-sender.md": 2} {
		t.Run(page, func(t *testing.T) { examplesAreScenarios(t, page, least) })
	}
}

func examplesAreScenarios(t *testing.T, name string, least int) {
	page, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	examples := yamlExample.FindAllStringSubmatch(string(page), -1)
	if len(examples) < least {
		t.Fatalf("%d examples: where have they gone?", len(examples))
	}
	for _, e := range examples {
		text := e[2]
		if !strings.Contains(text, "load:\n") && !strings.Contains(text, "extends:") {
			text = "load: {phases: [{name: steady, for: 10m, rate: 60/min}]}\n" + text
		}
		if _, err := scenarios.Read("example.yaml", []byte(text), scenarios.Options{Blocks: blocks()}); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
}
