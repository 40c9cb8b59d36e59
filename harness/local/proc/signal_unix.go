//go:build unix

package proc

import (
	"errors"
	"os"
	"syscall"
)

// sign is a signal.
type sign = syscall.Signal

const (
	kill      = syscall.SIGKILL
	terminate = syscall.SIGTERM
	halt      = syscall.SIGSTOP
	carryOn   = syscall.SIGCONT
)

func supported() error { return nil }

// sendSignal tells a process and all that it started.
func sendSignal(p *os.Process, s sign) error {
	err := syscall.Kill(-p.Pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return nil // it has ended already
	}
	return err
}
