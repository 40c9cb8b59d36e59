package sweep

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/reports"
)

// The files of a sweep.
const (
	filePlan = "sweep.json"
	fileRuns = "runs.jsonl"
)

// plan is sweep.json: what was asked for. A folder holds the results of one plan.
type plan struct {
	Schema   string              `json:"schema"` // "aftershock.sweep/v1"
	Scenario string              `json:"scenario"`
	SHA256   string              `json:"sha256"` // of the scenario without the settings varied
	Tool     string              `json:"tool"`
	Axes     []reports.SweepAxis `json:"axes"`
	Seeds    []int64             `json:"seeds"`
}

const schemaPlan = "aftershock.sweep/v1"

// stored is one line of runs.jsonl.
type stored struct {
	Key string           `json:"key"`
	Run reports.SweepRun `json:"run"`
}

// store keeps the results of a sweep on disk.
type store struct {
	mu   sync.Mutex
	file *os.File
	done map[string]reports.SweepRun
}

// open makes the folder, or opens the one that a sweep with the same plan left.
func open(dir string, p plan) (*store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the sweep's folder: %w", err)
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, filePlan)
	old, err := files.ReadNamed(path, 64<<20)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		if err := samePlan(dir, old, p); err != nil {
			return nil, err
		}
	}
	if err := files.Replace(path, append(text, '\n')); err != nil {
		return nil, err
	}
	s := &store{done: map[string]reports.SweepRun{}}
	if err := s.load(filepath.Join(dir, fileRuns)); err != nil {
		return nil, err
	}
	return s, nil
}

// samePlan refuses a folder whose runs are of another scenario or program; other axes and seeds may be added.
func samePlan(dir string, old []byte, p plan) error {
	var q plan
	if err := json.Unmarshal(old, &q); err != nil || q.Schema != schemaPlan {
		return fmt.Errorf("%s is not the folder of a sweep", dir)
	}
	if q.Scenario != p.Scenario || q.SHA256 != p.SHA256 {
		return fmt.Errorf("%s holds a sweep of another scenario, or of an older version of it: choose another --out", dir)
	}
	if q.Tool != p.Tool {
		return fmt.Errorf("%s holds runs of another version (%s, this is %s): choose another --out", dir, q.Tool, p.Tool)
	}
	return nil
}

// load reads the results there are; a last line that was cut off is taken away.
func (s *store) load(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	s.file = f
	r := bufio.NewReader(f)
	good := int64(0)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			break
		}
		var st stored
		if err := json.Unmarshal(line, &st); err != nil {
			return errors.Join(fmt.Errorf("%s at byte %d: %w", path, good, err), f.Close())
		}
		s.done[st.Key] = st.Run
		good += int64(len(line))
	}
	if err := f.Truncate(good); err != nil {
		return errors.Join(err, f.Close())
	}
	if _, err := f.Seek(good, 0); err != nil {
		return errors.Join(err, f.Close())
	}
	return nil
}

func (s *store) get(key string) (reports.SweepRun, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.done[key]
	return r, ok
}

func (s *store) put(key string, r reports.SweepRun) error {
	b, err := json.Marshal(stored{key, r})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done[key] = r
	_, err = s.file.Write(append(b, '\n'))
	return err
}

func (s *store) close() error { return s.file.Close() }
