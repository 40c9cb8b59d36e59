package hunt

import (
	"strings"
	"testing"
)

// TestAHuntThatTriedNothingSaysSo: no seeds, no messages, no trouble that struck, or mostly runs of which nothing can be said.
func TestAHuntThatTriedNothingSaysSo(t *testing.T) {
	struck := Evidence{Offered: 10, Struck: []string{"kill"}}
	invalid := Evidence{Offered: 10, Struck: []string{"kill"}, Invalid: []string{"the machine was full"}}
	for want, evidence := range map[string][]Evidence{
		"no seed was tried":      nil,
		"no message was offered": {{Struck: []string{"kill"}}},
		"nothing befell":         {{Offered: 10}, {Offered: 3}},
		"the machine was full":   {struck, invalid, invalid},
		"":                       {struck, invalid, {Offered: 5}},
	} {
		var c Cover
		for _, e := range evidence {
			c.Add(e)
		}
		if got := c.Nothing(); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%d seeds: %q, want %q", len(evidence), got, want)
		}
	}
}
