package scenarios_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/scenarios"
)

func TestNumbersFromAFile(t *testing.T) {
	dir := t.TempDir()
	scenario := filepath.Join(dir, "s.yaml")
	if err := os.WriteFile(scenario, []byte("load: {phases: [{name: a, for: 1m, rate: 1/s}]}\nmessages: {numbers: to.csv}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"phone,name\n+1 (555) 000-0001,Ann\n\n# Bob\n\"+44 20 7946 0018\",Bob\n": "15550000001 442079460018",
		"\ufeff15550000001\r\n15550000002\r\n":                                   "15550000001 15550000002",
		"":                                                                       "has no numbers",
		"15550000001\nAnn\n":                                                     `to.csv:2: "Ann" is not a phone number`,
		"123\n":                                                                  `to.csv:1: "123" is not a phone number`,
		"15550000001x\n":                                                         "is not a phone number",
		"1234567890123456\n":                                                     "is not a phone number",
		strings.Repeat("9", 70_000):                                              "token too long",
	} {
		if err := os.WriteFile(filepath.Join(dir, "to.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := scenarios.Open(scenario, scenarios.Options{})
		if err != nil {
			if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "messages.numbers") {
				t.Errorf("%.30q: %v", text, err)
			}
			continue
		}
		got, err := s.ReadNumbers()
		if strings.Join(got, " ") != want || err != nil {
			t.Errorf("%.30q: %v, %v; want %s", text, got, err, want)
		}
	}
}
