//go:build unix

package record

import (
	"errors"
	"os"
	"syscall"

	"github.com/aftershock-dev/aftershock/internal/files"
)

// hold locks a file until it is closed.
func hold(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// held reports whether somebody holds a file.
func held(path string) bool {
	f, err := files.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	return err != nil && errors.Is(err, syscall.EWOULDBLOCK)
}
