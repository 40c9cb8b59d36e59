package hunt

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/files"
)

// FileLog is the file in a hunt's folder that says how far it has come.
const FileLog = "hunt.json"

// SchemaLog is the schema of FileLog.
const SchemaLog = "aftershock.hunt/v1"

// Plan is which hunt a log is of.
type Plan struct {
	Scenario string `json:"scenario"`
	SHA256   string `json:"sha256"` // of the scenario that is hunted
	Tool     string `json:"tool"`
	From     int64  `json:"from"` // the first seed
}

// Log is what a hunt has tried and found. It is kept on disk, so that the hunt goes on where it stopped; a seed counts once
// all seeds before it have been tried, so that none is passed over and none counts twice.
type Log struct {
	Schema string `json:"schema"`
	Plan
	Next  int64   `json:"next"` // the first seed that has not been tried
	Cover Cover   `json:"cover"`
	Found []Entry `json:"found"`

	dir   string
	mu    sync.Mutex
	ahead map[int64]Evidence // of seeds behind Next
	saved time.Time
}

// Entry is one finding, as the log keeps it.
type Entry struct {
	Seed   int64  `json:"seed"`
	ID     string `json:"id"`
	Says   string `json:"says"`
	File   string `json:"file"` // in the hunt's folder
	Digest string `json:"digest"`
	Steps  int    `json:"steps"`
	Drawn  int    `json:"drawn"`
}

// OpenLog makes the folder of a hunt, or goes on with the one that is there. A folder holds one hunt: of one scenario, by one
// version, from one seed on.
func OpenLog(dir string, p Plan) (*Log, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the hunt's folder: %w", err)
	}
	l := &Log{Schema: SchemaLog, Plan: p, Next: p.From, dir: dir, ahead: map[int64]Evidence{}}
	text, err := files.ReadNamed(filepath.Join(dir, FileLog), 64<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return l, l.Save()
	}
	if err != nil {
		return nil, err
	}
	old := &Log{dir: dir, ahead: l.ahead}
	if err := json.Unmarshal(text, old); err != nil || old.Schema != SchemaLog {
		return nil, fmt.Errorf("%s in %s is not a hunt's\nhint: choose another folder with --out", FileLog, dir)
	}
	for _, c := range []struct{ what, was, is string }{
		{"scenario", old.Scenario, p.Scenario}, {"scenario as it is now", old.SHA256, p.SHA256}, {"version of aftershock", old.Tool, p.Tool},
		{"first seed", fmt.Sprint(old.From), fmt.Sprint(p.From)},
	} {
		if c.was != c.is {
			return nil, fmt.Errorf("%s holds a hunt of another %s (%s, not %s)\nhint: remove the folder, or choose another one with --out", dir, c.what, short(c.was), short(c.is))
		}
	}
	if old.Next < old.From {
		return nil, fmt.Errorf("%s in %s is damaged: it goes on at seed %d, before its first\nhint: remove the folder", FileLog, dir, old.Next)
	}
	return old, nil
}

func short(s string) string { return s[:min(len(s), 40)] }

// Tried takes the evidence of a seed in. The log is saved now and then.
func (l *Log) Tried(seed int64, e Evidence) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ahead[seed] = e
	for {
		e, ok := l.ahead[l.Next]
		if !ok {
			break
		}
		delete(l.ahead, l.Next)
		l.Cover.Add(e)
		l.Next++
	}
	if time.Since(l.saved) > time.Second {
		_ = l.save() // it is saved once more in the end, and then it matters
	}
}

// Keep writes what was found into the hunt's folder, and returns the file's path.
func (l *Log) Keep(f Finding) (string, error) {
	name := f.Scenario.Name + ".yaml"
	path := filepath.Join(l.dir, name)
	if err := files.Replace(path, f.Scenario.YAML()); err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Found = append(l.Found, Entry{Seed: f.Seed, ID: f.Broken.ID, Says: f.Broken.Says, File: name, Digest: f.Evidence.Digest, Steps: f.Steps, Drawn: f.Drawn})
	return path, l.save()
}

// Save writes the log.
func (l *Log) Save() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.save()
}

func (l *Log) save() error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	l.saved = time.Now()
	return files.Replace(filepath.Join(l.dir, FileLog), append(text, '\n'))
}
