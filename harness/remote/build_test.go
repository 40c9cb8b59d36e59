package remote

import (
	"testing"

	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// crowded is a stage that the load stands on, too.
type crowded struct {
	*stage
	cores int
}

func (c crowded) Cores() int { return c.cores }

// Parts leave each other, and the load, room; whoever sets GOMAXPROCS knows better.
func TestPartsUseHalfOfTheMachineThatTheyShare(t *testing.T) {
	for _, c := range []struct {
		engine    Engine
		set, want string
	}{
		{crowded{newStage(), 8}, "", "4"},
		{crowded{newStage(), 1}, "", "1"},
		{crowded{newStage(), 8}, "3", "3"},
		{crowded{newStage(), 0}, "", ""}, // an engine that could share, and is elsewhere
		{newStage(), "", ""},
	} {
		t.Setenv("GOMAXPROCS", c.set)
		s := &System{opts: Options{Engine: c.engine, Scenario: &scenarios.Scenario{}}}
		if got := s.part(part.Spec{Kind: part.Fake, Name: "fake"}).Env["GOMAXPROCS"]; got != c.want {
			t.Errorf("%T with GOMAXPROCS=%q: parts use %q cores, want %q", c.engine, c.set, got, c.want)
		}
	}
}
