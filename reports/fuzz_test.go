package reports

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzBaseline: a baseline's file is read or refused, and what was read can be compared and written again.
func FuzzBaseline(f *testing.F) {
	b := baselineOf(f, healthy)
	saved := filepath.Join(f.TempDir(), "baseline.json")
	if err := b.Save(saved); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(saved)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"schema":"aftershock.baseline/v1","seeds":[1],"digests":["x"],"metrics":{"duplicates":[1e308]}}`))
	f.Add([]byte(`{"schema":"aftershock.baseline/v1","seeds":[1,1],"digests":["x","x"],"metrics":{"delivered":[null,-1]}}`))
	candidate := baselineOf(f, healthy)
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "baseline.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := LoadBaseline(path)
		if err != nil {
			return
		}
		for _, sides := range [][2]*Baseline{{b, candidate}, {candidate, b}, {b, b}} {
			changes, err := CompareWhatIf(sides[0], sides[1])
			if err == nil {
				NewComparison(sides[0], sides[1], changes).Text(false, true)
			}
		}
		if err := b.Save(path); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadBaseline(path); err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
	})
}
