package proc

import "syscall"

// attributes puts a child into a group of its own, out of reach of the terminal's Ctrl-C, and ends it with us.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
