package hunt

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/sut/drafts"
)

// Cover is what a hunt has tried: a hunt that tried nothing says so.
type Cover struct {
	Seeds    int            `json:"seeds"`
	Messages int            `json:"messages"`
	Invalid  int            `json:"invalid"` // seeds of which nothing can be said
	Why      map[string]int `json:"why,omitempty"`
	Struck   map[string]int `json:"struck"` // seeds in which it was, by name
	Pairs    map[string]int `json:"pairs"`
	Steps    map[string]int `json:"steps"`
	Ends     map[string]int `json:"ends"`
	Signs    map[string]int `json:"signs"`
}

// Add takes a seed's evidence in.
func (c *Cover) Add(e Evidence) {
	c.Seeds++
	c.Messages += e.Offered
	if len(e.Invalid) > 0 {
		c.Invalid++
		count(&c.Why, e.Invalid[:1])
	}
	count(&c.Struck, e.Struck)
	count(&c.Pairs, e.Pairs)
	count(&c.Steps, e.Steps)
	count(&c.Ends, e.Ends)
	count(&c.Signs, e.Signs)
}

func count(m *map[string]int, names []string) {
	if *m == nil {
		*m = map[string]int{}
	}
	for _, n := range names {
		(*m)[n]++
	}
}

// Nothing says why the hunt has shown nothing; "" when it has.
func (c *Cover) Nothing() string {
	switch {
	case c.Seeds == 0:
		return "no seed was tried"
	case c.Messages == 0:
		return "no message was offered"
	case len(c.Struck) == 0:
		return "nothing befell the sender: no fault, no kill and no setting did anything"
	case 2*c.Invalid > c.Seeds:
		return fmt.Sprintf("of %d seeds %d were invalid, most of them because %s", c.Seeds, c.Invalid, often(c.Why)[0])
	}
	return ""
}

// Text writes the cover for people.
func (c *Cover) Text(w io.Writer, ours bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "  tried       %d seeds, %d messages", c.Seeds, c.Messages)
	if c.Invalid > 0 {
		fmt.Fprintf(&b, "; %d seeds were invalid: %s", c.Invalid, often(c.Why)[0])
	}
	b.WriteString("\n")
	kinds := []string{}
	for _, t := range troubles() {
		if ours || !t.ours {
			kinds = append(kinds, t.name)
		}
	}
	line := func(name string, seen map[string]int, there []string) {
		var missing []string
		for _, n := range there {
			if seen[n] == 0 {
				missing = append(missing, n)
			}
		}
		fmt.Fprintf(&b, "  %-11s %d of %d", name, len(there)-len(missing), len(there))
		if len(missing) > 0 {
			fmt.Fprintf(&b, "; never %s", few(missing))
		}
		b.WriteString("\n")
	}
	line("troubles", c.Struck, kinds)
	pairs := pairsOf(kinds)
	line("pairs", c.Pairs, pairs)
	if ours {
		line("steps", c.Steps, steps())
		var names []string
		for _, s := range signs {
			names = append(names, s.name)
		}
		line("policies", c.Signs, names)
	}
	fmt.Fprintf(&b, "  ends        %s\n", strings.Join(often(c.Ends), ", "))
	_, err := io.WriteString(w, b.String())
	return err
}

// few names some, and says how many more there are.
func few(names []string) string {
	if len(names) <= 6 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
}

// often lists names, the most frequent first.
func often(m map[string]int) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		if c := cmp.Compare(m[b], m[a]); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
}

// pairsOf lists the pairs of troubles that can be there at the same time.
func pairsOf(kinds []string) []string {
	alone := map[string]bool{}
	for _, t := range troubles() {
		alone[t.name] = t.alone
	}
	var out []string
	for i, a := range kinds {
		for _, b := range kinds[:i] {
			if !(alone[a] && alone[b]) {
				out = append(out, min(a, b)+" + "+max(a, b))
			}
		}
	}
	slices.Sort(out)
	return out
}

// steps lists the steps that a held draft can take.
func steps() []string {
	var out []string
	for from := drafts.Queued; !from.Finished(); from++ {
		for to := drafts.Queued; to <= drafts.Unknown; to++ {
			if from.CanBecome(to) {
				out = append(out, stepName(drafts.Step{From: from, To: to}))
			}
		}
	}
	return out
}

// stepName is a step in words. "unknown" is a state of drafts that wait and one of drafts that were given up.
func stepName(s drafts.Step) string {
	to := s.To.String()
	if s.To == drafts.Unknown {
		to = "given up"
	}
	return s.From.String() + " → " + to
}
