package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// FileBaseline is what a run that was compared with a baseline keeps of it, so that its documents can be rebuilt.
const FileBaseline = "baseline.json"

// Baseline is what a comparison needs of one or more runs of one scenario: a small file in git.
type Baseline struct {
	Schema     string               `json:"schema"` // "aftershock.baseline/v1"
	Scenario   string               `json:"scenario"`
	SHA256     string               `json:"sha256"`
	Machine    string               `json:"machine"`
	Clock      string               `json:"clock"`
	Seeds      []int64              `json:"seeds"`
	Metrics    map[string][]float64 `json:"metrics"`    // by name, a value a run in the order of Seeds
	Thresholds map[string][]float64 `json:"thresholds"` // by threshold id
}

// threshold returns the baseline's value for a threshold; false without a baseline.
func (b *Baseline) threshold(t scenarios.Threshold) (float64, bool) {
	if b == nil || len(b.Thresholds[t.ID]) == 0 {
		return 0, false
	}
	return median(b.Thresholds[t.ID]), true
}

// storedBaseline reads the baseline a run keeps; nil when it has none.
func storedBaseline(dir string) (*Baseline, error) {
	if dir == "" {
		return nil, nil
	}
	b, err := os.ReadFile(filepath.Join(dir, FileBaseline))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var base Baseline
	if err := json.Unmarshal(b, &base); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, FileBaseline), err)
	}
	return &base, nil
}
