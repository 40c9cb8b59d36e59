//go:build unix

package docker

import "syscall"

// aloof keeps a terminal's signals away.
func aloof() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
