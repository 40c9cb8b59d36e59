package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/scenarios"
)

var yamlExample = regexp.MustCompile("(?s)```yaml( file)?\n(.*?)```")

// Every YAML example of the page is a scenario, or what one may say beside a load of ten minutes.
func TestScenarioPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := yamlExample.FindAllStringSubmatch(string(page), -1)
	if len(examples) < 10 {
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
