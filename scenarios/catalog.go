package scenarios

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Info is an entry of the catalog.
type Info struct {
	Name     string
	Title    string
	About    string        // one line
	Length   time.Duration // of the load
	Messages int           // that the load asks for, about
	Variants []string
}

// List returns the catalog, by name. An entry that cannot be read says why in place of what it is about.
func List() []Info {
	var out []Info
	for _, name := range Names() {
		s, err := Open(name, Options{})
		if err != nil {
			out = append(out, Info{Name: name, About: err.Error()})
			continue
		}
		out = append(out, s.info())
	}
	return out
}

func (s *Scenario) info() Info {
	about, _, _ := strings.Cut(s.Notes, "\n")
	i := Info{Name: s.Name, Title: s.Title, About: about, Length: s.Duration(), Messages: int(s.Load.Curve().Total() + 0.5)}
	i.Variants = slices.Sorted(maps.Keys(s.Variants))
	return i
}
