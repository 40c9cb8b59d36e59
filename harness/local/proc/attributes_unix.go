//go:build unix && !linux

package proc

import "syscall"

// attributes puts a child into a group of its own, out of reach of the terminal's Ctrl-C.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// stepBack lets the load go first.
func stepBack(pid int) { _ = syscall.Setpriority(syscall.PRIO_PGRP, pid, behindLoad) }
