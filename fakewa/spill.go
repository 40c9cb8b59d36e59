package fakewa

import (
	"fmt"
	"os"
)

// spill is a file that only grows, without a name: it vanishes with the process, however that ends. The zero spill
// is ready; dir "" means the system's directory for temporary files.
type spill struct {
	dir  string
	file *os.File
	size int64
}

func (s *spill) write(b []byte) (at int64, err error) {
	if s.file == nil {
		if s.dir != "" {
			if err := os.MkdirAll(s.dir, 0o755); err != nil {
				return 0, fmt.Errorf("spill to disk: %w", err)
			}
		}
		f, err := os.CreateTemp(s.dir, "fakewa-*.spill")
		if err != nil {
			return 0, fmt.Errorf("spill to disk: %w", err)
		}
		os.Remove(f.Name()) // an open file needs no name; where that is refused, close removes it
		s.file = f
	}
	n, err := s.file.WriteAt(b, s.size)
	if err != nil {
		return 0, fmt.Errorf("spill to disk: %w", err)
	}
	at = s.size
	s.size += int64(n)
	return at, nil
}

func (s *spill) read(at int64, size int) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	b := make([]byte, size)
	if _, err := s.file.ReadAt(b, at); err != nil {
		return nil, fmt.Errorf("read what was spilled to disk: %w", err)
	}
	return b, nil
}

func (s *spill) close() {
	if s.file == nil {
		return
	}
	s.file.Close()
	os.Remove(s.file.Name())
	s.file, s.size = nil, 0
}
