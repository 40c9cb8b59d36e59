package record

import (
	"errors"
	"path/filepath"
)

// ErrDied is what Follow ends with when the process that wrote a run is gone and the record has no end.
var ErrDied = errors.New("the run died: the process that wrote it is gone, and its record has no end")

// Alive reports whether a process is writing the record in dir; where that cannot be told it says so of every record. A
// writer holds a lock on its events for as long as it lives, however it dies.
func Alive(dir string) bool { return held(filepath.Join(dir, FileEvents)) }
