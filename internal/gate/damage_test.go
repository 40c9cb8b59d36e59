package gate

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/aftershock-dev/aftershock/reports"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// A record that was changed after its run is invalid, and names the file.
func TestGateDamage(t *testing.T) {
	s, err := open("smoke", nil)
	if err != nil {
		t.Fatal(err)
	}
	good := kept(t, s)
	s.Seed++
	other := kept(t, s)
	for name, c := range map[string]struct {
		file   string
		change func(b []byte) []byte
	}{
		"messages cut short": {record.FileMessages, func(b []byte) []byte { return b[:len(b)/2] }},
		"messages of another run": {record.FileMessages, func([]byte) []byte {
			b, err := os.ReadFile(filepath.Join(other, record.FileMessages))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}},
		"no messages":                   {record.FileMessages, func([]byte) []byte { return nil }},
		"a scenario with another limit": {record.FileScenario, func(b []byte) []byte { return bytes.Replace(b, []byte(">= 100%"), []byte(">= 1%"), 1) }},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, c.file)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			changed := c.change(b)
			if bytes.Equal(changed, b) {
				t.Fatal("nothing was changed")
			}
			if err := os.WriteFile(path, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := reports.Open(dir)
			if err != nil {
				return // refused: no verdict at all
			}
			if said := text(t, r); r.ExitCode != reports.ExitInvalid || !bytes.Contains([]byte(said), []byte("damaged: ")) {
				t.Errorf("exit %d: %s", r.ExitCode, said)
			}
		})
	}
}
