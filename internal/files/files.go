// Package files opens and reads files that somebody named: regular ones alone, for a pipe or a device never ends, and no
// more of them than was asked for. What it writes it writes whole.
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Open opens a regular file, or says what it is instead. Errors carry no path: the caller names the file in its own way.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path) // before it is opened, for opening a pipe waits for its other end
	if err != nil {
		return nil, bare(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("is %s, not a file", kind(info.Mode()))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	return f, nil
}

// Read reads a regular file of at most so many bytes.
func Read(path string, most int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, bare(err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("is larger than the %d bytes it may have", most)
	}
	return b, nil
}

// Named is Open with an error that names the file.
func Named(path string) (*os.File, error) {
	f, err := Open(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return f, nil
}

// ReadNamed is Read with an error that names the file.
func ReadNamed(path string, most int64) ([]byte, error) {
	b, err := Read(path, most)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return b, nil
}

// Replace writes a file whole, in place of what has its name: whoever reads meanwhile sees the old one or the new one,
// and neither a link nor a pipe of that name is written through.
func Replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // nothing half-written stays
	}
	return err
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

// bare takes the path out of an error; what is left still matches the same sentinels.
func bare(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
