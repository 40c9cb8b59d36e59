//go:build unix && !linux

package proc

import (
	"syscall"
	"time"
)

// attributes puts a child into a group of its own, out of reach of the terminal's Ctrl-C.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// detached puts a process into a group of its own, and lets it outlive us.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// giveSlack is Linux's alone.
func giveSlack(time.Duration) {}
