package scenarios_test

import (
	"testing"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// What init writes is a scenario, whatever it was told.
func TestStarter(t *testing.T) {
	plain, own, texts, incident := scenarios.DefaultStarter(), scenarios.DefaultStarter(), scenarios.DefaultStarter(), scenarios.DefaultStarter()
	own.Target = "http://127.0.0.1:8000/messages"
	texts.Media, texts.Title = 0, `a "quoted": title`
	incident.Preset = "incident"
	for _, s := range []scenarios.Starter{plain, own, texts, incident} {
		b, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		got, err := scenarios.Read("x.yaml", b, scenarios.Options{})
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if got.Name != s.Name || got.Title != s.Title || (got.Target != nil) != (s.Target != "") || got.Client.IdempotencyKey == (s.Preset == "incident") {
			t.Errorf("%s", b)
		}
	}
}
