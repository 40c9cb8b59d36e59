package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/reports/internal/synth"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// damages are the ways in which a file is changed.
var damages = map[string]func(r *rand.Rand, b []byte) []byte{
	"cut":    func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(len(b))] },
	"flip":   func(r *rand.Rand, b []byte) []byte { b[r.IntN(len(b))] ^= 1 << r.IntN(8); return b },
	"longer": func(r *rand.Rand, b []byte) []byte { return append(b, b[:1+r.IntN(len(b))]...) },
	"swap": func(r *rand.Rand, b []byte) []byte {
		lines := bytes.SplitAfter(b, []byte("\n"))
		i, j := r.IntN(len(lines)), r.IntN(len(lines))
		lines[i], lines[j] = lines[j], lines[i]
		return bytes.Join(lines, nil)
	},
	"line gone": func(r *rand.Rand, b []byte) []byte {
		lines := bytes.SplitAfter(b, []byte("\n"))
		i := r.IntN(len(lines))
		return bytes.Join(append(lines[:i:i], lines[i+1:]...), nil)
	},
	"digit": func(r *rand.Rand, b []byte) []byte {
		for range 200 {
			if i := r.IntN(len(b)); b[i] >= '0' && b[i] <= '9' {
				b[i] = '0' + (b[i]-'0'+1)%10
				break
			}
		}
		return b
	},
	"empty": func(*rand.Rand, []byte) []byte { return nil },
}

// TestDamageIsNeverAnotherVerdict: whatever is changed in the files of a finished run, nobody is told a verdict.
func TestDamageIsNeverAnotherVerdict(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := synth.Write(dir, small); err != nil {
		t.Fatal(err)
	}
	whole, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	tried := 0
	for _, name := range []string{record.FileInfo, record.FileScenario, record.FileEvents, record.FileGauges, record.FileMessages, record.FileAttempts} {
		path := filepath.Join(dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for kind, change := range damages {
			for range 8 {
				bad := change(r, bytes.Clone(good))
				if bytes.Equal(bad, good) {
					continue
				}
				if err := os.WriteFile(path, bad, 0o644); err != nil {
					t.Fatal(err)
				}
				tried++
				rep, err := Open(dir)
				switch {
				case err != nil && (errors.Is(err, record.ErrDamaged) && strings.Contains(err.Error(), name) || name == record.FileInfo):
				case err != nil:
					t.Errorf("%s, %s: the error does not name the damage: %v", name, kind, err)
				case rep.Verdict != Invalid && string(bad) != string(good) && !sameJSON(name, bad, good):
					t.Errorf("%s, %s: %s, and it was %s", name, kind, rep.Verdict, whole.Verdict)
				}
			}
		}
		if err := os.WriteFile(path, good, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if tried < 300 {
		t.Errorf("only %d damages were tried", tried)
	}
}

// sameJSON reports whether two versions of run.json say the same: white space and the order of keys say nothing.
func sameJSON(name string, a, b []byte) bool {
	var x, y record.Info
	if name != record.FileInfo || json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	p, err1 := json.Marshal(x)
	q, err2 := json.Marshal(y)
	return err1 == nil && err2 == nil && bytes.Equal(p, q)
}

// TestOlderRecordsAreDoubtedToo: a record without sums still has its digest, its scenario's hash and its last event.
func TestOlderRecordsAreDoubtedToo(t *testing.T) {
	fresh := func() string {
		dir := filepath.Join(t.TempDir(), "run")
		if _, err := synth.Write(dir, small); err != nil {
			t.Fatal(err)
		}
		info, err := record.LoadInfo(dir)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := loadScenario(dir)
		if err != nil {
			t.Fatal(err)
		}
		info.Files, info.Seal, info.Scenario.SHA256 = nil, "", sc.SHA256()
		b, err := json.Marshal(info)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, record.FileInfo), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   string
	}{
		record.FileScenario: {func(b []byte) []byte { return bytes.Replace(b, []byte("title:"), []byte("notes:"), 1) }, "damaged: scenario.yaml"},
		record.FileEvents:   {func(b []byte) []byte { return b[:len(b)/2] }, "damaged: events.jsonl"},
		record.FileMessages: {func(b []byte) []byte { return b[:len(b)/2] }, "damaged: messages.jsonl.zst"},
	} {
		dir := fresh()
		if r, err := Open(dir); err != nil || strings.Contains(strings.Join(r.Reasons, " "), "damaged") {
			t.Fatalf("a whole one: %v", err)
		}
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, c.change(b), 0o644); err != nil {
			t.Fatal(err)
		}
		if r, err := Open(dir); err != nil || r.Verdict != Invalid || !strings.Contains(strings.Join(r.Reasons, "; "), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnknownStatesAreInvalid: a state that no run ends in is no verdict.
func TestUnknownStatesAreInvalid(t *testing.T) {
	for _, state := range []string{"", "weird"} {
		dir := filepath.Join(t.TempDir(), "run")
		run, err := synth.Write(dir, small)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := loadScenario(dir)
		if err != nil {
			t.Fatal(err)
		}
		run.Info.State = state
		if r, err := Build(run, sc); err != nil || r.Verdict != Invalid {
			t.Errorf("state %q: %v %v", state, r.Verdict, err)
		}
	}
}

// TestDamagedBaselineIsTold: a figure that was edited is not what was measured.
func TestDamagedBaselineIsTold(t *testing.T) {
	b, err := NewBaseline([]*Report{shared(t, small)}, true)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "baseline.json")
	if err := b.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadBaseline(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edited := bytes.Replace(text, []byte(`"tool": "`), []byte(`"tool": "x`), 1)
	if err := os.WriteFile(path, edited, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadBaseline(path); !errors.Is(err, record.ErrDamaged) {
		t.Errorf("%v", err)
	}
}
