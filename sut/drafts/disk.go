package drafts

import (
	"io"
	"os"
	"path/filepath"
)

// Disk is where a Journal's files lie: a folder of the machine, or something that a test can fill up and tear.
type Disk interface {
	// Append opens a file that is written at its end, making it where it is missing.
	Append(name string) (File, error)
	// Read opens a file to be read; the error is fs.ErrNotExist when there is none.
	Read(name string) (io.ReadCloser, error)
	// Rename gives a file another name, in the place of the one that has it.
	Rename(from, to string) error
}

// File is one file of a Disk.
type File interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Size() (int64, error)
	Truncate(size int64) error
	Sync() error
}

// folder is a Disk of the machine.
type folder string

func (d folder) Append(name string) (File, error) {
	f, err := os.OpenFile(filepath.Join(string(d), name), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (d folder) Read(name string) (io.ReadCloser, error) {
	return os.Open(filepath.Join(string(d), name))
}

func (d folder) Rename(from, to string) error {
	return os.Rename(filepath.Join(string(d), from), filepath.Join(string(d), to))
}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
